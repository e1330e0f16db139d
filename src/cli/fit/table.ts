import type { GroupValue } from "../../io/rows.js";
import type { FitsResult } from "../../io/write/result.js";
import type { Status } from "../../status.js";
import {
  layOut,
  printable,
  shortened,
  type TableColumn,
  tableWidth,
  terminalWidth,
  wrapped,
} from "../layout.js";
import { type Style, styled } from "../terminal.js";

/** On a terminal, of many groups the first and the last few are shown. */
const FIRST_GROUPS = 20;
const LAST_GROUPS = 3;

/** Groups in trouble that are told about one by one. */
const TROUBLES = 10;

/** The widest group name that is shown whole. */
const WIDEST_NAME = 24;

const STYLES: Readonly<Record<Status, Style>> = {
  converged: "green",
  "max-iterations": "yellow",
  stalled: "yellow",
  empty: "red",
  "too-few-rows": "red",
  singular: "red",
  "non-finite": "red",
};

/**
 * The table of `mvnfit fit`: a heading, a line for each group, what is not shown, and the groups in trouble.
 *
 * On a terminal it fits the width: variables that do not are left out and counted, and of many groups the middle ones. Elsewhere it
 * holds every group and every variable, one line a group.
 */
export function* tablePieces(
  result: FitsResult,
  files: readonly string[],
  stream: NodeJS.WriteStream,
): Generator<string> {
  const { groups } = result.fits;
  const onTerminal = stream.isTTY === true;
  const tooMany = onTerminal && groups > FIRST_GROUPS + LAST_GROUPS + 1;
  const shown = Array.from({ length: groups }, (_, g) => g).filter(
    (g) => !tooMany || g < FIRST_GROUPS || g >= groups - LAST_GROUPS,
  );
  const { columns, variables } = tableColumns(
    result,
    shown,
    onTerminal ? terminalWidth(stream) : Infinity,
    onTerminal,
  );

  yield `${heading(result, files)}\n\n`;
  let line = 0;
  const omittedAt = tooMany ? layoutHeight(columns, stream) - LAST_GROUPS : -1;
  for (const text of layOut(columns, stream)) {
    if (line++ === omittedAt)
      yield styled(stream, "dim", `… ${count(groups - shown.length, "more group")}\n`);
    yield `${text}\n`;
  }
  yield `\n${summary(result)}\n`;
  if (onTerminal) yield `${styled(stream, "dim", hint(result.columns.length - variables))}\n`;
  const width = onTerminal ? terminalWidth(stream) : Infinity;
  for (const trouble of troubles(result)) yield `${wrapped(trouble, width, "  ")}\n`;
}

/** Groups by how they ended, and rows that were left out. */
export function summary({ fits, rowsDropped }: FitsResult): string {
  const counts = Object.entries(fits.counts).map(
    ([status, groups]) => `${groups.toLocaleString("en")} ${status}`,
  );
  const dropped = rowsDropped > 0 ? `; ${count(rowsDropped, "row")} with missing values dropped` : "";
  return `${count(fits.groups, "group")}: ${counts.join(", ") || "nothing to fit"}${dropped}`;
}

/** A sentence for each group that did not converge, as many as a person will read. */
export function troubles({ fits, columns, groupBy, groups }: FitsResult): string[] {
  const sentences: string[] = [];
  let more = 0;
  for (let g = 0; g < fits.groups; g++) {
    if (fits.statusCode[g] === 0) continue;
    if (sentences.length === TROUBLES) more++;
    else {
      const key = groups.key(g);
      const name = groupBy.map((column, i) => `${printable(column)}=${groupText(key[i])}`).join(", ");
      sentences.push(
        `${name === "" ? "" : `${name}: `}${fits.status[g]}: ${printable(fits.describe(g, columns))}`,
      );
    }
  }
  return more === 0 ? sentences : [...sentences, `and ${count(more, "more group")} that did not converge`];
}

function heading({ fits, rows, columns }: FitsResult, files: readonly string[]): string {
  const names =
    files.length > 2
      ? `${files.length} files`
      : files.map((file) => (file === "-" ? "standard input" : file)).join(" and ");
  return `${printable(names)}: ${count(rows, "row")}, ${count(fits.groups, "group")}, ${count(columns.length, "variable")}; ${fits.origin.method}`;
}

function hint(variablesLeftOut: number): string {
  const more =
    variablesLeftOut > 0 ? `${count(variablesLeftOut, "more variable")}, covariances` : "Covariances";
  return `${more} and all digits: --json, or -o FILE`;
}

/** As many columns as the width holds. The status is the first to go, where it is the same happy one for all. */
function tableColumns(
  result: FitsResult,
  shown: readonly number[],
  width: number,
  onTerminal: boolean,
): { columns: TableColumn[]; variables: number } {
  const { fits, groupBy, groups } = result;
  const keys = shown.map((g) => groups.key(g));
  const names = groupBy.map(
    (name, i): TableColumn => ({
      heading: name,
      cells: keys.map((key) => (onTerminal ? shortened(groupText(key[i]), WIDEST_NAME) : groupText(key[i]))),
      left: keys.some((key) => typeof key[i] === "string"),
      whole: !onTerminal,
    }),
  );
  const n: TableColumn = { heading: "n", cells: shown.map((g) => String(fits.count[g])) };
  const status: TableColumn = {
    heading: "status",
    cells: shown.map((g) => fits.status[g]),
    left: true,
    style: (cell) => STYLES[cell as Status],
  };
  const likelihood: TableColumn = {
    heading: "loglik",
    cells: shown.map((g) => decimal(fits.logLikelihood[g])),
  };
  const steps: TableColumn[] =
    fits.origin.method === "closed-form"
      ? []
      : [{ heading: "iter", cells: shown.map((g) => String(fits.iterations[g])) }];
  const variables = result.columns.map(
    (name, j): TableColumn => ({
      heading: name,
      cells: shown.map((g) => meanAndDeviation(result, g, j, onTerminal ? "±" : "+-")),
      whole: !onTerminal,
    }),
  );

  const full = [...names, n, status, ...steps, likelihood];
  const converged = fits.counts.converged === fits.groups;
  const short =
    converged && tableWidth([...full, ...variables]) > width ? [...names, n, ...steps, likelihood] : full;
  let fitting = variables.length;
  while (fitting > 0 && tableWidth([...short, ...variables.slice(0, fitting)]) > width) fitting--;
  return { columns: [...short, ...variables.slice(0, fitting)], variables: fitting };
}

const layoutHeight = (columns: readonly TableColumn[], stream: NodeJS.WriteStream): number =>
  [...layOut(columns, stream)].length;

/** The deviation to two digits, the mean to the same place: what the data can say. */
function meanAndDeviation({ fits }: FitsResult, g: number, j: number, plusMinus: string): string {
  const mean = fits.mean[g * fits.dims + j];
  const deviation = Math.sqrt(fits.covariance[(g * fits.dims + j) * fits.dims + j]);
  if (!Number.isFinite(mean)) return "-";
  if (!(deviation > 0 && deviation < Infinity)) return decimal(mean);
  const places = Math.max(0, 1 - Math.floor(Math.log10(deviation)));
  const plain = places <= 6 ? mean.toFixed(places) : "";
  const text = plain !== "" && plain.length <= 12 ? plain : mean.toExponential(3);
  const width = plain === text && deviation < 1e7 ? deviation.toFixed(places) : deviation.toExponential(1);
  return `${text} ${plusMinus} ${width}`;
}

function decimal(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  return value === 0 || (size >= 1e-3 && size < 1e8)
    ? value.toFixed(size < 10 ? 3 : 1)
    : value.toExponential(3);
}

const groupText = (value: GroupValue): string =>
  value === null ? "null" : value === "" ? '""' : printable(String(value));

const count = (number: number, noun: string): string =>
  `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
