import { InputError } from "../../errors.js";
import type { GroupValue } from "../rows.js";
import { type FitsResult, SCALAR_COLUMNS } from "./result.js";

/**
 * Comma-separated values (RFC 4180, lines ended by \n), one row a group: the group columns, n, status, log_likelihood, aic, bic,
 * iterations, residual, gap, mean_<column>…, and the covariance's lower triangle row by row, cov_<a>_<b>…. What is not defined
 * is empty; an empty group name is `""`.
 */
export function* csvPieces(result: FitsResult): Generator<string> {
  const { fits, groups } = result;
  const d = fits.dims;
  yield `${csvHeader(result.groupBy, result.columns).map(quoted).join(",")}\n`;
  for (let g = 0; g < fits.groups; g++) {
    const fields = groups.key(g).map(groupField);
    fields.push(String(fits.count[g]), fits.status[g]);
    fields.push(field(fits.logLikelihood[g]), field(fits.aic[g]), field(fits.bic[g]));
    fields.push(String(fits.iterations[g]), field(fits.residual[g]), field(fits.gap[g]));
    for (let j = 0; j < d; j++) fields.push(field(fits.mean[g * d + j]));
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) fields.push(field(fits.covariance[(g * d + i) * d + j]));
    }
    yield `${fields.join(",")}\n`;
  }
}

/** The names of all fields of a row, in order. */
export function csvHeader(groupBy: readonly string[], columns: readonly string[]): string[] {
  const covariances = columns.flatMap((a, i) => columns.slice(0, i + 1).map((b) => `cov_${a}_${b}`));
  return [...groupBy, ...SCALAR_COLUMNS, ...columns.map((name) => `mean_${name}`), ...covariances];
}

/** Refuses names that would stand twice in a header, where only their place could tell them apart. */
export function requireDistinct(header: readonly string[], file: string): void {
  const seen = new Set<string>();
  for (const name of header) {
    if (seen.has(name)) {
      throw new InputError(
        `${file}: would have two columns "${name}"; rename one in the data, or write .json or .ndjson`,
      );
    }
    seen.add(name);
  }
}

const field = (value: number): string => (Number.isFinite(value) ? String(value) : "");

const groupField = (value: GroupValue): string => (value === null ? "" : quoted(String(value)));

/** Quoted where it must be: a separator, a quote or a line end inside; and where it is empty, to differ from nothing. */
const quoted = (text: string): string =>
  text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
