// lanes.ts: matrices with the groups last, the form in which a factorisation is unrolled.
//
// [B, e, e] becomes e rows [e, B]. Entry (i, j) of every group is then one contiguous [B], and multiplying it into rows [m, B] repeats
// it along the leading axis alone, which every backend does at full speed.

import type { Tensor, TensorBackend } from "../backend.js";

/** The rows of B matrices [B, e, c]: e tensors [c, B]. */
export function rowsOf({ tf }: TensorBackend, matrices: Tensor): Tensor[] {
  const [groups, rows, columns] = matrices.shape;
  const last = tf.transpose(matrices, [1, 2, 0]);
  return Array.from({ length: rows }, (_, i) =>
    tf.reshape(tf.slice(last, [i, 0, 0], [1, columns, groups]), [columns, groups]),
  );
}

/** B matrices [B, e, c] of their rows. */
export function matricesOf({ tf }: TensorBackend, rows: Tensor[]): Tensor {
  const [columns, groups] = rows[0].shape as [number, number];
  return tf.transpose(tf.reshape(tf.concat(rows, 0), [rows.length, columns, groups]), [2, 0, 1]);
}

/** Entry j of a row [c, B]: [B] */
export function entry({ tf }: TensorBackend, row: Tensor, j: number): Tensor {
  const groups = row.shape[1] as number;
  return tf.reshape(tf.slice(row, [j, 0], [1, groups]), [groups]);
}

/** Entries j … of a row [c, B]: [c − j, B] */
export function from({ tf }: TensorBackend, row: Tensor, j: number): Tensor {
  const [columns, groups] = row.shape as [number, number];
  return j === 0 ? row : tf.slice(row, [j, 0], [columns - j, groups]);
}

/** `before` zeros, the pieces ([B] or [m, B]), `after` zeros: one row [c, B] */
export function padded(on: TensorBackend, before: number, pieces: Tensor[], after: number): Tensor {
  const groups = pieces[0].shape.at(-1) as number;
  const zeros = (length: number) =>
    length === 0 ? [] : [on.tensor(on.array(length * groups), [length, groups])];
  const rows = pieces.map((piece) => (piece.rank === 1 ? on.tf.reshape(piece, [1, groups]) : piece));
  const all = [...zeros(before), ...rows, ...zeros(after)];
  return all.length === 1 ? all[0] : on.tf.concat(all, 0);
}

/** Σ_j a_j b_j of two rows [c, B]: [B] */
export function dot(on: TensorBackend, a: Tensor, b: Tensor): Tensor {
  const [columns, groups] = a.shape;
  const ones = on.tensor(on.array(columns).fill(1), [1, columns]);
  return on.tf.reshape(on.tf.matMul(ones, on.tf.mul(a, b)), [groups]);
}
