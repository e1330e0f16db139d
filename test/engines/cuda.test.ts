import { afterAll, beforeAll } from "vitest";
import { cudaProvider } from "../../src/engines/cuda/provider.js";
import { conformance } from "../engine.conformance.js";
import { standIn, withStandIn } from "./cuda/stand-in.js";

const capabilities = { precisions: ["float64", "float32"], large: true, lends: true } as const;

withStandIn("cuda, on the stand-in for the driver", () => {
  conformance(() => cudaProvider.create({}), capabilities);
});

withStandIn("cuda, on the stand-in for a device that is slow in float64", () => {
  beforeAll(() => void standIn.set("doubles=32 capability=75"));
  afterAll(() => void standIn.set(""));
  conformance(() => cudaProvider.create({}), capabilities);
});
