import type { Tensor } from "@tensorflow/tfjs";
import type { Batch } from "../batch.js";
import { type Equation, type Gradients, zeroGradients } from "../gradients.js";
import type { Parameters } from "../parameters.js";
import { constant } from "./float64.js";
import { j1, j2, objective, type Rows } from "./objective.js";
import { type Piece, pieces } from "./segments.js";
import * as tf from "./tfjs.js";

/** How tfjs is asked for each equation: each differentiates J₁, J₂ or J by itself. */
type Differentiate = (rows: Rows, mean: Tensor, factor: Tensor) => { mean?: Tensor; factor?: Tensor };

const ofJ1: Differentiate = (rows, _, factor) => ({
  factor: tf.grad((at) => j1(rows, at))(factor),
});

const ofJ2: Differentiate = (rows, mean, factor) => {
  const [dMean, dFactor] = tf.grads((m, f) => j2(rows, m, f))([mean, factor]);
  return { mean: dMean, factor: dFactor };
};

const ofJ: Differentiate = (rows, mean, factor) => {
  const [dMean, dFactor] = tf.grads((m, f) => objective(rows, m, f))([mean, factor]);
  return { mean: dMean, factor: dFactor };
};

/**
 * Gradients of J₁, J₂ and J of eqs. (2) to (4) by automatic differentiation over the rows, on tfjs's active backend.
 *
 * The groups' terms are independent, so the gradient of their sum holds each group's own. No tensor is left behind.
 *
 * @param onPiece called with the rows done so far, after each piece
 */
export function differentiate(
  batch: Batch,
  parameters: Parameters,
  equations: readonly Equation[],
  onPiece: (rows: number) => void = () => {},
): Gradients {
  const gradients = zeroGradients(equations, batch);
  let done = 0;
  for (const piece of pieces(batch, parameters)) {
    differentiatePiece(piece, batch.dims, gradients);
    done += piece.groups.length * piece.rows;
    onPiece(Math.min(done, batch.rows));
  }
  return gradients;
}

function differentiatePiece(piece: Piece, d: number, into: Gradients): void {
  const { groups, rows: n } = piece;
  const size = groups.length;
  tf.tidy(() => {
    const rows = { x: constant(piece.x, [size, n, d]), weights: constant(piece.weights, [size, n, 1]) };
    const mean = constant(piece.mean, [size, d]);
    const factor = constant(piece.factor, [size, d, d]);
    const gradientsOf = (f: Differentiate) => tf.tidy(() => f(rows, mean, factor));
    const add = (to: Float64Array | undefined, gradient: Tensor | undefined) =>
      to && gradient && addTo(to, gradient.dataSync(), groups);
    if (into["7"]) add(into["7"].factor, gradientsOf(ofJ1).factor);
    if (into["9"] || into["14"]) {
      const gradient = gradientsOf(ofJ2);
      add(into["9"]?.mean, gradient.mean);
      add(into["14"]?.factor, gradient.factor);
    }
    if (into.J) {
      const gradient = gradientsOf(ofJ);
      add(into.J.mean, gradient.mean);
      add(into.J.factor, gradient.factor);
    }
  });
}

/** Adds each segment's gradient to that of its group. */
function addTo(to: Float64Array, from: ArrayLike<number>, groups: readonly number[]): void {
  const size = from.length / groups.length;
  groups.forEach((group, b) => {
    for (let e = 0; e < size; e++) to[group * size + e] += from[b * size + e];
  });
}
