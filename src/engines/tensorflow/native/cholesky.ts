import type { Operations } from "./binding.js";

/**
 * A = LLᵀ for matrices [B, e, e], of which the lower triangle is read; NaN in and below the diagonal where A is not positive definite.
 *
 * TensorFlow leaves what is above the diagonal of such a matrix as it was in memory: it is cut off. Other versions of it refuse the
 * whole batch for one such matrix: then the batch is halved, until that matrix is by itself.
 *
 * @returns a new tensor
 */
export function factorEach(on: Operations, matrices: number, shape: readonly number[]): number {
  const whole = (): number => {
    const factor = on.run("Cholesky", [matrices]);
    return on.consume([factor], () => on.runWith("MatrixBandPart", [factor], [-1, 0]));
  };
  try {
    return whole();
  } catch (error) {
    if (!/not successful/.test((error as Error).message)) throw error;
  }
  const [groups, e] = shape;
  if (groups === 1) return on.create(on.array(e * e).fill(Number.NaN), shape);
  const half = groups >> 1;
  const part = (begin: number, size: number): number => {
    const some = on.runWith(
      "Slice",
      [matrices],
      [
        [begin, 0, 0],
        [size, e, e],
      ],
    );
    return on.consume([some], () => factorEach(on, some, [size, e, e]));
  };
  const first = part(0, half);
  return on.consume([first], () => {
    const second = part(half, groups - half);
    return on.consume([second], () => on.concat([first, second], 0));
  });
}
