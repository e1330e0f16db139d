/*
 * Rows on their way to tensors: cut into chunks, each shifted and scaled to numbers of size 1 that any arithmetic holds.
 *
 * A chunk is some rows of one group. Its shift is one of them and is taken off in float64, before anything is rounded to the
 * backend's arithmetic: rows far from the origin keep the digits of their spread. Columns are scaled by powers of two, which
 * rounds nothing. Both depend on the group alone, so its result has the same bits in whatever company.
 */
import type { Batch } from "../../batch.js";
import type { RealArray } from "../../layout.js";
import type { Precision } from "../../methods.js";

/** Rows of a chunk at most: longer sums lose digits, and a shift that is an outlier costs more. As the kernels cut them. */
const CHUNK_ROWS: Readonly<Record<Precision, number>> = { float64: 256, float32: 128 };
/** Chunks are brought to a multiple of this by rows of zeros, so that many have the same length and go together. */
const LENGTH_STEP = 16;

/** Some rows of one group. */
export interface Chunk {
  readonly group: number;
  /** numbers of its rows: those of positive weight */
  readonly rows: readonly number[];
  /** rows, with the rows of zeros */
  readonly length: number;
}

/** The chunks of group g, in the order of its rows. */
export function chunksOf({ offsets, weights }: Batch, group: number, precision: Precision): Chunk[] {
  const most = CHUNK_ROWS[precision];
  const present: number[] = [];
  for (let row = offsets[group]; row < offsets[group + 1]; row++) {
    if (!weights || weights[row] > 0) present.push(row);
  }
  const chunks: Chunk[] = [];
  for (let k = 0; k < present.length; k += most) {
    const rows = present.slice(k, k + most);
    chunks.push({ group, rows, length: Math.ceil(rows.length / LENGTH_STEP) * LENGTH_STEP });
  }
  return chunks;
}

/** What was taken off a chunk's rows, so that their moments can be put back: X = shift + scale·x, w = largest·v. */
export interface Frame {
  /** [d] */
  readonly shift: Float64Array;
  /** [d]: powers of two */
  readonly scale: Float64Array;
  /** the largest weight, 1 where there are none */
  readonly largest: number;
}

/**
 * Writes the rows of a chunk as Xʰ = [1, x], [length, d+1], from `at` on; and v·Xʰ into `weighted`, if there is such an array.
 */
export function frame(
  batch: Batch,
  chunk: Chunk,
  rows: RealArray,
  weighted: RealArray | undefined,
  at: number,
): Frame {
  const { x, dims: d, weights } = batch;
  const e = d + 1;
  const heaviest = heaviestOf(chunk.rows, weights);
  const largest = weights ? weights[heaviest] : 1;
  const shift = Float64Array.from({ length: d }, (_, j) => x[heaviest * d + j]);
  const extent = new Float64Array(d);
  for (const row of chunk.rows) {
    for (let j = 0, from = row * d; j < d; j++) {
      const size = Math.abs(x[from + j] - shift[j]);
      if (size > extent[j]) extent[j] = size;
    }
  }
  const scale = extent.map(powerOfTwo);
  chunk.rows.forEach((row, a) => {
    const to = at + a * e;
    rows[to] = 1;
    for (let j = 0, from = row * d; j < d; j++) rows[to + 1 + j] = (x[from + j] - shift[j]) / scale[j];
    if (!weights || !weighted) return;
    const weight = weights[row] / largest;
    for (let j = 0; j < e; j++) weighted[to + j] = weight * rows[to + j];
  });
  return { shift, scale, largest };
}

/** The first row of the largest weight: a light outlier as the shift would cost digits without bound. */
function heaviestOf(rows: readonly number[], weights: Float64Array | undefined): number {
  if (!weights) return rows[0];
  return rows.reduce((best, row) => (weights[row] > weights[best] ? row : best), rows[0]);
}

/** The largest power of two up to `size`; 1 where it has none that can be divided by. */
export function powerOfTwo(size: number): number {
  const power = 2 ** Math.floor(Math.log2(size));
  return power > 0 && 1 / power > 0 && Number.isFinite(power) && Number.isFinite(1 / power) ? power : 1;
}
