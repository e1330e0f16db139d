import type { TensorFlow } from "../backend.js";
import type { Kernel } from "./backend.js";
import { sizeOf } from "./shapes.js";

/** Arithmetic entry by entry, and the sum over the last axis. */
export function elementwise(tf: TensorFlow): Record<string, Kernel> {
  return {
    Add: binary((a, b) => a + b),
    Sub: binary((a, b) => a - b),
    Multiply: binary((a, b) => a * b),
    RealDiv: binary((a, b) => a / b),
    Neg: unary((x) => -x),
    Log: unary(Math.log),
    Sqrt: unary(Math.sqrt),
    Sum: ({ inputs: { x }, attrs, backend }) => {
      const last = x.shape.length - 1;
      const axes = tf.util.parseAxisParam(attrs.axis as number | number[], x.shape);
      if (axes.length !== 1 || axes[0] !== last) {
        throw new Error(`mvnfit-float64: sums over the last axis only, got axis ${axes}`);
      }
      const values = backend.held(x);
      const sums = new Float64Array(sizeOf(x.shape.slice(0, last)));
      for (let i = 0, at = 0; i < sums.length; i++) {
        let sum = 0;
        for (let k = 0; k < x.shape[last]; k++, at++) sum += values[at];
        sums[i] = sum;
      }
      return backend.output(sums, x.shape.slice(0, last));
    },
  };
}

function unary(f: (x: number) => number): Kernel {
  return ({ inputs: { x }, backend }) => backend.output(backend.held(x).map(f), x.shape);
}

/** One of the two may lack leading axes: it is repeated along them. */
function binary(f: (a: number, b: number) => number): Kernel {
  return ({ inputs: { a, b }, backend }) => {
    const shape = a.shape.length >= b.shape.length ? a.shape : b.shape;
    for (const part of [a.shape, b.shape]) {
      if (part.some((length, axis) => length !== shape[shape.length - part.length + axis])) {
        throw new Error(`mvnfit-float64: repeats along leading axes only, got [${a.shape}] and [${b.shape}]`);
      }
    }
    const [x, y] = [backend.held(a), backend.held(b)];
    const result = new Float64Array(sizeOf(shape));
    if (x.length === y.length) {
      for (let i = 0; i < result.length; i++) result[i] = f(x[i], y[i]);
    } else {
      for (let i = 0, p = 0, q = 0; i < result.length; i++, p++, q++) {
        if (p === x.length) p = 0;
        if (q === y.length) q = 0;
        result[i] = f(x[p], y[q]);
      }
    }
    return backend.output(result, shape);
  };
}
