/*
 * The forward kernels that J and its registered gradients use, in float64. Tensors are row-major. Anything else asked of the backend
 * fails with tfjs's own message that the kernel is not registered.
 */
import type { Float64Backend } from "./float64.js";
import * as tf from "./tfjs.js";

type Inputs = Record<string, tf.TensorInfo>;
/** What tfjs hands to a kernel; each operation has attributes of its own. */
interface Call {
  readonly inputs: Inputs;
  readonly attrs: Record<string, unknown>;
  readonly backend: Float64Backend;
}
type Kernel = (call: Call) => tf.TensorInfo;

export const FLOAT64_KERNELS = {
  Add: elementwise((a, b) => a + b),
  Sub: elementwise((a, b) => a - b),
  Multiply: elementwise((a, b) => a * b),
  RealDiv: elementwise((a, b) => a / b),
  Neg: unary((x) => -x),
  Log: unary(Math.log),
  Square: unary((x) => x * x),
  Identity: ({ inputs: { x }, backend }) => backend.alias(x, x.shape),
  Cast: cast,
  Reshape: ({ inputs: { x }, attrs, backend }) =>
    backend.alias(x, tf.util.inferFromImplicitShape(attrs.shape as number[], sizeOf(x.shape))),
  Slice: slice,
  PadV2: pad,
  Sum: sum,
  BatchMatMul: batchMatMul,
} as Record<string, Kernel> as unknown as Record<string, tf.KernelFunc>;

function unary(f: (x: number) => number): Kernel {
  return ({ inputs: { x }, backend }) => backend.output(backend.values(x).map(f), x.shape);
}

function elementwise(f: (a: number, b: number) => number): Kernel {
  return ({ inputs: { a, b }, backend }) => {
    const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const result = new Float64Array(sizeOf(shape));
    const [x, y] = [backend.values(a), backend.values(b)];
    walk(shape, broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape), (at, i, j) => {
      result[at] = f(x[i], y[j]);
    });
    return backend.output(result, shape);
  };
}

function cast({ inputs: { x }, attrs, backend }: Call): tf.TensorInfo {
  if (attrs.dtype !== x.dtype) throw new Error(`float64: cannot cast to ${attrs.dtype}`);
  return backend.alias(x, x.shape);
}

function slice({ inputs: { x }, attrs, backend }: Call): tf.TensorInfo {
  const [begin, shape] = tf.slice_util.parseSliceParams(
    x as tf.Tensor,
    attrs.begin as number[],
    attrs.size as number[],
  );
  const strides = stridesOf(x.shape);
  const first = begin.reduce((at, index, axis) => at + index * strides[axis], 0);
  const values = backend.values(x);
  const result = new Float64Array(sizeOf(shape));
  walk(shape, strides, strides, (at, i) => {
    result[at] = values[first + i];
  });
  return backend.output(result, shape);
}

function pad({ inputs: { x }, attrs, backend }: Call): tf.TensorInfo {
  const paddings = attrs.paddings as [number, number][];
  const shape = paddings.map(([before, after], axis) => before + x.shape[axis] + after);
  const strides = stridesOf(shape);
  const first = paddings.reduce((at, [before], axis) => at + before * strides[axis], 0);
  const values = backend.values(x);
  const result = new Float64Array(sizeOf(shape)).fill(attrs.constantValue as number);
  walk(x.shape, strides, strides, (at, i) => {
    result[first + i] = values[at];
  });
  return backend.output(result, shape);
}

function sum({ inputs: { x }, attrs, backend }: Call): tf.TensorInfo {
  const axes = tf.util.parseAxisParam(attrs.axis as number | number[], x.shape);
  const kept = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
  const strides = broadcastStrides(kept, x.shape);
  const values = backend.values(x);
  const result = new Float64Array(sizeOf(kept));
  walk(x.shape, strides, strides, (at, i) => {
    result[i] += values[at];
  });
  const shape = attrs.keepDims ? kept : x.shape.filter((_, axis) => !axes.includes(axis));
  return backend.output(result, shape);
}

/** [.., m, k] · [.., k, n]; the batch dimensions must be equal, since tfjs's gradient does not sum over broadcast ones. */
function batchMatMul({ inputs: { a, b }, attrs, backend }: Call): tf.TensorInfo {
  const batch = a.shape.slice(0, -2);
  tf.util.assertShapesMatch(batch, b.shape.slice(0, -2), "float64: matMul of different batch dimensions: ");
  const { transposeA, transposeB } = attrs;
  const [rowsA, columnsA] = a.shape.slice(-2);
  const [rowsB, columnsB] = b.shape.slice(-2);
  const [m, k, stepI, stepA] = transposeA ? [columnsA, rowsA, 1, columnsA] : [rowsA, columnsA, columnsA, 1];
  const [n, stepJ, stepB] = transposeB ? [rowsB, columnsB, 1] : [columnsB, 1, columnsB];
  const [x, y] = [backend.values(a), backend.values(b)];
  const groups = sizeOf(batch);
  const result = new Float64Array(groups * m * n);
  for (let g = 0, at = 0; g < groups; g++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++, at++) {
        let total = 0;
        for (
          let l = 0, p = g * m * k + i * stepI, q = g * k * n + j * stepJ;
          l < k;
          l++, p += stepA, q += stepB
        ) {
          total += x[p] * y[q];
        }
        result[at] = total;
      }
    }
  }
  return backend.output(result, [...batch, m, n]);
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/** Entries to step over for the next index of each axis. */
function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, size = 1; axis >= 0; axis--) {
    strides[axis] = size;
    size *= shape[axis];
  }
  return strides;
}

/** Strides with which an array of `shape` is read as one of the shape `target`: 0 where it is repeated. */
function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const strides = stridesOf(shape);
  const missing = target.length - shape.length;
  return target.map((length, axis) =>
    axis < missing || (shape[axis - missing] === 1 && length !== 1) ? 0 : strides[axis - missing],
  );
}

/** Visits every entry of an array of `shape`, in order, with the places that two sets of strides give it. */
function walk(
  shape: readonly number[],
  a: readonly number[],
  b: readonly number[],
  visit: (at: number, i: number, j: number) => void,
): void {
  const last = shape.length - 1;
  const [length, stepA, stepB] = last < 0 ? [1, 0, 0] : [shape[last], a[last], b[last]];
  const index = new Int32Array(shape.length);
  const size = sizeOf(shape);
  for (let at = 0, i = 0, j = 0; at < size; ) {
    for (let k = 0; k < length; k++, at++) visit(at, i + k * stepA, j + k * stepB);
    for (let axis = last - 1; axis >= 0; axis--) {
      i += a[axis];
      j += b[axis];
      if (++index[axis] < shape[axis]) break;
      i -= a[axis] * shape[axis];
      j -= b[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}
