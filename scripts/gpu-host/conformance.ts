// The conformance suite of the engines on the device of this machine; bundled by pack.mjs. Prints JSON.
import { cudaProvider } from "../../src/engines/cuda/provider.js";
import { conformance } from "../../test/engine.conformance.js";
import { run } from "./suite.js";

conformance(() => cudaProvider.create({}), { precisions: ["float64", "float32"], large: true, lends: true });
const tally = await run();
process.stdout.write(`${JSON.stringify(tally)}\n`);
process.exitCode = tally.failed.length > 0 ? 1 : 0;
