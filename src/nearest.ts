import { closest, distance } from "fastest-levenshtein";

/**
 * The name nearest to a misspelt one, or undefined where none is near: the same but for capitals or two neighbours exchanged, else
 * at most a third of its letters (at least one) put in, left out or changed.
 */
export function nearest(name: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const lower = name.toLowerCase();
  const slip = names.find((candidate) => {
    const other = candidate.toLowerCase();
    return other === lower || isExchange(lower, other);
  });
  if (slip !== undefined) return slip;
  const candidate = closest(name, names);
  return distance(name, candidate) <= Math.max(1, Math.floor(name.length / 3)) ? candidate : undefined;
}

/** Whether two words differ by two neighbouring letters exchanged: a distance of 2 to Levenshtein, one slip of the fingers. */
function isExchange(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  const at = [...a].findIndex((letter, i) => letter !== b[i]);
  return a[at] === b[at + 1] && a[at + 1] === b[at] && a.slice(at + 2) === b.slice(at + 2);
}
