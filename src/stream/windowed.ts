import type { AllocatedBatch, CodedRows, Engine } from "../engine.js";
import { freeYoung } from "../garbage.js";
import type { RowSource } from "../io/rows.js";
import { mergeGroup, Statistics, type StatisticsFields } from "../statistics.js";
import type { AccumulateOptions } from "./accumulate.js";
import { windowsOf } from "./windows.js";

/**
 * The statistics of all rows of a source by way of an engine's sessions: each window becomes a batch of the groups that are in it, whose
 * statistics are merged into the whole (Chan, Golub & LeVeque 1983; see docs/math.md) while the next window is read.
 */
export async function accumulateWindows(
  engine: Engine,
  source: RowSource,
  { signal, onProgress, windowBytes }: AccumulateOptions,
): Promise<Statistics> {
  const dims = source.columns.length;
  const whole = new GrowingStatistics(dims);
  // The window before the one at hand: it is computed while the next one is read.
  let merging: Promise<void> | undefined;
  try {
    for await (const window of windowsOf(source, windowBytes)) {
      signal?.throwIfAborted();
      const sorted = sortByGroup(engine, window, dims, source.groups.size);
      await merging;
      // The blocks that were read meanwhile, and the statistics that have just been merged: not worth the while for one window.
      if (merging) freeYoung();
      merging = merge(engine, sorted, whole, signal);
      // Met where it is awaited.
      merging.catch(() => undefined);
      onProgress?.(source.rows, source.expectedRows ?? 0);
    }
    await merging;
  } finally {
    // Nothing of the call goes on when it has ended.
    await merging?.catch(() => undefined);
  }
  signal?.throwIfAborted();
  return whole.statistics(source.groups.size);
}

/** A window's rows by group: those groups alone that are in it. */
interface SortedWindow {
  readonly batch: AllocatedBatch;
  /** [groups of the batch]: their numbers in the source, ascending, so that merging goes through memory from one end to the other */
  readonly present: Uint32Array;
}

/** Counting sort by group into the engine's memory; rows keep their order within a group. */
function sortByGroup(engine: Engine, window: CodedRows, dims: number, groups: number): SortedWindow {
  const { rows, codes, weights } = window;
  const counts = new Uint32Array(groups);
  for (let row = 0; row < rows; row++) counts[codes[row]]++;
  const { present, offsets } = placesOf(counts, rows);
  const batch = engine.allocate({ offsets, dims, weighted: weights !== undefined });
  scatter(window, dims, counts, batch);
  return { batch, present };
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

/** Copies each row to its place; `next` is where each group's next row goes. */
function scatter(
  { rows, x, codes, weights }: CodedRows,
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
  { batch, present }: SortedWindow,
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
    batch.release();
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
