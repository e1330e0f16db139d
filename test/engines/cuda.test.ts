import { cudaProvider } from "../../src/engines/cuda/provider.js";
import { conformance } from "../engine.conformance.js";
import { withStandIn } from "./cuda/stand-in.js";

withStandIn("cuda, on the stand-in for the driver", () => {
  conformance(() => cudaProvider.create({}), {
    precisions: ["float64", "float32"],
    large: true,
    lends: true,
  });
});
