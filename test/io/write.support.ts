import { Fits, type FitsFields } from "../../src/fits.js";
import type { GroupType, GroupValue } from "../../src/io/rows.js";
import type { FitsResult } from "../../src/io/write/result.js";

/** Groups and names that writers must not stumble over. */
export const AWKWARD_KEYS: readonly (readonly GroupValue[])[] = [
  ["plain", 1],
  ['quo"te, comma\nand line', 2n ** 60n],
  ["", -0.5],
  [null, null],
  ["Zürich 東京 🐧", 0],
];

export const AWKWARD_TYPES: readonly GroupType[] = [
  { name: "__proto__", type: "VARCHAR" },
  { name: 'say "k"', type: "DECIMAL(38,1)" },
];

/** Fits of made-up numbers: group g has mean g + j/3, and every third group has none. */
export function resultOf(
  keys: readonly (readonly GroupValue[])[],
  types: readonly GroupType[],
  d: number,
): FitsResult {
  const groups = keys.length;
  const fields: FitsFields = {
    dims: d,
    groups,
    count: Float64Array.from({ length: groups }, (_, g) => 10 + g),
    weight: Float64Array.from({ length: groups }, (_, g) => 10 + g),
    mean: new Float64Array(groups * d),
    covariance: new Float64Array(groups * d * d),
    factor: new Float64Array(groups * d * d),
    logLikelihood: new Float64Array(groups),
    residual: new Float64Array(groups),
    gap: new Float64Array(groups),
    iterations: new Int32Array(groups),
    statusCode: new Uint8Array(groups),
  };
  for (let g = 0; g < groups; g++) {
    const none = g % 3 === 2;
    for (let j = 0; j < d; j++) fields.mean[g * d + j] = none ? Number.NaN : g + j / 3;
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) {
        const at = (g * d + i) * d + j;
        fields.covariance[at] = none ? Number.NaN : (i === j ? 2 : 0.1) / (g + 1 + i + j);
        fields.factor[at] = none ? Number.NaN : j <= i ? 1 / (1 + i + j) : 0;
      }
    }
    fields.logLikelihood[g] = none ? Number.NaN : -100 / 3 - g;
    fields.residual[g] = none ? Number.NaN : 1e-16 * g;
    fields.gap[g] = none ? Number.NaN : 0;
    fields.iterations[g] = g;
    fields.statusCode[g] = none ? 3 : 0;
  }
  const fits = new Fits(fields, {
    engine: "made up",
    device: 'with "quotes"',
    precision: "float64",
    method: "newton",
    ddof: 0,
    tolerance: 1e-8,
    roundingUnit: 2 ** -53,
  });
  return {
    fits,
    columns: Array.from({ length: d }, (_, j) => (j === 1 ? "a,b" : `x${j}`)),
    groupBy: types.map(({ name }) => name),
    groups: { types, key: (g) => keys[g] },
    rows: 60,
    rowsDropped: 2,
  };
}

export const manyKeys = (groups: number): GroupValue[][] =>
  Array.from({ length: groups }, (_, g) => [`g${g}`]);
