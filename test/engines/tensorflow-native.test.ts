import { describe, it } from "vitest";
import { tensorflowOn } from "../../src/engines/tensorflow/provider.js";
import { conformance } from "../engine.conformance.js";

const provider = tensorflowOn(["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"]);
const probe = await provider.probe();

if (probe.available) {
  conformance(() => provider.create({}), {
    precisions: ["float64", "float32"],
    large: true,
  });
} else {
  describe("the engine tensorflow on TensorFlow itself", () => {
    it.skip(`skipped, because ${probe.reason}`);
  });
}
