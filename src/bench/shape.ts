import { InputError } from "../errors.js";

/** The size of a workload: B groups of n rows of d variables, n drawn evenly from the least to the most for each group. */
export interface Shape {
  readonly groups: number;
  readonly rows: readonly [least: number, most: number];
  readonly dims: number;
}

/** Shapes by name: `standard` and `wide` are those by which the closed form is judged (docs/performance.md). */
export const PRESETS = {
  quick: ["2000x50x3", "2000x100x8", "200x400x32"],
  standard: ["100000x50x3", "10000x500x4", "10000x200x8", "5000x400x16", "2000x500x32", "500x1000x64"],
  wide: ["100x2000x128"],
  ragged: ["2000x10..2000x8"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

const isPreset = (text: string): text is keyof typeof PRESETS => Object.hasOwn(PRESETS, text);

/** As it is asked for: groups × rows × variables. */
export const shapeName = ({ groups, rows: [least, most], dims }: Shape): string =>
  `${groups}x${least === most ? least : `${least}..${most}`}x${dims}`;

/**
 * Shapes from text: `10000x200x8`, ragged `2000x10..2000x8`, or the name of a preset, which stands for several.
 *
 * @throws InputError where a text is neither, or groups would be too small to have a fit
 */
export function parseShapes(texts: readonly string[]): Shape[] {
  return texts.flatMap((text) => (isPreset(text) ? PRESETS[text].map(parseShape) : [parseShape(text)]));
}

function parseShape(text: string): Shape {
  const found = /^(\d+)x(\d+)(?:\.\.(\d+))?x(\d+)$/.exec(text);
  if (!found) {
    throw new InputError(
      `bench: a shape is groups x rows x variables as in 10000x200x8 or 2000x10..2000x8, or one of ${Object.keys(PRESETS).join(", ")}; got "${text}"`,
    );
  }
  const [groups, least, most, dims] = [found[1], found[2], found[3] ?? found[2], found[4]].map(Number);
  const rules: [boolean, string][] = [
    [groups >= 1, "needs at least 1 group"],
    [dims >= 1, "needs at least 1 variable"],
    [least <= most, "must name the fewest rows first"],
    [least > dims, `needs at least d + 1 = ${dims + 1} rows a group: with fewer there is no fit to time`],
    [Number.isSafeInteger(groups * most * dims), "is larger than numbers can count"],
  ];
  for (const [holds, rule] of rules) if (!holds) throw new InputError(`bench: shape ${text} ${rule}`);
  return { groups, rows: [least, most], dims };
}
