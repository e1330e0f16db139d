import type * as tfjs from "@tensorflow/tfjs";
import type { TensorFlow } from "../backend.js";
import type { Kernel } from "./backend.js";
import { eachRun, sizeOf, stridesOf } from "./shapes.js";

/** Kernels that move values and change none. */
export function movement(tf: TensorFlow): Record<string, Kernel> {
  return {
    Identity: ({ inputs: { x }, backend }) => backend.alias(x, x.shape),
    Reshape: ({ inputs: { x }, attrs, backend }) =>
      backend.alias(x, tf.util.inferFromImplicitShape(attrs.shape as number[], sizeOf(x.shape))),
    Slice: ({ inputs: { x }, attrs, backend }) => {
      const [begin, shape] = tf.slice_util.parseSliceParams(
        x as tfjs.Tensor,
        attrs.begin as number[],
        attrs.size as number[],
      );
      const strides = stridesOf(x.shape);
      const first = begin.reduce((at, index, axis) => at + index * strides[axis], 0);
      const values = backend.held(x);
      const result = new Float64Array(sizeOf(shape));
      const length = shape[shape.length - 1];
      eachRun(shape, strides, (here, there) => {
        result.set(values.subarray(first + there, first + there + length), here);
      });
      return backend.output(result, shape);
    },
    Concat: ({ inputs, attrs, backend }) => {
      const parts = Object.values(inputs);
      const axis = attrs.axis as number;
      const shape = [...parts[0].shape];
      shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis], 0);
      const result = new Float64Array(sizeOf(shape));
      const step = sizeOf(shape.slice(axis));
      let column = 0;
      for (const part of parts) {
        const values = backend.held(part);
        const length = sizeOf(part.shape.slice(axis));
        for (let from = 0, to = column; from < values.length; from += length, to += step) {
          result.set(values.subarray(from, from + length), to);
        }
        column += length;
      }
      return backend.output(result, shape);
    },
    Transpose: ({ inputs: { x }, attrs, backend }) => {
      const axes = attrs.perm as number[];
      const shape = axes.map((axis) => x.shape[axis]);
      const own = stridesOf(x.shape);
      const strides = axes.map((axis) => own[axis]);
      const values = backend.held(x);
      const result = new Float64Array(values.length);
      const [length, step] = [shape[shape.length - 1], strides[strides.length - 1]];
      eachRun(shape, strides, (here, there) => {
        for (let k = 0; k < length; k++) result[here + k] = values[there + k * step];
      });
      return backend.output(result, shape);
    },
    GatherV2: ({ inputs: { x, indices }, backend }) => {
      const length = sizeOf(x.shape.slice(1));
      const values = backend.held(x);
      const which = backend.held(indices);
      const result = new Float64Array(which.length * length);
      which.forEach((index, k) => {
        result.set(values.subarray(index * length, (index + 1) * length), k * length);
      });
      return backend.output(result, [which.length, ...x.shape.slice(1)]);
    },
  };
}
