import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { constant, FLOAT64, registerFloat64 } from "../../src/autograd/float64.js";
import * as tf from "../../src/autograd/tfjs.js";

const own = (values: number[], shape: number[]) => constant(Float64Array.from(values), shape);
const read = (tensor: tf.Tensor) => Array.from(tensor.dataSync());

beforeAll(async () => {
  tf.enableProdMode();
  registerFloat64();
  await tf.setBackend(FLOAT64);
  tf.engine().startScope();
});

afterEach(() => {
  tf.engine().endScope();
  expect(tf.memory().numTensors).toBe(0);
  expect(tf.engine().backend.numDataIds()).toBe(0);
  tf.engine().startScope();
});

describe("the float64 backend of TensorFlow.js", () => {
  it("is never chosen unasked", async () => {
    expect(tf.engine().registryFactory[FLOAT64].priority).toBe(0);
    expect(tf.engine().registryFactory.cpu.priority).toBeGreaterThan(0);
  });

  it("keeps the digits of float64", () => {
    expect(read(own([1 / 3], [1]))).toEqual([1 / 3]);
    expect(read(tf.add(own([1], [1]), own([2 ** -52], [1])))).toEqual([1 + 2 ** -52]);
    expect(read(tf.log(own([3], [])))).toEqual([Math.log(3)]);
  });

  it("broadcasts as tfjs does", () => {
    const a = own([1, 2, 3, 4, 5, 6], [2, 3, 1]);
    const b = own([10, 20], [2, 1, 1]);
    expect(tf.mul(a, b).shape).toEqual([2, 3, 1]);
    expect(read(tf.mul(a, b))).toEqual([10, 20, 30, 80, 100, 120]);
    const outer = tf.sub(a, own([1, 2], [2]));
    expect(outer.shape).toEqual([2, 3, 2]);
    expect(read(outer)).toEqual([0, -1, 1, 0, 2, 1, 3, 2, 4, 3, 5, 4]);
    expect(read(tf.div(own([6], []), own([2, 3], [2])))).toEqual([3, 2]);
  });

  it("slices, pads and sums along any axis", () => {
    const a = own([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]);
    expect(read(tf.slice(a, [0, 1, 0], [2, 1, -1]))).toEqual([3, 4, 7, 8]);
    expect(
      read(
        tf.pad(own([1, 2], [1, 2]), [
          [1, 0],
          [0, 1],
        ]),
      ),
    ).toEqual([0, 0, 0, 1, 2, 0]);
    expect(read(tf.sum(a, 1))).toEqual([4, 6, 12, 14]);
    expect(tf.sum(a, [0, 2], true).shape).toEqual([1, 2, 1]);
    expect(read(tf.sum(a, [0, 2], true))).toEqual([14, 22]);
    expect(read(tf.sum(a))).toEqual([36]);
  });

  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])("multiplies matrices, transposed %s and %s", (left, right) => {
    const a = own([1, 2, 3, 4, 5, 6], left ? [1, 3, 2] : [1, 2, 3]);
    const b = own([1, 0, 2, 1, 1, 3], right ? [1, 2, 3] : [1, 3, 2]);
    const expected = [];
    for (let i = 0; i < 2; i++) {
      for (let j = 0; j < 2; j++) {
        let sum = 0;
        for (let k = 0; k < 3; k++) {
          sum += read(a)[left ? k * 2 + i : i * 3 + k] * read(b)[right ? j * 3 + k : k * 2 + j];
        }
        expected.push(sum);
      }
    }
    expect(read(tf.matMul(a, b, left, right))).toEqual(expected);
  });

  it("refuses constants that came rounded through float32", () => {
    expect(() => tf.scalar(1 / 3).dataSync()).toThrow(/rounded to float32/);
    expect(() => tf.mul(own([1], [1]), 0.1)).toThrow(/rounded to float32/);
    expect(read(tf.mul(own([1 / 3], [1]), 2))).toEqual([2 / 3]);
  });

  it("refuses products whose gradients tfjs would get wrong", () => {
    const one = own([1, 0, 0, 1], [1, 2, 2]);
    const two = own([1, 0, 0, 1, 1, 0, 0, 1], [2, 2, 2]);
    expect(() => tf.matMul(one, two)).toThrow(/batch dimensions/);
  });

  it("says what it cannot do", () => {
    expect(() => tf.exp(own([1], [1]))).toThrow(/'Exp' not registered|Exp.*float64/);
    expect(() => tf.cast(own([1], [1]), "int32")).toThrow();
  });

  it("leaves the differentiation to tfjs", () => {
    const x = own([3], []);
    const slope = tf.grad((at) => tf.log(tf.square(at)))(x);
    expect(read(slope)[0]).toBeCloseTo(2 / 3, 15);
  });

  it("does not let a tensor go to another backend", async () => {
    const x = own([1 / 3], [1]);
    await tf.setBackend("cpu");
    try {
      expect(() => tf.neg(x)).toThrow();
    } finally {
      await tf.setBackend(FLOAT64);
    }
    expect(read(x)).toEqual([1 / 3]);
  });
});
