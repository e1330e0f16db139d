import type * as tfjs from "@tensorflow/tfjs";
import type { TensorFlow } from "../backend.js";
import type { Kernel } from "../own-backend.js";
import type { Operations } from "./binding.js";
import { factorEach } from "./cholesky.js";

/** A tensor by its number in the addon. */
type NativeKernel = Kernel<number>;

/** The operations that the engine's kernels use, each as TensorFlow's own. */
export function nativeKernels(tf: TensorFlow, on: Operations): Record<string, NativeKernel> {
  const sizeOf = tf.util.sizeFromShape;
  const unary =
    (name: string): NativeKernel =>
    ({ inputs: { x }, backend }) =>
      backend.output(on.run(name, [backend.held(x)]), x.shape);
  const binary =
    (name: string): NativeKernel =>
    ({ inputs: { a, b }, backend }) => {
      const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
      return backend.output(on.run(name, [backend.held(a), backend.held(b)]), shape);
    };
  return {
    Add: binary("AddV2"),
    Sub: binary("Sub"),
    Multiply: binary("Mul"),
    RealDiv: binary("RealDiv"),
    Neg: unary("Neg"),
    Log: unary("Log"),
    Sign: unary("Sign"),
    Sqrt: unary("Sqrt"),
    Identity: ({ inputs: { x }, backend }) => backend.alias(x, x.shape),
    Reshape({ inputs: { x }, attrs, backend }) {
      const shape = tf.util.inferFromImplicitShape(attrs.shape as number[], sizeOf(x.shape));
      return backend.output(on.runWith("Reshape", [backend.held(x)], [shape]), shape);
    },
    Slice({ inputs: { x }, attrs, backend }) {
      const [begin, size] = tf.slice_util.parseSliceParams(
        x as tfjs.Tensor,
        attrs.begin as number[],
        attrs.size as number[],
      );
      return backend.output(on.runWith("Slice", [backend.held(x)], [begin, size]), size);
    },
    Concat({ inputs, attrs, backend }) {
      const parts = Object.values(inputs);
      const axis = attrs.axis as number;
      const shape = [...parts[0].shape];
      shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis], 0);
      const held = parts.map((part) => backend.held(part));
      return backend.output(on.concat(held, axis), shape);
    },
    Transpose({ inputs: { x }, attrs, backend }) {
      const axes = attrs.perm as number[];
      const shape = axes.map((axis) => x.shape[axis]);
      return backend.output(on.runWith("Transpose", [backend.held(x)], [axes]), shape);
    },
    GatherV2({ inputs: { x, indices }, attrs, backend }) {
      const shape = [sizeOf(indices.shape), ...x.shape.slice(1)];
      const inputs = [backend.held(x), backend.held(indices)];
      return backend.output(on.runWith("GatherV2", inputs, [attrs.axis as number]), shape);
    },
    Sum({ inputs: { x }, attrs, backend }) {
      const axes = tf.util.parseAxisParam(attrs.axis as number | number[], x.shape);
      const shape = x.shape.filter((_, axis) => !axes.includes(axis));
      return backend.output(on.runWith("Sum", [backend.held(x)], [axes], { keep_dims: false }), shape);
    },
    BatchMatMul({ inputs: { a, b }, attrs, backend }) {
      const { transposeA, transposeB } = attrs as Record<string, boolean>;
      const rows = a.shape[a.shape.length - (transposeA ? 1 : 2)];
      const columns = b.shape[b.shape.length - (transposeB ? 2 : 1)];
      const flags = { adj_x: transposeA, adj_y: transposeB };
      const multiply = a.shape[0] === 1 ? multiplyLone : multiplyBatch;
      const product = multiply(on, backend.held(a), backend.held(b), flags);
      return backend.output(product, [a.shape[0], rows, columns]);
    },
    Cholesky: ({ inputs: { input }, backend }) =>
      backend.output(factorEach(on, backend.held(input), input.shape), input.shape),
    MatrixDiagPart: ({ inputs: { input }, backend }) =>
      backend.output(on.run("MatrixDiagPart", [backend.held(input)]), input.shape.slice(0, -1)),
    MatrixTriangularSolve: ({ inputs: { matrix, rhs }, attrs, backend }) =>
      backend.output(
        on.run("MatrixTriangularSolve", [backend.held(matrix), backend.held(rhs)], {
          lower: attrs.lower as boolean,
          adjoint: attrs.adjoint as boolean,
        }),
        [matrix.shape[0], ...rhs.shape.slice(-2)],
      ),
    // Of square matrices: R alone.
    Qr: ({ inputs: { input }, backend }) => {
      const [q, r] = on.runAll("Qr", [backend.held(input)], { full_matrices: false }, 2);
      on.delete(q);
      return backend.output(r, input.shape);
    },
  };
}

type Flags = Readonly<Record<string, boolean>>;

const multiplyBatch = (on: Operations, a: number, b: number, flags: Flags): number =>
  on.run("BatchMatMulV2", [a, b], flags);

/**
 * TensorFlow multiplies one matrix by other code than many, which adds in another order. A group has the same bits in any company, so
 * the one goes through as two.
 */
function multiplyLone(on: Operations, a: number, b: number, flags: Flags): number {
  const twice = (matrix: number) => on.concat([matrix, matrix], 0);
  const pair = twice(a);
  return on.consume([pair], () => {
    const other = twice(b);
    return on.consume([other], () => {
      const products = multiplyBatch(on, pair, other, flags);
      return on.consume([products], () =>
        on.runWith(
          "Slice",
          [products],
          [
            [0, 0, 0],
            [1, -1, -1],
          ],
        ),
      );
    });
  });
}
