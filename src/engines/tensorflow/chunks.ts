/*
 * Rows on their way to tensors: cut into chunks, each shifted and scaled to numbers of size 1 that any arithmetic holds.
 *
 * A chunk is some rows of one group. Its shift is one of them and is taken off in float64, before anything is rounded to the
 * backend's arithmetic: rows far from the origin keep the digits of their spread. For float32 columns are scaled, by powers of two, which
 * rounds nothing: it cannot square every unit. Both depend on the group alone, so its result has the same bits in whatever company.
 */
import type { Batch } from "../../batch.js";
import type { RealArray } from "../../layout.js";
import type { Precision } from "../../methods.js";

/** Rows of a chunk at most: longer sums lose digits, and a shift that is an outlier costs more. As the kernels cut them. */
const CHUNK_ROWS: Readonly<Record<Precision, number>> = { float64: 256, float32: 128 };
/** Chunks are brought to a multiple of this by rows of zeros, so that many have the same length and go together. */
const LENGTH_STEP = 16;

/** Some rows of one group: those of positive weight among rows begin … end−1. */
export interface Chunk {
  readonly group: number;
  readonly begin: number;
  readonly end: number;
  /** rows of positive weight */
  readonly count: number;
  /** the same, with the rows of zeros */
  readonly length: number;
}

/** The chunks of all groups, in the order of the rows. */
export function* chunksOf({ groups, offsets, weights }: Batch, precision: Precision): Generator<Chunk> {
  const most = CHUNK_ROWS[precision];
  for (let group = 0; group < groups; group++) {
    const last = offsets[group + 1];
    for (let begin = offsets[group], end = begin; begin < last; begin = end) {
      let count = 0;
      if (weights) for (; end < last && count < most; end++) count += weights[end] > 0 ? 1 : 0;
      else {
        end = Math.min(begin + most, last);
        count = end - begin;
      }
      const length = Math.ceil(count / LENGTH_STEP) * LENGTH_STEP;
      if (count > 0) yield { group, begin, end, count, length };
    }
  }
}

/** What was taken off the rows of C chunks, so that their moments can be put back: X = shift + scale·x, w = largest·v. */
export interface Frames {
  /** [C, d] */
  readonly shift: Float64Array;
  /** [C, d]: powers of two; 1 in float64 */
  readonly scale: Float64Array;
  /** [C]: the largest weight, 1 where there are none */
  readonly largest: Float64Array;
}

export function framesFor(chunks: number, d: number): Frames {
  return {
    shift: new Float64Array(chunks * d),
    scale: new Float64Array(chunks * d),
    largest: new Float64Array(chunks),
  };
}

/**
 * Writes the rows of a chunk as Xʰ = [1, x], [length, d+1], from `at` on; and v·Xʰ into `weighted`, if there is such an array. What was
 * taken off is entered in `frames` at place k.
 */
export function frame(
  batch: Batch,
  { begin, end, count, length }: Chunk,
  frames: Frames,
  k: number,
  rows: RealArray,
  weighted: RealArray | undefined,
  at: number,
): void {
  const d = batch.dims;
  const e = d + 1;
  // Small indices within the chunk: those of a large batch are not integers to the processor.
  const x = batch.x.subarray(begin * d, end * d);
  const weights = batch.weights?.subarray(begin, end);
  const heaviest = weights ? heaviestOf(weights) : 0;
  frames.largest[k] = weights ? weights[heaviest] : 1;
  for (let to = at; to < at + count * e; to += e) rows[to] = 1;
  // Column by column: what belongs to a column stays in registers, and the chunk in the cache.
  for (let j = 0; j < d; j++) {
    const shift = x[heaviest * d + j];
    const scale = rows instanceof Float32Array ? powerOfTwo(extentOf(x, weights, d, j, shift)) : 1;
    const inverse = 1 / scale;
    frames.shift[k * d + j] = shift;
    frames.scale[k * d + j] = scale;
    let to = at + 1 + j;
    for (let from = j, row = 0; from < x.length; from += d, row++) {
      if (weights !== undefined && !(weights[row] > 0)) continue;
      rows[to] = (x[from] - shift) * inverse;
      to += e;
    }
  }
  rows.fill(0, at + count * e, at + length * e);
  if (!weights || !weighted) return;
  // v·Xʰ, v = w/largest
  let to = at;
  for (const own of weights) {
    if (!(own > 0)) continue;
    const weight = own / frames.largest[k];
    for (const last = to + e; to < last; to++) weighted[to] = weight * rows[to];
  }
  weighted.fill(0, at + count * e, at + length * e);
}

/** The largest deviation of column j from its shift. */
function extentOf(
  x: RealArray,
  weights: Float64Array | undefined,
  d: number,
  j: number,
  shift: number,
): number {
  let extent = 0;
  for (let from = j, row = 0; from < x.length; from += d, row++) {
    const size = Math.abs(x[from] - shift);
    if (size > extent && (weights === undefined || weights[row] > 0)) extent = size;
  }
  return extent;
}

/** The first row of the largest weight: a light outlier as the shift would cost digits without bound. */
function heaviestOf(weights: Float64Array): number {
  let best = 0;
  for (let row = 0; row < weights.length; row++) if (weights[row] > weights[best]) best = row;
  return best;
}

/** The largest power of two up to `size`; 1 where it has none that can be divided by. */
export function powerOfTwo(size: number): number {
  const power = 2 ** Math.floor(Math.log2(size));
  return power > 0 && 1 / power > 0 && Number.isFinite(power) && Number.isFinite(1 / power) ? power : 1;
}
