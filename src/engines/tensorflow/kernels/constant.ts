import type { Tensor, TensorBackend } from "../backend.js";

/** One matrix [e, e], the same for every group. */
export function constant(on: TensorBackend, e: number, entry: (i: number, j: number) => number): Tensor {
  const values = on.array(e * e);
  for (let i = 0; i < e; i++) for (let j = 0; j < e; j++) values[i * e + j] = entry(i, j);
  return on.tensor(values, [e, e]);
}
