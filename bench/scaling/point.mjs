// One point of bench/scaling.mjs, in a process of its own so that its memory is its own: the closed form of a shape. Prints JSON.
//
//     node bench/scaling/point.mjs 10000x200x8 2

import { timing } from "../../dist/bench/contender.js";
import { parseShapes } from "../../dist/bench/shape.js";
import { fit, openEngine } from "../../dist/index.js";
import { Random } from "../../dist/random.js";

const WARM_UPS = 3;
const RUNS = 7;

const [{ groups, rows, dims }] = parseShapes([process.argv[2]]);
const threads = Number(process.argv[3]);

const engine = await openEngine("auto", { threads });
const offsets = Float64Array.from({ length: groups + 1 }, (_, g) => g * rows[0]);
const batch = engine.allocate({ offsets, dims });
// Filled in place, and with numbers that cost little: this process holds the rows once, and the time does not depend on their values.
const random = Random.fromSeed(1);
for (let i = 0; i < batch.x.length; i++) batch.x[i] = random.uniform();

const times = [];
for (let run = -WARM_UPS; run < RUNS; run++) {
  const start = performance.now();
  const { counts } = await fit(batch, { engine });
  if (run >= 0) times.push(performance.now() - start);
  if (counts.converged !== groups) throw new Error(`${groups - (counts.converged ?? 0)} groups have no fit`);
}
await engine.close();
const { maxRSS } = process.resourceUsage(); // KiB
console.log(JSON.stringify({ ...timing(times), memoryBytes: maxRSS * 1024, rowBytes: batch.x.byteLength }));
