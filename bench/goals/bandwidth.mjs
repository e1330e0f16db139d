// How much of the memory's speed a fit of few columns reaches: the fit and a loop that only reads, in turn, since what the memory
// gives changes from minute to minute where others share it.
import { clocked, timing } from "../../dist/bench/contender.js";
import { placed } from "../../dist/bench/workload.js";
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

/** What the engine and the loop that only reads reach, GB/s, run for run. */
async function speeds(engine, reader, shape, signal) {
  const { batch, release } = placed(simulate({ ...shape, seed: 1 }).batch, "engine", engine);
  const fits = [];
  const reads = [];
  for (let run = -WARM; run < RUNS; run++) {
    const { ms, value } = await clocked(() => fit(batch, { engine, signal }));
    value.release();
    const read = await reader.read();
    if (run < 0) continue;
    fits.push(batch.x.byteLength / ms / 1e6);
    reads.push(read);
  }
  release();
  return { shape, fits, reads };
}

export async function bandwidth({ engine: name, threads, signal }) {
  const engine = await openEngine(name, { threads });
  const measured = [];
  try {
    const reader = await openReader(threads);
    try {
      for (const shape of SHAPES) measured.push(await speeds(engine, reader, shape, signal));
    } finally {
      await reader.close();
    }
  } finally {
    await engine.close();
  }
  const lines = measured.map(({ shape: { groups, rows, dims }, fits, reads }) => {
    const [own, read] = [timing(fits).median, timing(reads).median];
    return {
      what: `${groups}x${rows}x${dims} float64`,
      goal: "share of the read bandwidth",
      least: SHARE,
      got: own / read,
      unit: "",
      note: `${own.toFixed(1)} of ${read.toFixed(1)} GB/s`,
    };
  });
  return { lines, measured };
}
