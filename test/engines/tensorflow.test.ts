import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";
import { Batch } from "../../src/batch.js";
import type { Engine } from "../../src/engine.js";
import { tensorflowOn } from "../../src/engines/tensorflow/provider.js";
import { evaluate } from "../../src/evaluate.js";
import { fit } from "../../src/fit.js";
import { METHODS } from "../../src/methods.js";
import { conformance } from "../engine.conformance.js";
import { gaussianBatch, gaussianRows, generalParameters } from "../support/gaussians.js";
import { expectScatter } from "../support/matrices.js";
import { Random } from "../support/random.js";
import { MOMENT_TOLERANCE_FLOAT32 } from "../support/tolerances.js";

// In JavaScript, whatever else is installed; tensorflow-native.test.ts has the other form.
const provider = tensorflowOn(["@tensorflow/tfjs"]);

conformance(() => provider.create({}), {
  precisions: ["float64", "float32"],
  large: "a JavaScript backend takes minutes for d = 256 and a million rows",
});

async function withEngine(work: (engine: Engine) => Promise<void>): Promise<void> {
  await using engine = await provider.create({});
  await work(engine);
}

describe("TensorFlow.js of the caller", () => {
  const batch = gaussianBatch(new Random(1), { dims: 3, sizes: [0, 2, 40, 300] });
  const at = generalParameters(new Random(2), 4, 3);

  it.each(["float64", "float32"] as const)("keeps no tensor of a call in %s", (precision) =>
    withEngine(async (engine) => {
      const before = tf.memory().numTensors;
      for (const method of METHODS) await fit(batch, { engine, precision, method, maxIterations: 20 });
      await evaluate(batch, at, { engine, precision });
      expect(tf.memory().numTensors).toBe(before);
    }),
  );

  it("keeps no tensor of a call that was aborted", () =>
    withEngine(async (engine) => {
      const before = tf.memory().numTensors;
      const many = gaussianBatch(new Random(3), { dims: 3, sizes: Array(500).fill(30) });
      for (const method of ["newton", "lbfgs", "momentum"] as const) {
        const controller = new AbortController();
        const call = fit(many, {
          engine,
          method,
          tolerance: 1e-30,
          maxIterations: 1e6,
          signal: controller.signal,
          onProgress: () => controller.abort(new Error("enough")),
        });
        await expect(call, method).rejects.toThrow("enough");
      }
      expect(tf.memory().numTensors).toBe(before);
    }));

  it("has its own backend active whenever it has its turn, and its tensors unharmed", () =>
    withEngine(async (engine) => {
      const own = tf.tensor1d([1, 2, 3]);
      const seen = new Set<string>();
      const looking = setInterval(() => seen.add(`${tf.getBackend()} ${own.add(1).dataSync().join()}`), 1);
      const many = gaussianBatch(new Random(4), { dims: 3, sizes: Array(500).fill(30) });
      await fit(many, { engine, method: "bb" });
      clearInterval(looking);
      expect([...seen]).toEqual(["cpu 2,3,4"]);
      expect(tf.getBackend()).toBe("cpu");
      own.dispose();
    }));
});

describe("the engine tensorflow", () => {
  it("is there, and says on which backends", async () => {
    expect(await provider.probe()).toEqual({
      available: true,
      device: "TensorFlow.js 4.22.0: JavaScript (float64), backend cpu (float32)",
      version: "4.22.0",
    });
  });

  it("keeps in float32 the digits of rows far from the origin: their shift is taken off first", () =>
    withEngine(async (engine) => {
      const options = { dims: 4, sizes: [700] };
      const near = gaussianRows(new Random(5), options).map((value) => Math.round(value * 1024) / 1024);
      const far = near.map((value) => value + 2 ** 30);
      const fits = async (x: Float64Array, precision: "float64" | "float32") =>
        fit(Batch.fromOffsets(x, [0, 700], { dims: 4 }), { engine, precision });
      const want = await fits(near, "float64");
      const got = await fits(far, "float32");
      expect(got.status).toEqual(["converged"]);
      expectScatter(got.covariance, want.covariance, 4, MOMENT_TOLERANCE_FLOAT32, "covariance");
    }));

  it("does not take the rounding of float32 sums for variance: a collinear column is found", () =>
    withEngine(async (engine) => {
      const x = gaussianRows(new Random(6), { dims: 3, sizes: [400], condition: 10 });
      for (let a = 0; a < 400; a++) x[a * 3 + 2] = x[a * 3] / 3 + x[a * 3 + 1] * 7;
      for (const precision of ["float64", "float32"] as const) {
        const got = await fit(Batch.fromOffsets(x, [0, 400], { dims: 3 }), { engine, precision });
        expect(got.status).toEqual(["singular"]);
        expect(got.describe(0, ["a", "b", "c"])).toContain('"a", "b" and "c" are linearly dependent');
      }
    }));

  it("works in float32 on units that float32 cannot square", () =>
    withEngine(async (engine) => {
      const x = gaussianRows(new Random(7), { dims: 2, sizes: [50] }).map(
        (v, e) => v * (e % 2 ? 1e30 : 1e-30),
      );
      const batch = Batch.fromOffsets(x, [0, 50], { dims: 2 });
      const want = await fit(batch, { engine });
      const got = await fit(batch, { engine, precision: "float32" });
      expect(got.status).toEqual(["converged"]);
      expectScatter(got.covariance, want.covariance, 2, MOMENT_TOLERANCE_FLOAT32, "covariance");
    }));
});
