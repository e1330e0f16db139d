import { InputError } from "../../errors.js";
import type { ReadOptions, RowSource, RowWindow } from "../rows.js";
import { GroupCodes } from "./groups.js";
import type { Chunk, Selection, Table } from "./table.js";
import { hasNull, isValid } from "./vectors.js";

/** Large enough to make the work of a window worth its dispatch, small enough to stay a small part of any memory. */
const WINDOW_BYTES = 32 * 2 ** 20;

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
  rows = 0;
  dropped = 0;
  private readonly parts: readonly Part[];
  private readonly options: ReadOptions;
  private readonly release: () => Promise<void>;
  private missing: Missing | undefined;

  constructor(parts: readonly Part[], options: ReadOptions, release: () => Promise<void>) {
    const [{ table, selection }] = parts;
    this.parts = parts;
    this.options = options;
    this.release = release;
    this.columns = selection.variables.map((i) => table.columns[i].name);
    this.groupBy = options.groupBy;
    this.groups = new GroupCodes(
      options.groupBy,
      selection.groupBy.map((i) => table.columns[i].key!),
    );
    const known = parts.reduce((sum, part) => sum + (part.table.rows ?? Number.NaN), 0);
    if (!Number.isNaN(known)) this.expectedRows = known;
  }

  /**
   * @throws InputError for a missing value (policy `error`), a bad cell or a bad weight
   */
  async *windows(): AsyncGenerator<RowWindow> {
    const window = new WindowBuffer(this.columns.length, this.options);
    let codes = new Uint32Array(0);
    for (const part of this.parts) {
      let row = 0;
      for await (const chunk of part.table.scan(part.selection)) {
        this.options.signal?.throwIfAborted();
        if (codes.length < chunk.rows) codes = new Uint32Array(chunk.rows);
        this.groups.encode(chunk, codes);
        const kept = await this.complete(part, chunk, row);
        if (part.selection.weights !== undefined) await checkWeights(part, chunk, kept, row);
        row += chunk.rows;
        this.rows += chunk.rows;
        // After a missing value there is only counting left to do.
        for (let from = 0; from < kept.length && !this.missing; ) {
          from = window.fill(chunk, codes, kept, from);
          if (window.full) yield window.take();
        }
      }
      this.options.signal?.throwIfAborted();
      checkRows(part.table, row);
    }
    if (this.missing) throw await missingError(this.missing);
    if (window.rows > 0) yield window.take();
  }

  close(): Promise<void> {
    return this.release();
  }

  /** The rows of the chunk that have all their values; the others are dropped, or counted for the error. */
  private async complete(part: Part, chunk: Chunk, firstRow: number): Promise<Uint32Array> {
    const incomplete = chunk.reals.filter(({ validity }) => hasNull(validity, chunk.rows));
    const kept = new Uint32Array(chunk.rows);
    if (incomplete.length === 0) return kept.map((_, row) => row);
    let count = 0;
    for (let row = 0; row < chunk.rows; row++) {
      if (incomplete.every(({ validity }) => isValid(validity, row))) kept[count++] = row;
      else if (this.options.missing === "drop") this.dropped++;
      else if (this.missing) this.missing.rows++;
      else {
        const column = chunk.reals.findIndex(({ validity }) => !isValid(validity, row));
        this.missing = { part, row: firstRow + row, column, rows: 1 };
      }
    }
    return kept.subarray(0, count);
  }
}

/** A window being filled. It always ends after the same number of rows, however the chunks are cut: so do the results' bits. */
class WindowBuffer {
  rows = 0;
  private readonly dims: number;
  private readonly capacity: number;
  private readonly x: Float64Array;
  private readonly codes: Uint32Array;
  private readonly weights: Float64Array | undefined;

  constructor(dims: number, { windowBytes = WINDOW_BYTES, weights }: ReadOptions) {
    this.dims = dims;
    this.capacity = Math.max(1, Math.floor(windowBytes / (dims * Float64Array.BYTES_PER_ELEMENT)));
    this.x = new Float64Array(this.capacity * dims);
    this.codes = new Uint32Array(this.capacity);
    this.weights = weights === undefined ? undefined : new Float64Array(this.capacity);
  }

  get full(): boolean {
    return this.rows === this.capacity;
  }

  /** Takes in the kept rows of a chunk from the `from`-th on, as far as there is room; returns where it stopped. */
  fill(chunk: Chunk, codes: Uint32Array, kept: Uint32Array, from: number): number {
    const { dims, x } = this;
    const count = Math.min(this.capacity - this.rows, kept.length - from);
    for (let j = 0; j < dims; j++) {
      const { values } = chunk.reals[j];
      for (let k = 0, to = this.rows * dims + j; k < count; k++, to += dims) x[to] = values[kept[from + k]];
    }
    for (let k = 0; k < count; k++) this.codes[this.rows + k] = codes[kept[from + k]];
    if (this.weights) {
      const { values } = chunk.reals[dims];
      for (let k = 0; k < count; k++) this.weights[this.rows + k] = values[kept[from + k]];
    }
    this.rows += count;
    return from + count;
  }

  take(): RowWindow {
    const { rows, dims } = this;
    this.rows = 0;
    const window = { rows, x: this.x.subarray(0, rows * dims), codes: this.codes.subarray(0, rows) };
    return this.weights ? { ...window, weights: this.weights.subarray(0, rows) } : window;
  }
}

async function checkWeights({ table, selection }: Part, chunk: Chunk, kept: Uint32Array, firstRow: number) {
  const { values } = chunk.reals[chunk.reals.length - 1];
  for (const row of kept) {
    const weight = values[row];
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
