import { type Style, styled } from "./terminal.js";

/** A column of a plain-text table. */
export interface TableColumn {
  readonly heading: string;
  readonly cells: readonly string[];
  /** Text stands to the left, numbers to the right. */
  readonly left?: boolean;
  /** The heading stays on one line, however long. */
  readonly whole?: boolean;
  readonly style?: (cell: string) => Style;
}

/** Between two columns. */
const GAP = "  ";

/** Words of a heading stand below each other where the column's cells are narrower; longer words than this are cut. */
const WIDEST_WORD = 16;

/** The width of a table that stands on a terminal: of the terminal, or of the classical one where it does not say. */
export const terminalWidth = (stream: NodeJS.WriteStream): number => stream.columns ?? 80;

export const tableWidth = (columns: readonly TableColumn[]): number =>
  columns.reduce((sum, column) => sum + columnWidth(column) + GAP.length, -GAP.length);

/** The table's lines: headings, then one a row. */
export function* layOut(columns: readonly TableColumn[], stream: NodeJS.WriteStream): Generator<string> {
  const widths = columns.map(columnWidth);
  const headings = columns.map((column, i) => headingLines(column, widths[i]));
  const height = Math.max(...headings.map((lines) => lines.length));
  const line = (cell: (column: TableColumn, i: number) => string): string =>
    columns
      .map((column, i) => cell(column, i))
      .join(GAP)
      .trimEnd();
  for (let h = 0; h < height; h++) {
    yield styled(
      stream,
      "bold",
      line(({ left }, i) => padded(headings[i][h - height + headings[i].length] ?? "", widths[i], left)),
    );
  }
  const rows = columns[0]?.cells.length ?? 0;
  for (let row = 0; row < rows; row++) {
    yield line(({ cells, left, style }, i) => {
      const text = padded(cells[row], widths[i], left);
      return style ? styled(stream, style(cells[row]), text) : text;
    });
  }
}

function columnWidth(column: TableColumn): number {
  const cellWidth = column.cells.reduce((most, cell) => Math.max(most, displayWidth(cell)), 0);
  return Math.max(cellWidth, ...headingWords(column).map(displayWidth));
}

/** Cut after spaces, underscores, hyphens, dots and slashes. */
const headingWords = ({ heading, whole }: TableColumn): string[] =>
  whole
    ? [printable(heading)]
    : (printable(heading).match(/[^\s_./-]*[\s_./-]?/gu) ?? [])
        .map((word) => shortened(word.trim(), WIDEST_WORD))
        .filter((word) => word !== "");

/** A heading broken into lines of at most `width`. Parts that were divided by a space get it back where they share a line. */
function headingLines(column: TableColumn, width: number): string[] {
  const lines: string[] = [];
  const spaced = /\s/.test(column.heading);
  for (const word of headingWords(column)) {
    const last = lines.at(-1);
    const joined = last === undefined ? word : last + (spaced && !/[_./-]$/.test(last) ? " " : "") + word;
    if (last !== undefined && displayWidth(joined) <= width) lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  return lines;
}

function padded(text: string, width: number, left = false): string {
  const space = " ".repeat(Math.max(0, width - displayWidth(text)));
  return left ? text + space : space + text;
}

/** Names come from files: what would move the cursor or colour the screen is shown as an escape. */
export const printable = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (c) => `\\u${c.codePointAt(0)?.toString(16).padStart(4, "0")}`,
  );

export function shortened(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let cut = "";
  for (const character of text) {
    if (displayWidth(cut + character) > width - 1) break;
    cut += character;
  }
  return `${cut}…`;
}

/** Columns of a terminal that a text takes: East Asian wide characters and pictures two, combining marks none. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e±…]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    if (/\p{Mark}/u.test(character)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}

/** Text broken at spaces into lines of at most `width`, all but the first indented. */
export function wrapped(text: string, width: number, indent: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    const joined = last.trim() === "" ? last + word : `${last} ${word}`;
    if (displayWidth(joined) <= width || last.trim() === "") lines[lines.length - 1] = joined;
    else lines.push(indent + word);
  }
  return lines.join("\n");
}
