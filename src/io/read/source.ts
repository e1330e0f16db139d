import type { CodedRows } from "../../engine.js";
import { InputError } from "../../errors.js";
import type { ReadOptions, RowSource } from "../rows.js";
import { GroupCodes } from "./groups.js";
import type { NativeNumbers } from "./numbers.js";
import type { Chunk, Selection, Table } from "./table.js";
import { hasNull, isValid } from "./vectors.js";

/** One file and the columns to read of it. */
export interface Part {
  readonly table: Table;
  readonly selection: Selection;
}

/** The first row with a missing value, and how many there are. */
interface Missing {
  readonly part: Part;
  readonly row: number;
  readonly column: number;
  rows: number;
}

/** The rows of several files of one schema, one file after the other. */
export class Rows implements RowSource {
  readonly columns: readonly string[];
  readonly groupBy: readonly string[];
  readonly groups: GroupCodes;
  readonly expectedRows?: number;
  readonly weighted: boolean;
  rows = 0;
  dropped = 0;
  private readonly parts: readonly Part[];
  private readonly options: ReadOptions;
  private readonly release: () => Promise<void>;
  private missing: Missing | undefined;

  constructor(
    parts: readonly Part[],
    options: ReadOptions,
    native: NativeNumbers | undefined,
    release: () => Promise<void>,
  ) {
    const [{ table, selection }] = parts;
    this.parts = parts;
    this.options = options;
    this.release = release;
    this.columns = selection.variables.map((i) => table.columns[i].name);
    this.groupBy = options.groupBy;
    this.weighted = options.weights !== undefined;
    this.groups = new GroupCodes(
      options.groupBy,
      selection.groupBy.map((i) => table.columns[i].key!),
      native,
    );
    const known = parts.reduce((sum, part) => sum + (part.table.rows ?? Number.NaN), 0);
    if (!Number.isNaN(known)) this.expectedRows = known;
  }

  /**
   * @throws InputError for a missing value (policy `error`), a bad cell or a bad weight
   */
  async *blocks(): AsyncGenerator<CodedRows> {
    const d = this.columns.length;
    let [codes, before] = [new Uint32Array(0), new Uint32Array(0)];
    for (const part of this.parts) {
      let row = 0;
      for await (const chunk of part.table.scan(part.selection)) {
        this.options.signal?.throwIfAborted();
        [codes, before] = [before, codes];
        if (codes.length < chunk.rows) codes = new Uint32Array(chunk.rows);
        this.groups.encode(chunk, codes);
        const kept = isComplete(chunk) ? undefined : this.keptRows(part, chunk, row);
        const weights = chunk.weights?.values;
        if (weights) await checkWeights(part, weights, kept, row);
        const rows = kept ? moveUp(chunk, codes, kept) : chunk.rows;
        row += chunk.rows;
        this.rows += chunk.rows;
        // After a missing value there is only counting left to do.
        if (rows === 0 || this.missing) continue;
        yield {
          rows,
          x: chunk.values.values.subarray(0, rows * d),
          codes: codes.subarray(0, rows),
          ...(weights && { weights: weights.subarray(0, rows) }),
        };
      }
      this.options.signal?.throwIfAborted();
      checkRows(part.table, row);
    }
    if (this.missing) throw await missingError(this.missing);
  }

  close(): Promise<void> {
    return this.release();
  }

  /** The rows of the chunk that have all their values; the others are dropped, or counted for the error. */
  private keptRows(part: Part, { rows, values, weights }: Chunk, firstRow: number): Uint32Array {
    const d = this.columns.length;
    const kept = new Uint32Array(rows);
    let count = 0;
    for (let row = 0; row < rows; row++) {
      let column = 0;
      while (column < d && isValid(values.validity, row * d + column)) column++;
      if (column === d && isValid(weights?.validity, row)) kept[count++] = row;
      else if (this.options.missing === "drop") this.dropped++;
      else if (this.missing) this.missing.rows++;
      else this.missing = { part, row: firstRow + row, column, rows: 1 };
    }
    return kept.subarray(0, count);
  }
}

function isComplete({ rows, values, weights }: Chunk): boolean {
  return !hasNull(values.validity, values.values.length) && !hasNull(weights?.validity, rows);
}

/** Moves the kept rows of a chunk, and their codes, to its front; gives their number. */
function moveUp({ rows, values, weights }: Chunk, codes: Uint32Array, kept: Uint32Array): number {
  const d = values.values.length / rows;
  kept.forEach((row, to) => {
    values.values.copyWithin(to * d, row * d, row * d + d);
    codes[to] = codes[row];
    if (weights) weights.values[to] = weights.values[row];
  });
  return kept.length;
}

async function checkWeights(
  { table, selection }: Part,
  weights: Float64Array,
  kept: Uint32Array | undefined,
  firstRow: number,
): Promise<void> {
  for (let k = 0; k < (kept ?? weights).length; k++) {
    const row = kept ? kept[k] : k;
    const weight = weights[row];
    if (weight >= 0 && weight < Infinity) continue;
    const { name } = table.columns[selection.weights!];
    const rule = weight < 0 ? "must not be negative" : "must be finite numbers";
    const place = await table.place(firstRow + row);
    throw new InputError(`${place}: column "${name}": weights ${rule}, got ${weight}`);
  }
}

async function missingError({ part: { table, selection }, row, column, rows }: Missing): Promise<InputError> {
  const position = [...selection.variables, selection.weights!][column];
  const [place, cell] = [await table.place(row), await table.cell(row, position)];
  const many = rows === 1 ? "1 row has a missing value" : `${rows} rows have a missing value`;
  return new InputError(
    `${place}: column "${table.columns[position].name}": expected a number, got ${cell}; ${many} ` +
      "(use --missing drop to leave such rows out)",
  );
}

function checkRows({ file, rows }: Table, got: number): void {
  if (rows === undefined || rows === got) return;
  throw new InputError(
    `${file}: ${got} of ${rows} rows could be read; the file is damaged or was changed meanwhile`,
  );
}
