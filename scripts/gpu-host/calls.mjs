// What calls of a program take, from host memory to host memory: for the constants of src/engines/auto.ts.
//
//     node calls.mjs [SCALE]      SCALE: below 1 for a rehearsal
//
// Prints JSON; times are medians.

import { Batch } from "./dist/batch.js";
import { CudaEngine } from "./dist/engines/cuda/engine.js";
import { fit } from "./dist/fit.js";
import { Statistics } from "./dist/statistics.js";
import { median, RUNS } from "./measure.mjs";

const scale = Number(process.argv[2] ?? 1);

async function timed(work, runs = RUNS) {
  const seconds = [];
  for (let i = 0; i <= runs; i++) {
    const since = performance.now();
    await work();
    if (i > 0) seconds.push((performance.now() - since) / 1000); // the first one warms up
  }
  return median(seconds);
}

/** Seconds until an engine is open: as the first of a process, and later. */
async function starts() {
  const since = performance.now();
  await (await CudaEngine.start({})).close();
  const first = (performance.now() - since) / 1000;
  return { first, later: await timed(async () => (await CudaEngine.start({})).close(), 3) };
}

/** Bytes a second from rows to statistics: from ordinary memory and from the engine's. */
async function uploads(engine) {
  const [groups, rows, dims] = [Math.ceil(20_000 * scale), 500, 8];
  const shape = { groups, rows, dims };
  const plain = Batch.fromDense(new Float64Array(groups * rows * dims).fill(1), shape);
  const own = engine.allocate({ offsets: plain.offsets, dims });
  own.x.fill(1);
  const sum = (batch) =>
    timed(async () => {
      const session = await engine.open(batch);
      await session.fit({
        method: "closed-form",
        ddof: 0,
        start: "default",
        tolerance: 1e-8,
        maxIterations: 0,
      });
      await session.close();
    });
  const bytes = plain.x.byteLength;
  const result = { bytes, ordinary: bytes / (await sum(plain)), pinned: bytes / (await sum(own)) };
  own.release();
  return result;
}

/** Seconds of a fit of many groups from statistics to results, both in memory. */
async function solvers(engine) {
  const groups = Math.ceil(1_000_000 * scale);
  const d = 8;
  const scatter = new Float64Array(groups * d * d);
  for (let g = 0; g < groups; g++) {
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++)
        scatter[(g * d + i) * d + j] = 50 * (i === j ? 1 + i : 0.3 * Math.cos(g + i * j));
    }
    for (let i = 0; i < d; i++)
      for (let j = 0; j < i; j++) scatter[(g * d + i) * d + j] = scatter[(g * d + j) * d + i];
  }
  const count = new Float64Array(groups).fill(50);
  const statistics = Statistics.from({
    dims: d,
    groups,
    dtype: "float64",
    count,
    weight: count.slice(),
    mean: new Float64Array(groups * d),
    scatter,
  });
  const seconds = {};
  for (const method of ["closed-form", "newton", "lbfgs"]) {
    seconds[method] = await timed(() => fit(statistics, { engine, method }), 3);
  }
  return { groups, dims: d, seconds };
}

const start = await starts();
const engine = await CudaEngine.start({});
const measured = { start, uploads: await uploads(engine), solvers: await solvers(engine) };
await engine.close();
process.stdout.write(`${JSON.stringify(measured)}\n`);
