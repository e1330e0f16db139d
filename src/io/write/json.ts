import type { GroupValue } from "../rows.js";
import type { FitsResult } from "./result.js";

/** The name and version of the document's form: see docs/cli.md. */
const FITS_SCHEMA = "mvnfit/fits@1";

/** The JSON document of fits, one line a group, in pieces, so that it may be larger than a string can be. */
export function* jsonPieces(result: FitsResult): Generator<string> {
  const { fits } = result;
  const head = {
    schema: FITS_SCHEMA,
    columns: result.columns,
    groupBy: result.groupBy,
    engine: fits.origin.engine,
    device: fits.origin.device,
    precision: fits.origin.precision,
    method: fits.origin.method,
    ddof: fits.origin.ddof,
    rows: result.rows,
    rowsDropped: result.rowsDropped,
    counts: fits.counts,
  };
  const lines = Object.entries(head).map(
    ([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`,
  );
  yield `{\n${lines.join("")}  "groups": [`;
  for (let g = 0; g < fits.groups; g++) yield `${g === 0 ? "" : ","}\n    ${groupJson(result, g)}`;
  yield fits.groups === 0 ? "]\n}\n" : "\n  ]\n}\n";
}

/** Newline-delimited JSON: one group object of the document a line. */
export function* ndjsonPieces(result: FitsResult): Generator<string> {
  for (let g = 0; g < result.fits.groups; g++) yield `${groupJson(result, g)}\n`;
}

/**
 * One group as JSON text. It is put together as text, not as an object, so that a group column may have any name (`__proto__`, `1`)
 * and keep its place.
 */
function groupJson(result: FitsResult, g: number): string {
  const { fits } = result;
  const d = fits.dims;
  const status = fits.status[g];
  const key = result.groups.key(g);
  const group = result.groupBy.map((name, i) => `${JSON.stringify(name)}:${groupValueJson(key[i])}`);
  const message = status === "converged" ? "null" : JSON.stringify(fits.describe(g, result.columns));
  return (
    `{"group":{${group.join(",")}},"n":${fits.count[g]},"status":"${status}","message":${message}` +
    `,"mean":${listJson(fits.mean, g * d, d)}` +
    `,"covariance":${symmetricJson(fits.covariance, g * d * d, d)}` +
    `,"factor":${factorJson(fits.factor, g * d * d, d)}` +
    `,"logLikelihood":${numberJson(fits.logLikelihood[g])},"aic":${numberJson(fits.aic[g])}` +
    `,"bic":${numberJson(fits.bic[g])},"iterations":${fits.iterations[g]}` +
    `,"residual":${numberJson(fits.residual[g])},"gap":${numberJson(fits.gap[g])}}`
  );
}

/** The shortest digits that read back as the same float64; null where there is no such number in JSON. */
const numberJson = (value: number): string => (Number.isFinite(value) ? String(value) : "null");

function groupValueJson(value: GroupValue): string {
  if (typeof value === "number") return numberJson(value);
  return typeof value === "bigint" ? String(value) : JSON.stringify(value);
}

function listJson(values: Float64Array, from: number, length: number): string {
  let text = "[";
  for (let i = 0; i < length; i++) text += (i === 0 ? "" : ",") + numberJson(values[from + i]);
  return `${text}]`;
}

/** A symmetric matrix; each number is put into words once. */
function symmetricJson(values: Float64Array, from: number, d: number): string {
  const words: string[] = new Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      words[i * d + j] = numberJson(values[from + i * d + j]);
      words[j * d + i] = words[i * d + j];
    }
  }
  return matrixJson(words, d);
}

/** A lower triangular matrix, or null where there is none. */
function factorJson(values: Float64Array, from: number, d: number): string {
  if (Number.isNaN(values[from])) return "null";
  const words: string[] = new Array(d * d).fill("0");
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) words[i * d + j] = numberJson(values[from + i * d + j]);
  }
  return matrixJson(words, d);
}

function matrixJson(words: readonly string[], d: number): string {
  const rows: string[] = new Array(d);
  for (let i = 0; i < d; i++) rows[i] = words.slice(i * d, i * d + d).join(",");
  return `[[${rows.join("],[")}]]`;
}
