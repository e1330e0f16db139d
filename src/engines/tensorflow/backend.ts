import type * as tfjs from "@tensorflow/tfjs";
import type { RealArray } from "../../layout.js";
import { type Precision, ROUNDING_UNIT } from "../../methods.js";

export type TensorFlow = typeof tfjs;
export type Tensor = tfjs.Tensor;

/**
 * One backend of TensorFlow.js as the kernels see it: which operations run where, and in which arithmetic.
 *
 * tfjs's own registry of kernels is the seam. A backend that has batched factorisations registers them under TensorFlow's names
 * (`Cholesky`, `MatrixTriangularSolve`) and the kernels call them; elsewhere they are unrolled into operations that every backend
 * has. tfjs declares real tensors as float32, whatever a backend stores.
 */
export class TensorBackend {
  readonly tf: TensorFlow;
  /** as registered in tfjs */
  readonly name: string;
  readonly precision: Precision;

  constructor(tf: TensorFlow, name: string, precision: Precision) {
    this.tf = tf;
    this.name = name;
    this.precision = precision;
  }

  /** The rounding unit of the arithmetic. */
  get unit(): number {
    return ROUNDING_UNIT[this.precision];
  }

  /** Zeros in the backend's storage, to be filled for `tensor`. */
  array(length: number): RealArray {
    return this.precision === "float64" ? new Float64Array(length) : new Float32Array(length);
  }

  /** A tensor of these values, rounded to the backend's arithmetic. The array must not change while the tensor lives. */
  tensor(values: RealArray, shape: number[]): Tensor {
    const matches = values instanceof Float64Array === (this.precision === "float64");
    const stored = matches ? values : this.#rounded(values);
    return this.tf.engine().makeTensor(stored as tfjs.DataValues, shape, "float32");
  }

  /** One number a group, [B], repeated to the shape [B, …rest]: stock backends are slow where they have to repeat it themselves. */
  perGroup(values: ArrayLike<number>, shape: number[]): Tensor {
    const width = shape.slice(1).reduce((size, length) => size * length, 1);
    const repeated = this.array(values.length * width);
    for (let g = 0; g < values.length; g++) repeated.fill(values[g], g * width, (g + 1) * width);
    return this.tensor(repeated, shape);
  }

  /** The values of a tensor. They may be the tensor's own: not to be written to. */
  read(tensor: Tensor): RealArray {
    return tensor.dataSync() as unknown as RealArray;
  }

  /** Whether the backend has a kernel of its own for an operation. */
  has(kernel: string): boolean {
    return this.tf.getKernel(kernel, this.name) !== undefined;
  }

  /** Calls a kernel that `has` found. */
  run(kernel: string, inputs: Record<string, Tensor>, attributes: Record<string, boolean> = {}): Tensor {
    return this.tf.engine().runKernel(kernel, inputs, attributes) as Tensor;
  }

  /**
   * Runs `work`, which must be synchronous, with this backend active, then sets the backend that was active before. A change takes tfjs
   * some tenths of a millisecond: what needs the backend several times in a row goes into one such call.
   */
  active<Result>(work: () => Result): Result {
    const engine = this.tf.engine();
    const before = engine.backendName;
    if (before === this.name) return work();
    // The backend was initialised where it was opened: from then on setBackend takes effect at once, though it returns a promise.
    void engine.setBackend(this.name);
    try {
      return work();
    } finally {
      if (before) void engine.setBackend(before);
    }
  }

  /**
   * The same for work that makes tensors: those returned stay, the others are disposed of; of those in `used` only those returned stay.
   */
  scope<T extends Tensor>(work: () => T[], used: readonly Tensor[] = []): T[] {
    return this.active(() => {
      const results = this.tf.tidy(() => work().map((tensor) => this.tf.keep(tensor)));
      for (const tensor of used) if (!results.includes(tensor as T)) tensor.dispose();
      return results;
    });
  }

  #rounded(values: RealArray): RealArray {
    return this.precision === "float64" ? Float64Array.from(values) : Float32Array.from(values);
  }
}
