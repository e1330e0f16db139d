// How much of the memory's speed a fit of few columns reaches: the fit and a loop that only reads, in turn, since what the memory
// gives changes from minute to minute where others share it.
import { openEngine } from "../../dist/engines.js";
import { fit } from "../../dist/fit.js";
import { simulate } from "../../dist/simulate.js";
import { openReader } from "../limits.mjs";

const SHAPES = [
  { groups: 100_000, rows: 50, dims: 3 },
  { groups: 10_000, rows: 500, dims: 4 },
];
const SHARE = 0.7;
const WARM = 5;
const RUNS = 31;

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** What the engine and the loop that only reads reach, GB/s, run for run. */
async function speeds(engine, reader, shape) {
  const { batch: rows } = simulate({ ...shape, seed: 1 });
  const batch = engine.allocate({ offsets: rows.offsets, dims: rows.dims, dtype: "float64" });
  batch.x.set(rows.x);
  const fits = [];
  const reads = [];
  for (let run = -WARM; run < RUNS; run++) {
    const start = performance.now();
    const result = await fit(batch, { engine });
    const ms = performance.now() - start;
    result.release();
    const read = await reader.read();
    if (run < 0) continue;
    fits.push(batch.x.byteLength / ms / 1e6);
    reads.push(read);
  }
  batch.release();
  return { shape, fits, reads };
}

export async function bandwidth({ engine: name, threads }) {
  const engine = await openEngine(name, { threads });
  const reader = await openReader(threads);
  const measured = [];
  try {
    for (const shape of SHAPES) measured.push(await speeds(engine, reader, shape));
  } finally {
    await reader.close();
    await engine.close();
  }
  const lines = measured.map(({ shape: { groups, rows, dims }, fits, reads }) => ({
    what: `${groups}x${rows}x${dims} float64`,
    goal: "share of the read bandwidth",
    least: SHARE,
    got: median(fits) / median(reads),
    unit: "",
    note: `${median(fits).toFixed(1)} of ${median(reads).toFixed(1)} GB/s`,
  }));
  return { lines, measured };
}
