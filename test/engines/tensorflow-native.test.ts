import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine.js";
import type { Binding } from "../../src/engines/tensorflow/native/binding.js";
import { tensorflowOn } from "../../src/engines/tensorflow/provider.js";
import { evaluate } from "../../src/evaluate.js";
import { fit } from "../../src/fit.js";
import { METHODS } from "../../src/methods.js";
import { conformance } from "../engine.conformance.js";
import { gaussianBatch, generalParameters } from "../support/gaussians.js";
import { Random } from "../support/random.js";

const provider = tensorflowOn(["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"]);
const probe = await provider.probe();

/** Tensors that live in the addon. tfjs has one engine a process, on which the addon's backend is registered. */
function tensorsAlive(): number {
  const { _tfengine } = globalThis as unknown as {
    _tfengine: { findBackend(name: string): { binding: Binding } };
  };
  return _tfengine.findBackend("tensorflow").binding.getNumOfTensors();
}

async function withEngine(work: (engine: Engine) => Promise<void>): Promise<void> {
  await using engine = await provider.create({});
  await work(engine);
}

if (probe.available) {
  conformance(() => provider.create({}), { precisions: ["float64", "float32"], large: true });

  describe("the engine tensorflow on TensorFlow itself", () => {
    const batch = gaussianBatch(new Random(1), { dims: 3, sizes: [0, 2, 40, 300] });

    it("says which TensorFlow it runs on, and where", () => {
      expect(probe.device).toMatch(/^TensorFlow \d+\.\d+\.\d+ on (the CPU|a GPU) \(@tensorflow\/tfjs-node/);
    });

    it.each(["float64", "float32"] as const)("deletes every tensor of a call in %s", (precision) =>
      withEngine(async (engine) => {
        const before = tensorsAlive();
        for (const method of METHODS) await fit(batch, { engine, precision, method, maxIterations: 20 });
        await evaluate(batch, generalParameters(new Random(2), 4, 3), { engine, precision });
        expect(tensorsAlive()).toBe(before);
      }),
    );

    it("does not grow over 1,000 fits", () =>
      withEngine(async (engine) => {
        const rows = gaussianBatch(new Random(3), { dims: 8, sizes: Array(50).fill(100) }); // 320 KB
        const fits = async (times: number) => {
          for (let k = 0; k < times; k++) await fit(rows, { engine });
          return process.memoryUsage().rss;
        };
        const before = await fits(200); // while the heap and TensorFlow's pools take their size
        const alive = tensorsAlive();
        const growth = (await fits(1000)) - before;
        expect(tensorsAlive()).toBe(alive);
        // One array of rows left behind a fit would come to 320 MB.
        expect(growth).toBeLessThan(100e6);
      }));
  });
} else {
  describe("the engine tensorflow on TensorFlow itself", () => {
    it.skip(`skipped, because ${probe.reason}: ${probe.remedy}`);
  });
}
