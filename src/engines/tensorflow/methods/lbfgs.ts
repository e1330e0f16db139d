import type { Tensor, TensorBackend } from "../backend.js";
import { constant } from "../kernels/constant.js";
import type { GradientMethod } from "./descend.js";
import { nowhere } from "./gradient-methods.js";
import { WolfeSearch } from "./line-search.js";
import { combination, innerProducts, type Place } from "./place.js";

/** Pairs that are remembered. */
const PAIRS = 8;

/** Of one group, in the order s₀, y₀, s₁, y₁, … from the oldest pair to the newest. */
interface Pairs {
  /** their inner products, and last those with the gradient: row and column g */
  products: number[][];
  /** which pairs have sᵀy > 0 */
  valid: boolean[];
}

/**
 * L-BFGS with its two loops on coefficients: the direction is a combination of the remembered s and y and the gradient, and its
 * coefficients follow from their inner products alone. So an iteration is one BatchMatMul for the new inner products and
 * one for the direction, whatever the number of pairs.
 *
 * Steps and gradients are relative to M, as in kernels/mvn/methods/lbfgs.hpp: a step e is M ← M(I + tE), E_ij = e_ij below the diagonal
 * and e_ii/√2 on it. In these coordinates the Hessian at the optimum is the identity, whatever the data.
 *
 * Source: Nocedal & Wright (2006), algorithm 7.4; in this form Chen, Wang & Zhou (2014). Relative coordinates: Ablin, Cardoso &
 * Gramfort (2018).
 */
export const lbfgs: GradientMethod<Pairs> = {
  begin: () => ({ products: [], valid: [] }),
  step({ on, runs, at, kept, noise, search }) {
    const curvature = 0.9;
    const { tf } = on;
    const gradient = relativeGradient(on, at);
    const basis = [...kept, gradient];
    // The newest pair and the gradient against all: what is new of the inner products.
    const fresh = kept.length > 0 ? [...kept.slice(-2), gradient] : [gradient];
    const products = innerProducts(on, fresh, basis);
    const [rows, columns] = [fresh.length, basis.length];
    const coefficients = new Float64Array(runs.length * columns);
    const searches = runs.map(({ memory, value }, g) => {
      const block = Array.from(products.subarray(g * rows * columns, (g + 1) * rows * columns));
      learn(memory, block, rows, columns);
      let direction = twoLoops(memory);
      let slope = slopeOf(memory, direction);
      if (!(slope < 0)) {
        memory.valid.fill(false);
        direction = twoLoops(memory);
        slope = slopeOf(memory, direction);
      }
      if (!(slope < 0)) return nowhere();
      coefficients.set(direction, g * columns);
      return new WolfeSearch({ value, slope, noise: noise(value) }, 1, curvature, on.unit);
    });
    const relative = combination(on, coefficients, basis);
    const to = search(tf.matMul(at.x, tf.mul(relative, diagonalHalved(on, at))), searches);
    runs.forEach((run, g) => {
      const moved = searches[g].t > 0;
      if (moved) run.iterations++;
      run.outcome = moved ? "moved" : run.memory.valid.some(Boolean) ? "again" : "stuck";
      if (!moved) run.memory.valid.fill(false);
      run.memory.valid = [...run.memory.valid, moved].slice(-PAIRS);
    });
    const steps = Float64Array.from(searches, ({ t }) => t);
    const pair: Tensor[] = [
      tf.mul(on.perGroup(steps, relative.shape), relative),
      tf.sub(relativeGradient(on, to), gradient),
    ];
    return { to, kept: [...kept, ...pair].slice(-2 * PAIRS) };
  },
};

/** 1/√2 on the diagonal, 1 below it, without the corner, which does not move: ∂E/∂e */
function diagonalHalved(on: TensorBackend, { x }: Place): Tensor {
  return constant(on, x.shape[1] as number, (i, j) => (i === 0 || j > i ? 0 : i === j ? Math.SQRT1_2 : 1));
}

/** The gradient in e: MᵀG, G = ∂(J/n)/∂M */
function relativeGradient(on: TensorBackend, at: Place): Tensor {
  return on.tf.mul(on.tf.matMul(at.x, at.gradient, true), diagonalHalved(on, at));
}

/** Takes over the inner products of the newest pair and the gradient; forgets those of a pair that was dropped. */
function learn(memory: Pairs, block: readonly number[], rows: number, columns: number): void {
  // What stood there for the last gradient is in the way; so is the oldest pair once there are too many.
  let old = memory.products.slice(0, -1).map((row) => row.slice(0, -1));
  const overflow = old.length + rows - columns;
  if (overflow > 0) old = old.slice(overflow).map((row) => row.slice(overflow));
  const known = old.length;
  const products = Array.from({ length: columns }, (_, i) =>
    Array.from({ length: columns }, (_, j) => {
      if (i < known && j < known) return old[i][j];
      const [row, column] = i >= known ? [i, j] : [j, i];
      return block[(row - known) * columns + column];
    }),
  );
  memory.products = products;
  const last = memory.valid.length - 1;
  if (last < 0) return;
  const curvature = products[2 * last][2 * last + 1];
  memory.valid[last] &&= curvature > 0 && Number.isFinite(1 / curvature);
}

/** Coefficients of −H g, H the inverse Hessian that the valid pairs stand for. */
function twoLoops({ products, valid }: Pairs): Float64Array {
  const g = products.length - 1;
  const direction = new Float64Array(g + 1);
  direction[g] = -1;
  const along = (vector: number) => {
    let sum = 0;
    for (let k = 0; k <= g; k++) sum += direction[k] * products[vector][k];
    return sum;
  };
  const pairs = [...valid.keys()].filter((k) => valid[k]);
  const alphas = new Float64Array(valid.length);
  for (const k of [...pairs].reverse()) {
    alphas[k] = along(2 * k) / products[2 * k][2 * k + 1];
    direction[2 * k + 1] -= alphas[k];
  }
  const newest = pairs.at(-1);
  if (newest !== undefined) {
    const y = 2 * newest + 1;
    const scale = products[y - 1][y] / products[y][y];
    for (let k = 0; k <= g; k++) direction[k] *= scale;
  }
  for (const k of pairs) {
    direction[2 * k] += alphas[k] - along(2 * k + 1) / products[2 * k][2 * k + 1];
  }
  return direction;
}

/** gᵀp */
function slopeOf({ products }: Pairs, direction: Float64Array): number {
  const row = products[products.length - 1];
  return direction.reduce((sum, coefficient, k) => sum + coefficient * row[k], 0);
}
