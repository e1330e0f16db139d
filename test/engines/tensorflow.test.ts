import { tensorflowProvider } from "../../src/engines/tensorflow/provider.js";
import { conformance } from "../engine.conformance.js";

conformance(() => tensorflowProvider.create({}), {
  precisions: ["float64", "float32"],
  large: "a JavaScript backend takes minutes for d = 256 and a million rows",
});
