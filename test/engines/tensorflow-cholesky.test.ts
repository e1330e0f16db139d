import { describe, expect, it } from "vitest";
import { type Binding, Operations } from "../../src/engines/tensorflow/native/binding.js";
import { factorEach } from "../../src/engines/tensorflow/native/cholesky.js";

/**
 * A TensorFlow that refuses a whole batch for one matrix that is not positive definite, as some versions do, with the few operations on
 * 1×1 matrices that come up then. Counts what lives in it.
 */
class Refusing {
  readonly TF_FLOAT = 1;
  readonly TF_INT32 = 3;
  readonly TF_ATTR_BOOL = 4;
  readonly TF_ATTR_INT = 5;
  readonly TF_ATTR_TYPE = 6;
  readonly tensors = new Map<number, number[]>();
  message =
    "Invalid TF_Status: 3\nMessage: Cholesky decomposition was not successful. The input might not be valid.";
  calls = 0;
  #last = 0;

  createTensor(_shape: number[], _dtype: number, values: Float32Array | Int32Array): number {
    return this.#keep([...values]);
  }

  deleteTensor(id: number): void {
    if (!this.tensors.delete(id)) throw new Error(`tensor ${id} is not alive`);
  }

  executeOp(name: string, _attributes: unknown, inputs: number[]): { id: number }[] {
    const [first, second, third] = inputs.map((id) => this.tensors.get(id) as number[]);
    switch (name) {
      case "Cholesky":
        this.calls++;
        if (first.some((value) => !(value > 0))) throw new Error(this.message);
        return [{ id: this.#keep(first.map(Math.sqrt)) }];
      case "MatrixBandPart":
        return [{ id: this.#keep(first) }];
      case "Slice":
        return [{ id: this.#keep(first.slice(second[0], second[0] + third[0])) }];
      case "ConcatV2":
        return [{ id: this.#keep([...first, ...second]) }];
      default:
        throw new Error(`no operation ${name}`);
    }
  }

  #keep(values: number[]): number {
    this.tensors.set(++this.#last, values);
    return this.#last;
  }
}

function factored(values: number[], tensorflow = new Refusing()): number[] {
  const on = new Operations(tensorflow as unknown as Binding, "float32");
  const shape = [values.length, 1, 1];
  const matrices = on.create(Float32Array.from(values), shape);
  try {
    const result = factorEach(on, matrices, shape);
    const factors = tensorflow.tensors.get(result) as number[];
    on.delete(result);
    return factors;
  } finally {
    on.delete(matrices);
    expect(tensorflow.tensors.size).toBe(0);
  }
}

describe("Cholesky on a TensorFlow that refuses a batch for one matrix", () => {
  it("gives NaN for that matrix and the factors of the others", () => {
    expect(factored([4, 9, -1, 16, 25, 0, 36])).toEqual([2, 3, Number.NaN, 4, 5, Number.NaN, 6]);
    expect(factored([-1])).toEqual([Number.NaN]);
  });

  it("asks for a batch as a whole first", () => {
    const tensorflow = new Refusing();
    factored([4, 9, 16, 25], tensorflow);
    expect(tensorflow.calls).toBe(1);
  });

  it("does not take another error for a verdict on a matrix", () => {
    const tensorflow = new Refusing();
    tensorflow.message = "Invalid TF_Status: 8\nMessage: OOM when allocating tensor";
    expect(() => factored([4, -1], tensorflow)).toThrow("OOM");
    expect(tensorflow.calls).toBe(1);
  });
});
