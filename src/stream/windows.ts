import type { CodedRows } from "../engine.js";
import type { RowSource } from "../io/rows.js";

/**
 * Bytes of a window's x: enough to make its work worth the dispatch, and little enough to be written from one end to the other while
 * it is in the processor's cache, or else a small part of any memory.
 */
const WINDOW_BYTES = { least: 4 * 2 ** 20, most: 32 * 2 ** 20 };

/** As far as memory allows, a window has this many rows for each group met so far, so that merging costs little beside summing. */
const ROWS_A_GROUP = 32;

/**
 * The rows of a source in windows. A window's arrays are good until the next window but one is asked for, which reuses them: one window
 * can be worked on while the next is read. Where a window ends is told by the rows in it and before it alone, however the source's blocks are
 * cut: so the results' bits do not depend on them.
 */
export async function* windowsOf(source: RowSource, bytes?: number): AsyncGenerator<CodedRows> {
  const window = new Window(source.columns.length, source.weighted, bytes);
  for await (const block of source.blocks()) {
    for (let from = 0; from < block.rows; ) {
      from = window.fill(block, from, source.groups.size);
      if (window.full) yield window.take();
    }
  }
  if (window.begun) yield window.take();
}

/** Memory for the rows of one window. */
interface Room {
  readonly x: Float64Array;
  readonly codes: Uint32Array;
  readonly weights?: Float64Array;
}

/** A window being filled, while the one before is worked on. */
class Window {
  rows = 0;
  private readonly dims: number;
  private readonly weighted: boolean;
  private readonly most: number;
  private capacity: number;
  /** Groups in the windows so far. */
  private groups = 0;
  private room: Room;
  /** That of the window before. */
  private other: Room | undefined;
  private taken = false;

  constructor(dims: number, weighted: boolean, bytes: number | undefined) {
    this.dims = dims;
    this.weighted = weighted;
    const rowsIn = (bytes: number) => Math.max(1, Math.floor(bytes / (8 * dims)));
    this.capacity = rowsIn(bytes ?? WINDOW_BYTES.least);
    this.most = rowsIn(bytes ?? WINDOW_BYTES.most);
    this.room = this.fresh();
  }

  get full(): boolean {
    return !this.taken && this.rows === this.capacity;
  }

  /** Whether there are rows in it. */
  get begun(): boolean {
    return !this.taken && this.rows > 0;
  }

  /** Takes in rows of a block from `from` on as far as there is room; returns where it stopped. `size` is above every code so far. */
  fill({ x, codes, weights, rows: end }: CodedRows, from: number, size: number): number {
    // Not before: until the next window is asked for, that of the one before may be in use.
    if (this.taken) this.turn();
    const { dims, rows, room } = this;
    const count = Math.min(this.capacity - rows, end - from);
    room.x.set(x.subarray(from * dims, (from + count) * dims), rows * dims);
    if (weights) room.weights?.set(weights.subarray(from, from + count), rows);
    room.codes.set(codes.subarray(from, from + count), rows);
    if (this.groups < size) this.groups = groupsAmong(codes, from, from + count, this.groups);
    this.rows += count;
    return from + count;
  }

  take(): CodedRows {
    const { rows, dims, room } = this;
    this.taken = true;
    return {
      rows,
      x: room.x.subarray(0, rows * dims),
      codes: room.codes.subarray(0, rows),
      ...(room.weights && { weights: room.weights.subarray(0, rows) }),
    };
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
    const { capacity, dims, weighted } = this;
    return {
      x: new Float64Array(capacity * dims),
      codes: new Uint32Array(capacity),
      ...(weighted && { weights: new Float64Array(capacity) }),
    };
  }
}

/** How many groups there are with those of codes[from … end−1]. */
function groupsAmong(codes: Uint32Array, from: number, end: number, before: number): number {
  let groups = before;
  for (let k = from; k < end; k++) if (codes[k] >= groups) groups = codes[k] + 1;
  return groups;
}
