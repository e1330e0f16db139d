import type { Batch } from "./batch.js";
import type { AllocatedBatch, Control, Engine } from "./engine.js";
import { freeYoung } from "./garbage.js";
import type { RoomFor, RowSource, RowWindow, WindowRoom } from "./io/rows.js";
import { mergeGroup, Statistics, type StatisticsFields } from "./statistics.js";

/**
 * The statistics of all rows of a source, group by group in the source's order. Memory grows with the groups, not with the
 * rows: each window becomes a batch of the groups that are in it, whose statistics are merged into the whole
 * (Chan, Golub & LeVeque 1983; see docs/math.md) while the next window is read.
 *
 * `onProgress` is called with rows, those read and those there are; the latter is 0 while it is not known.
 *
 * @throws InputError where the rows cannot be read; the signal's reason where the call is ended
 */
export async function accumulate(
  engine: Engine,
  source: RowSource,
  control: Control = {},
): Promise<Statistics> {
  const dims = source.columns.length;
  const whole = new GrowingStatistics(dims);
  const rooms = new Rooms(engine, dims);
  // The window before the one at hand: it is computed while the next one is read.
  let merging: Promise<void> | undefined;
  try {
    for await (const window of source.windows(rooms.roomFor)) {
      control.signal?.throwIfAborted();
      const sorted = sortByGroup(engine, rooms, window, dims, source.groups.size);
      await merging;
      // The chunks that were read meanwhile, and the statistics that have just been merged: not worth the while for one window.
      if (merging) freeYoung();
      merging = merge(engine, sorted, whole, control.signal);
      // Met where it is awaited.
      merging.catch(() => undefined);
      control.onProgress?.(source.rows, source.expectedRows ?? 0);
    }
    await merging;
  } finally {
    // Nothing of the call goes on when it has ended.
    await merging?.catch(() => undefined);
    rooms.release();
  }
  control.signal?.throwIfAborted();
  return whole.statistics(source.groups.size);
}

/** Where the rows of windows lie: in the engine's memory if it gathers them from there. */
class Rooms {
  readonly roomFor: RoomFor | undefined;
  private readonly lent: AllocatedBatch[] = [];

  constructor(engine: Engine, dims: number) {
    if (!engine.gather) return;
    this.roomFor = (rows, weighted) => {
      // The source has done with the last but one.
      if (this.lent.length > 1) this.lent.shift()?.release();
      const batch = engine.allocate({ offsets: [0, rows], dims, weighted });
      this.lent.push(batch);
      return batch as WindowRoom & AllocatedBatch;
    };
  }

  /** The memory in which a window lies. */
  of({ x }: RowWindow): AllocatedBatch | undefined {
    return this.lent.find((batch) => batch.x.buffer === x.buffer && batch.x.byteOffset === x.byteOffset);
  }

  release(): void {
    for (const batch of this.lent.splice(0)) batch.release();
  }
}

/** A window's rows by group: those groups alone that are in it. */
interface SortedWindow {
  readonly batch: Batch;
  /** [groups of the batch]: their numbers in the source, ascending, so that merging goes through memory from one end to the other */
  readonly present: Uint32Array;
  /** Gives back what the engine has lent for it. */
  release(): void;
}

/**
 * Counting sort by group; rows keep their order within a group. Where the engine gathers rows, only their order is told: its threads
 * fetch them from the window when they need them. Else they are moved into its memory.
 */
function sortByGroup(
  engine: Engine,
  rooms: Rooms,
  window: RowWindow,
  dims: number,
  groups: number,
): SortedWindow {
  const { rows, codes, weights } = window;
  const counts = new Uint32Array(groups);
  for (let row = 0; row < rows; row++) counts[codes[row]]++;
  const { present, offsets } = placesOf(counts, rows);
  const room = rooms.of(window);
  if (room && engine.gather) {
    const batch = engine.gather(room, { offsets, order: orderOf(window, counts) });
    return { batch, present, release: () => undefined };
  }
  const batch = engine.allocate({ offsets, dims, weighted: weights !== undefined });
  scatter(window, dims, counts, batch);
  return { batch, present, release: () => batch.release() };
}

/** The groups that have rows, and the offsets of their rows. In `counts` is then, for each of them, where its first row goes. */
function placesOf(counts: Uint32Array, rows: number): { present: Uint32Array; offsets: Float64Array } {
  const present = new Uint32Array(Math.min(rows, counts.length));
  const offsets = new Float64Array(present.length + 1);
  let size = 0;
  for (let group = 0, at = 0; group < counts.length; group++) {
    const count = counts[group];
    if (count === 0) continue;
    counts[group] = at;
    at += count;
    present[size++] = group;
    offsets[size] = at;
  }
  return { present: present.subarray(0, size), offsets: offsets.subarray(0, size + 1) };
}

/** [rows]: the rows' numbers by group, in shared memory; `next` is where each group's next row goes. */
function orderOf({ rows, codes }: RowWindow, next: Uint32Array): Uint32Array {
  const order = new Uint32Array(new SharedArrayBuffer(4 * rows));
  // Written out, it takes two thirds of the time of order[next[codes[row]]++] = row.
  for (let row = 0; row < rows; row++) {
    const code = codes[row];
    const place = next[code];
    next[code] = place + 1;
    order[place] = row;
  }
  return order;
}

/** Copies each row to its place; `next` is where each group's next row goes. */
function scatter(
  { rows, x, codes, weights }: RowWindow,
  dims: number,
  next: Uint32Array,
  to: AllocatedBatch,
): void {
  const sorted = to.x;
  for (let row = 0, from = 0; row < rows; row++) {
    const place = next[codes[row]]++;
    for (let e = place * dims, end = e + dims; e < end; e++) sorted[e] = x[from++];
    if (weights) to.weights![place] = weights[row];
  }
}

async function merge(
  engine: Engine,
  { batch, present, release }: SortedWindow,
  whole: GrowingStatistics,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    const session = await engine.open(batch, { lend: true });
    try {
      whole.merge(await session.statistics(signal ? { signal } : {}), present);
    } finally {
      await session.close();
    }
  } finally {
    release();
  }
}

/** Statistics that take in more groups as they appear. They lie in shared memory, where an engine's workers see them without a copy. */
class GrowingStatistics {
  private readonly dims: number;
  private fields: Statistics;

  constructor(dims: number) {
    this.dims = dims;
    this.fields = Statistics.from(sharedFields(0, dims));
  }

  /** Group g of `part` is group `numbers[g]` here; the numbers ascend. */
  merge(part: Statistics, numbers: Uint32Array): void {
    const groups = numbers.length === 0 ? 0 : numbers[numbers.length - 1] + 1;
    if (groups > this.fields.groups) this.grow(Math.max(groups, 2 * this.fields.groups));
    for (let g = 0; g < numbers.length; g++) mergeGroup(this.fields, numbers[g], part, g);
  }

  /** Those of the first `groups` groups. */
  statistics(groups: number): Statistics {
    if (groups > this.fields.groups) this.grow(groups);
    const { dims, fields } = this;
    const { count, weight, mean, scatter, dtype } = fields;
    return Statistics.from({
      dims,
      groups,
      dtype,
      count: count.subarray(0, groups),
      weight: weight.subarray(0, groups),
      mean: mean.subarray(0, groups * dims),
      scatter: scatter.subarray(0, groups * dims * dims),
    });
  }

  private grow(groups: number): void {
    const grown = sharedFields(groups, this.dims);
    for (const name of ["count", "weight", "mean", "scatter"] as const) grown[name].set(this.fields[name]);
    this.fields = Statistics.from(grown);
  }
}

/** The fields of statistics of no rows. */
function sharedFields(groups: number, dims: number): StatisticsFields {
  const reals = (length: number) => new Float64Array(new SharedArrayBuffer(length * 8));
  return {
    dims,
    groups,
    dtype: "float64",
    count: reals(groups),
    weight: reals(groups),
    mean: reals(groups * dims).fill(Number.NaN),
    scatter: reals(groups * dims * dims),
  };
}
