import type { AllocatedBatch, Control, Engine } from "./engine.js";
import type { RowSource, RowWindow } from "./io/rows.js";
import { mergeGroup, Statistics } from "./statistics.js";

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
  // The window before the one at hand: it is computed while the next one is read.
  let merging: Promise<void> | undefined;
  try {
    for await (const window of source.windows()) {
      control.signal?.throwIfAborted();
      const sorted = sortByGroup(engine, window, dims, source.groups.size);
      await merging;
      merging = merge(engine, sorted, whole, control.signal);
      // Met where it is awaited.
      merging.catch(() => undefined);
      control.onProgress?.(source.rows, source.expectedRows ?? 0);
    }
  } catch (error) {
    // Nothing of the call goes on when it has ended.
    await merging?.catch(() => undefined);
    throw error;
  }
  await merging;
  control.signal?.throwIfAborted();
  return whole.statistics(source.groups.size);
}

/** A window's rows sorted by group: those groups alone that are in it. */
interface SortedWindow {
  readonly batch: AllocatedBatch;
  /** [groups of the batch]: their numbers in the source, in order of first appearance */
  readonly present: Uint32Array;
}

/** Counting sort by group into the engine's memory; rows keep their order within a group. */
function sortByGroup(engine: Engine, window: RowWindow, dims: number, groups: number): SortedWindow {
  const { rows, x, codes, weights } = window;
  const counts = new Uint32Array(groups);
  const present = new Uint32Array(Math.min(rows, groups));
  let size = 0;
  for (let row = 0; row < rows; row++) if (counts[codes[row]]++ === 0) present[size++] = codes[row];
  const offsets = new Float64Array(size + 1);
  // From here on, where each group's next row goes.
  const next = counts;
  for (let g = 0; g < size; g++) {
    offsets[g + 1] = offsets[g] + counts[present[g]];
    next[present[g]] = offsets[g];
  }
  const batch = engine.allocate({ offsets, dims, weighted: weights !== undefined });
  const to = batch.x;
  for (let row = 0, at = 0; row < rows; row++) {
    const place = next[codes[row]]++;
    for (let e = place * dims, end = e + dims; e < end; e++) to[e] = x[at++];
    if (weights) batch.weights![place] = weights[row];
  }
  return { batch, present: present.subarray(0, size) };
}

async function merge(
  engine: Engine,
  { batch, present }: SortedWindow,
  whole: GrowingStatistics,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    const session = await engine.open(batch);
    try {
      whole.merge(await session.statistics(signal ? { signal } : {}), present);
    } finally {
      await session.close();
    }
  } finally {
    batch.release();
  }
}

/** Statistics that take in more groups as they appear. */
class GrowingStatistics {
  private fields: Statistics;

  constructor(dims: number) {
    this.fields = Statistics.empty(0, dims);
  }

  /** Group g of `part` is group `numbers[g]` here. */
  merge(part: Statistics, numbers: Uint32Array): void {
    let groups = 0;
    for (const number of numbers) groups = Math.max(groups, number + 1);
    if (groups > this.fields.groups) this.fields = this.resized(Math.max(groups, 2 * this.fields.groups));
    for (let g = 0; g < numbers.length; g++) mergeGroup(this.fields, numbers[g], part, g);
  }

  statistics(groups: number): Statistics {
    return this.fields.groups === groups ? this.fields : this.resized(groups);
  }

  private resized(groups: number): Statistics {
    const { dims } = this.fields;
    const resized = Statistics.empty(groups, dims);
    for (const name of ["count", "weight", "mean", "scatter"] as const) {
      resized[name].set(this.fields[name].subarray(0, resized[name].length));
    }
    return resized;
  }
}
