import { closest, distance } from "fastest-levenshtein";

/** The name nearest to a misspelt one, or undefined where none is near: at most a third of its letters changed. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const sameLetters = names.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  if (sameLetters !== undefined || names.length === 0) return sameLetters;
  const candidate = closest(name, names);
  return distance(name, candidate) <= Math.max(1, Math.floor(name.length / 3)) ? candidate : undefined;
}
