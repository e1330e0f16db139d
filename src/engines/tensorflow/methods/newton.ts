import type { Tensor, TensorBackend } from "../backend.js";
import { cholesky } from "../kernels/cholesky.js";
import { constant } from "../kernels/constant.js";
import { measured, whiten } from "../kernels/objective.js";
import { emptySolution, type Problem, type Running, record, type Solution, select } from "./problem.js";

/** Below this residual the convergence is quadratic: a step that does not halve the residual then shows rounding. */
const QUADRATIC = 0.1;

interface Run extends Running {
  residual: number;
  previous: number;
  logDeterminant: number;
}

/**
 * Newton's iteration for the polar factor of the scatter's Cholesky factor and Λ, in S = LLᵀ, with μ = x̄ from the first step on:
 *
 *     S ← ¼ (γ² S + 2R + γ⁻² R S⁻¹ R) = ¼ (γ² S + 2R + γ⁻² TᵀT),   T = L⁻¹R
 *
 * In the paper's terms Λ ← ½ (Λ + ŜΛ⁻ᵀ), a step along −S·G/(2n). γ² = (|R|/|S|)^(1/d) while far from the end, 1 near it. All groups
 * step together; one that has ended leaves the batch.
 *
 * Source: Higham (1986); for S as in kernels/mvn/methods/newton.hpp.
 *
 * @param logDeterminant [B]: ½ log|R|
 */
export async function newton(problem: Problem, logDeterminant: Float64Array): Promise<Solution> {
  const { on, groups, e, tolerance, maxIterations } = problem;
  const solution = emptySolution(problem);
  let runs: Run[] = Array.from({ length: groups }, (_, group) => ({
    group,
    iterations: problem.spent[group],
    residual: Infinity,
    previous: Infinity,
    logDeterminant: 0,
  }));
  // Correlation, M, the M before it, and T of the running groups.
  let tensors = on.scope(() => {
    const point = on.tensor(problem.start, [groups, e, e]);
    return [on.tensor(problem.correlation, [groups, e, e]), point, point];
  });
  /** Measures where the groups are, writes down those that have ended, and goes on without them. */
  const leave = () => {
    const [correlation, point, before] = tensors;
    tensors = on.scope(() => {
      const { inverse, whitened } = whiten(on, correlation, point);
      const at = measured(on, whitened, point);
      runs.forEach((run, g) => {
        run.previous = run.residual;
        run.residual = at.residual[g];
        run.logDeterminant = at.logDeterminant[g];
      });
      return [correlation, point, before, on.tf.matMul(inverse, correlation)];
    }, tensors);
    const leaving = new Map<number, Solution["status"][number]>();
    const lost = new Map<number, Solution["status"][number]>();
    runs.forEach((run, place) => {
      const { residual, previous, iterations } = run;
      if (residual <= tolerance) leaving.set(place, "converged");
      else if (!Number.isFinite(residual)) {
        if (iterations > problem.spent[run.group]) run.iterations--;
        lost.set(place, "stalled");
      } else if (residual < QUADRATIC && residual > previous / 2) leaving.set(place, "stalled");
      else if (iterations >= maxIterations) leaving.set(place, "max-iterations");
    });
    if (leaving.size + lost.size === 0) return;
    record(problem, solution, tensors[1], runs, leaving);
    record(problem, solution, tensors[2], runs, lost);
    const staying = [...runs.keys()].filter((place) => !leaving.has(place) && !lost.has(place));
    runs = staying.map((place) => runs[place]);
    if (runs.length > 0)
      tensors = on.scope(() => tensors.map((tensor) => select(on, tensor, staying)), tensors);
  };
  const step = () => {
    const [correlation, point, , half] = tensors;
    const gamma2 = Float64Array.from(runs, (run) =>
      run.residual < QUADRATIC
        ? 1
        : Math.exp((2 * (logDeterminant[run.group] - run.logDeterminant)) / (e - 1)),
    );
    for (const run of runs) run.iterations++;
    tensors = on.scope(() => [correlation, polarStep(on, correlation, point, half, gamma2), point], tensors);
  };
  try {
    on.active(leave);
    while (runs.length > 0) {
      await problem.pause(groups - runs.length);
      on.active(() => {
        step();
        leave();
      });
    }
    return solution;
  } finally {
    for (const tensor of tensors) tensor.dispose();
  }
}

/** M ← chol ¼ (γ² S + 2R + γ⁻² TᵀT), and the mean to x̄. */
function polarStep(
  on: TensorBackend,
  correlation: Tensor,
  point: Tensor,
  half: Tensor,
  gamma2: Float64Array,
): Tensor {
  const { tf } = on;
  const [, e] = point.shape as [number, number];
  const shape = point.shape;
  const block = constant(on, e, (i, j) => (i > 0 && j > 0 ? 1 : 0));
  const corner = constant(on, e, (i, j) => (i === 0 && j === 0 ? 1 : 0));
  const factor = tf.mul(point, block);
  const scaled = (by: (gamma2: number) => number, matrices: Tensor) =>
    tf.mul(on.perGroup(gamma2.map(by), shape), matrices);
  const next = tf.add(
    scaled((own) => own / 4, tf.matMul(factor, factor, false, true)),
    tf.add(
      scaled(() => 1 / 2, correlation),
      scaled((own) => 1 / (4 * own), tf.matMul(half, half, true)),
    ),
  );
  return cholesky(on, tf.add(tf.mul(next, block), corner));
}
