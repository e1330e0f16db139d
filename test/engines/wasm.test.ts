import { wasmProvider } from "../../src/engines/wasm/provider.js";
import { conformance } from "../engine.conformance.js";

conformance(() => wasmProvider.create({ threads: 2 }), {
  precisions: ["float64", "float32"],
  large: true,
  lends: true,
});
