import { InputError } from "../../errors.js";
import type { ReadOptions, RoomFor, RowSource, RowWindow, WindowRoom } from "../rows.js";
import { GroupCodes } from "./groups.js";
import type { Chunk, Selection, Table } from "./table.js";
import { hasNull, isValid } from "./vectors.js";

/**
 * Bytes of a window's x: enough to make its work worth the dispatch, and little enough to be written from one end to the other while
 * it is in the processor's cache, or else a small part of any memory.
 */
const WINDOW_BYTES = { least: 4 * 2 ** 20, most: 32 * 2 ** 20 };

/** As far as memory allows, a window has this many rows for each group met so far, so that merging costs little beside summing. */
const ROWS_A_GROUP = 32;

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
  async *windows(roomFor = this.ownRoom): AsyncGenerator<RowWindow> {
    const window = new WindowBuffer(this.columns.length, this.options, roomFor);
    let codes = new Uint32Array(0);
    for (const part of this.parts) {
      let row = 0;
      for await (const chunk of part.table.scan(part.selection)) {
        this.options.signal?.throwIfAborted();
        if (codes.length < chunk.rows) codes = new Uint32Array(chunk.rows);
        this.groups.encode(chunk, codes);
        const kept = isComplete(chunk) ? undefined : this.keptRows(part, chunk, row);
        if (chunk.weights) await checkWeights(part, chunk.weights.values, kept, row);
        const count = kept ? moveUp(chunk, codes, kept) : chunk.rows;
        row += chunk.rows;
        this.rows += chunk.rows;
        // After a missing value there is only counting left to do.
        for (let from = 0; from < count && !this.missing; ) {
          from = window.fill(chunk, codes, from, count, this.groups.size);
          if (window.full) yield window.take();
        }
      }
      this.options.signal?.throwIfAborted();
      checkRows(part.table, row);
    }
    if (this.missing) throw await missingError(this.missing);
    if (window.begun) yield window.take();
  }

  close(): Promise<void> {
    return this.release();
  }

  private readonly ownRoom: RoomFor = (rows, weighted) => ({
    x: new Float64Array(rows * this.columns.length),
    weights: weighted ? new Float64Array(rows) : undefined,
  });

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

/** Memory for the rows of one window and their codes. */
interface Room {
  readonly rows: WindowRoom;
  readonly codes: Uint32Array;
}

/**
 * A window being filled, while the one before is worked on. Where it ends is told by the rows in it and before it alone, however the
 * chunks are cut: so the results' bits do not depend on them.
 */
class WindowBuffer {
  rows = 0;
  private readonly dims: number;
  private readonly weighted: boolean;
  private readonly roomFor: RoomFor;
  private readonly least: number;
  private readonly most: number;
  private capacity: number;
  /** Groups in the windows so far. */
  private groups = 0;
  private room: Room;
  /** That of the window before. */
  private other: Room | undefined;
  private taken = false;

  constructor(dims: number, { windowBytes, weights }: ReadOptions, roomFor: RoomFor) {
    this.dims = dims;
    this.weighted = weights !== undefined;
    this.roomFor = roomFor;
    const rowsIn = (bytes: number) => Math.max(1, Math.floor(bytes / (8 * dims)));
    this.least = rowsIn(windowBytes ?? WINDOW_BYTES.least);
    this.most = rowsIn(windowBytes ?? WINDOW_BYTES.most);
    this.capacity = this.least;
    this.room = this.fresh();
  }

  get full(): boolean {
    return !this.taken && this.rows === this.capacity;
  }

  /** Whether there are rows in it. */
  get begun(): boolean {
    return !this.taken && this.rows > 0;
  }

  /** Takes in rows `from` … `end`−1 of a chunk as far as there is room; returns where it stopped. `size` is above every code so far. */
  fill(chunk: Chunk, codes: Uint32Array, from: number, end: number, size: number): number {
    // Not before: until the next window is asked for, that of the one before may be in use.
    if (this.taken) this.turn();
    const { dims, rows, room } = this;
    const count = Math.min(this.capacity - rows, end - from);
    room.rows.x.set(chunk.values.values.subarray(from * dims, (from + count) * dims), rows * dims);
    room.rows.weights?.set(chunk.weights!.values.subarray(from, from + count), rows);
    room.codes.set(codes.subarray(from, from + count), rows);
    if (this.groups < size) this.groups = groupsAmong(codes, from, from + count, this.groups);
    this.rows += count;
    return from + count;
  }

  take(): RowWindow {
    const { rows, dims, room } = this;
    const { x, weights } = room.rows;
    const window = {
      rows,
      x: x.subarray(0, rows * dims),
      codes: room.codes.subarray(0, rows),
      ...(weights && { weights: weights.subarray(0, rows) }),
    };
    this.taken = true;
    return window;
  }

  /** Makes room for the next window: that of the one before, where it is large enough. */
  private turn(): void {
    this.taken = false;
    this.rows = 0;
    this.capacity = Math.max(this.capacity, Math.min(this.most, ROWS_A_GROUP * this.groups));
    const { room, other } = this;
    this.room = other && other.codes.length >= this.capacity ? other : this.fresh();
    this.other = room;
  }

  private fresh(): Room {
    return { rows: this.roomFor(this.capacity, this.weighted), codes: new Uint32Array(this.capacity) };
  }
}

/** How many groups there are with those of codes[from … end−1]. */
function groupsAmong(codes: Uint32Array, from: number, end: number, before: number): number {
  let groups = before;
  for (let k = from; k < end; k++) if (codes[k] >= groups) groups = codes[k] + 1;
  return groups;
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
