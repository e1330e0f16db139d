/*
 * Ragged groups as dense pieces. J is a sum over rows, so a group may be cut into segments whose gradients add up; segments of about
 * the same length are padded to the longest among them with rows of weight 0.
 */
import type { Batch } from "../batch.js";
import type { Parameters } from "../parameters.js";

/** Rows of one segment at most: a longer group is cut. */
const SEGMENT_ROWS = 2048;

/** Values of x in one piece, about: few enough that the tape of a differentiation, d times that, fits the caches and is soon done. */
const PIECE_VALUES = 1 << 16;

/** How much of a piece may be padding: a segment joins a piece that is at most a quarter longer than itself. */
const PADDING = 1.25;

/** Rows of positive weight of one group, by their numbers in the batch. */
interface Segment {
  readonly group: number;
  readonly rows: readonly number[];
}

/** Segments as dense arrays, ready to become tensors. */
export interface Piece {
  /** [B]: the group of each segment; a group may come more than once */
  readonly groups: readonly number[];
  /** n */
  readonly rows: number;
  /** [B, n, d] */
  readonly x: Float64Array;
  /** [B, n, 1]: 0 for padding */
  readonly weights: Float64Array;
  /** [B, d] */
  readonly mean: Float64Array;
  /** [B, d, d] */
  readonly factor: Float64Array;
}

/** All rows of positive weight in pieces, the shortest groups first. */
export function* pieces(batch: Batch, parameters: Parameters): Generator<Piece> {
  const segments = segmentsOf(batch).sort((a, b) => a.rows.length - b.rows.length);
  for (let first = 0; first < segments.length; ) {
    const shortest = segments[first].rows.length;
    let end = first + 1;
    for (; end < segments.length; end++) {
      const rows = segments[end].rows.length;
      if (rows > shortest * PADDING || (end + 1 - first) * rows * batch.dims > PIECE_VALUES) break;
    }
    yield pieceOf(batch, parameters, segments.slice(first, end));
    first = end;
  }
}

function segmentsOf({ groups, offsets, weights }: Batch): Segment[] {
  const segments: Segment[] = [];
  for (let group = 0; group < groups; group++) {
    let rows: number[] = [];
    for (let row = offsets[group]; row < offsets[group + 1]; row++) {
      if (weights && weights[row] === 0) continue;
      if (rows.length === SEGMENT_ROWS) {
        segments.push({ group, rows });
        rows = [];
      }
      rows.push(row);
    }
    if (rows.length > 0) segments.push({ group, rows });
  }
  return segments;
}

function pieceOf(batch: Batch, parameters: Parameters, segments: readonly Segment[]): Piece {
  const { dims: d } = batch;
  const rows = Math.max(...segments.map((segment) => segment.rows.length));
  const piece = {
    groups: segments.map(({ group }) => group),
    rows,
    x: new Float64Array(segments.length * rows * d),
    weights: new Float64Array(segments.length * rows),
    mean: new Float64Array(segments.length * d),
    factor: new Float64Array(segments.length * d * d),
  };
  segments.forEach(({ group, rows: own }, b) => {
    piece.mean.set(parameters.mean.subarray(group * d, (group + 1) * d), b * d);
    piece.factor.set(parameters.factor.subarray(group * d * d, (group + 1) * d * d), b * d * d);
    for (let a = 0; a < rows; a++) {
      // Padding repeats the segment's last row, so that it is as harmless as that one.
      const row = own[Math.min(a, own.length - 1)];
      for (let j = 0; j < d; j++) piece.x[(b * rows + a) * d + j] = batch.x[row * d + j];
      if (a < own.length) piece.weights[b * rows + a] = batch.weights?.[row] ?? 1;
    }
  });
  return piece;
}
