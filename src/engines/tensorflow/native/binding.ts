/*
 * TensorFlow's own operations, through the addon of @tensorflow/tfjs-node. A tensor is a number there; every one that is made must be
 * deleted, since tfjs knows nothing of it.
 *
 * The addon takes and hands out no float64: such values go in and out as pairs of int32 of the same bits, and TensorFlow's `Bitcast` makes
 * the one of the other, without a copy.
 */
import type { Precision } from "../../../methods.js";
import type { Values } from "../own-backend.js";

/** What is used of the addon's exports. */
export interface Binding {
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_Version: string;
  createTensor(shape: number[], dtype: number, values: Float32Array | Int32Array): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array;
  executeOp(name: string, attributes: Attribute[], inputs: number[], outputs: number): { id: number }[];
  getNumOfTensors(): number;
}

interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: boolean | number;
}

type Flags = Readonly<Record<string, boolean>>;

/** DT_DOUBLE, which the addon has no name for. */
const TF_DOUBLE = 2;

/** Operations on tensors of one real type. Whoever gets a tensor's number deletes it. */
export class Operations {
  readonly #binding: Binding;
  readonly #precision: Precision;

  constructor(binding: Binding, precision: Precision) {
    this.#binding = binding;
    this.#precision = precision;
  }

  /** Zeros in this type, to be filled for `create`. */
  array(length: number): Float64Array | Float32Array {
    return this.#precision === "float64" ? new Float64Array(length) : new Float32Array(length);
  }

  /** A tensor over the array's own memory: it must not change while the tensor lives. */
  create(values: Values, shape: readonly number[]): number {
    const { TF_FLOAT, TF_INT32 } = this.#binding;
    if (values instanceof Int32Array) return this.#binding.createTensor([...shape], TF_INT32, values);
    if (values instanceof Float32Array) {
      if (this.#precision === "float64") throw new Error("tensorflow: values came rounded to float32");
      return this.#binding.createTensor([...shape], TF_FLOAT, values);
    }
    const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
    const pairs = this.#binding.createTensor([...shape, 2], TF_INT32, halves);
    return this.consume([pairs], () => this.#bitcast(pairs, TF_DOUBLE));
  }

  /** A copy of a real tensor's values. */
  read(tensor: number): Values {
    if (this.#precision === "float32") return this.#binding.tensorDataSync(tensor);
    const pairs = this.#bitcast(tensor, this.#binding.TF_INT32);
    const halves = this.consume([pairs], () => this.#binding.tensorDataSync(pairs));
    return new Float64Array(halves.buffer, halves.byteOffset, halves.length / 2);
  }

  delete(tensor: number): void {
    this.#binding.deleteTensor(tensor);
  }

  /** Runs an operation of TensorFlow, by its name there, that has one result. */
  run(name: string, inputs: number[], flags: Flags = {}): number {
    return this.runAll(name, inputs, flags, 1)[0];
  }

  /** Runs an operation that has so many results. */
  runAll(name: string, inputs: number[], flags: Flags, results: number): number[] {
    const type = this.#binding.TF_ATTR_BOOL;
    const attributes = Object.entries(flags).map(([flag, value]) => ({ name: flag, type, value }));
    return this.#binding.executeOp(name, attributes, inputs, results).map(({ id }) => id);
  }

  /** The same with further inputs that are small arrays of integers: shapes, axes, positions. */
  runWith(
    name: string,
    inputs: number[],
    integers: readonly (readonly number[] | number)[],
    flags?: Flags,
  ): number {
    const made = integers.map((one) =>
      typeof one === "number"
        ? this.create(Int32Array.of(one), [])
        : this.create(Int32Array.from(one), [one.length]),
    );
    return this.consume(made, () => this.run(name, [...inputs, ...made], flags));
  }

  /** Tensors one after the other along an axis. */
  concat(parts: readonly number[], axis: number): number {
    const { TF_ATTR_INT, TF_ATTR_TYPE } = this.#binding;
    // The addon does not tell TensorFlow that the inputs are a list: their number and type have to be said.
    const attributes = [
      { name: "N", type: TF_ATTR_INT, value: parts.length },
      { name: "T", type: TF_ATTR_TYPE, value: this.#type },
    ];
    const at = this.create(Int32Array.of(axis), []);
    return this.consume([at], () => this.#binding.executeOp("ConcatV2", attributes, [...parts, at], 1)[0].id);
  }

  /** Deletes `tensors` once `work` is through with them, however it ends. */
  consume<Result>(tensors: readonly number[], work: () => Result): Result {
    try {
      return work();
    } finally {
      for (const tensor of tensors) this.delete(tensor);
    }
  }

  get #type(): number {
    return this.#precision === "float64" ? TF_DOUBLE : this.#binding.TF_FLOAT;
  }

  #bitcast(tensor: number, type: number): number {
    const attribute = { name: "type", type: this.#binding.TF_ATTR_TYPE, value: type };
    return this.#binding.executeOp("Bitcast", [attribute], [tensor], 1)[0].id;
  }
}
