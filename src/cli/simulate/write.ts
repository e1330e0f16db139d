import { type SimulateOptions, simulateGroups } from "../../simulate.js";

export interface SimulateCall {
  readonly data: Required<SimulateOptions>;
  readonly output: string | undefined;
  readonly truth: string | undefined;
  readonly quiet: boolean;
}

/** Rows drawn at a time, so that one huge group does not have to fit into memory. */
export const DRAWN_ROWS = 1 << 14;

export const GROUP_COLUMN = "group";

export const variableNames = (dims: number): string[] => Array.from({ length: dims }, (_, j) => `x${j + 1}`);

/** A stretch of rows of one group. */
export interface DrawnRows {
  readonly group: number;
  readonly rows: number;
  /** [rows, d], row-major; reused for the next stretch */
  readonly x: Float64Array;
}

/** All simulated rows, a stretch of at most DRAWN_ROWS at a time. */
export function* drawnRows(data: SimulateOptions): Generator<DrawnRows> {
  const x = new Float64Array(DRAWN_ROWS * data.dims);
  let group = 0;
  for (const source of simulateGroups(data)) {
    for (let left = source.rows; left > 0; left -= DRAWN_ROWS) {
      const rows = Math.min(left, DRAWN_ROWS);
      source.draw(x, rows);
      yield { group, rows, x };
    }
    group++;
  }
}

export function* simulatedCsv(data: SimulateOptions): Generator<string> {
  const d = data.dims;
  yield `${[GROUP_COLUMN, ...variableNames(d)].join(",")}\n`;
  for (const { group, rows, x } of drawnRows(data)) {
    for (let row = 0; row < rows; row++) {
      let line = String(group);
      for (let j = 0; j < d; j++) line += `,${x[row * d + j]}`;
      yield `${line}\n`;
    }
  }
}

/** The parameters behind the data: a document that `mvnfit fit --init` takes. */
export function* truthJson(data: Required<SimulateOptions>): Generator<string> {
  const d = data.dims;
  const { seed, condition, offset } = data;
  const head = {
    schema: "mvnfit/truth@1",
    columns: variableNames(d),
    groupBy: [GROUP_COLUMN],
    seed,
    condition,
    offset,
  };
  const lines = Object.entries(head).map(
    ([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`,
  );
  yield `{\n${lines.join("")}  "groups": [`;
  let g = 0;
  for (const { rows, mean, factor } of simulateGroups(data)) {
    const group = {
      group: { [GROUP_COLUMN]: g },
      n: rows,
      mean: [...mean],
      covariance: product(factor, d),
      factor: square(factor, d),
    };
    yield `${g === 0 ? "" : ","}\n    ${JSON.stringify(group)}`;
    g++;
  }
  yield g === 0 ? "]\n}\n" : "\n  ]\n}\n";
}

const square = (values: Float64Array, d: number): number[][] =>
  Array.from({ length: d }, (_, i) => [...values.subarray(i * d, i * d + d)]);

/** S = ΛΛᵀ */
function product(factor: Float64Array, d: number): number[][] {
  const rows = square(factor, d);
  return rows.map((a) => rows.map((b) => a.reduce((sum, value, k) => sum + value * b[k], 0)));
}
