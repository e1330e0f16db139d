// diagonal.ts: the diagonals of B matrices [B, e, e]: [B, e].
//
// Where the backend cannot take them, they are the product of the matrices, as rows of e², with a matrix of zeros and ones. Every sum in it
// has one term that is not zero, so nothing is rounded.

import type { Tensor, TensorBackend } from "../backend.js";

export function diagonalOf(on: TensorBackend, matrices: Tensor): Tensor {
  if (on.has("MatrixDiagPart")) return on.run("MatrixDiagPart", { input: matrices });
  const [groups, e] = matrices.shape;
  const selector = on.array(e * e * e);
  for (let i = 0; i < e; i++) selector[i * (e + 1) * e + i] = 1;
  return on.tf.matMul(on.tf.reshape(matrices, [groups, e * e]), on.tensor(selector, [e * e, e]));
}
