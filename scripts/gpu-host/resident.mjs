// What the kernels do with rows and statistics that lie on the device already.
//
//     node resident.mjs moments|closed-form|iterations [SCALE]      SCALE: below 1 for a rehearsal
//
// Prints JSON; times are medians.

import { Bench } from "./device_bench.mjs";
import { openEngine } from "./dist/engines.js";
import { PRECISIONS } from "./dist/methods.js";
import { simulate } from "./dist/simulate.js";
import { SHAPES } from "./measure.mjs";

/** Bytes a second that a copy on the device reads and writes. */
async function copyBandwidth(bench, values) {
  const bytes = Math.ceil(2 ** 30 * bench.scale);
  const [from, to] = [await bench.fill(values, bytes), bench.take(bytes)];
  const seconds = bench.seconds(() => bench.copyOnDevice(to, from, bytes, bench.device.compute), 10);
  bench.giveBack(0);
  return (2 * bytes) / seconds;
}

async function moments(bench) {
  const blocks = bench.randomBlocks();
  const copy = await copyBandwidth(bench, blocks[8]);
  const bytes = Math.ceil(2 ** 30 * bench.scale);
  const found = [];
  for (const size of [8, 4]) {
    const rows = await bench.fill(blocks[size], bytes);
    const mark = bench.taken.length;
    for (const d of [1, 2, 3, 4, 5, 8, 12, 16, 24, 28, 32, 48, 64, 128]) {
      for (const [rowType, type] of bench.rowTypes(d)) {
        if (type.bytes !== size) continue;
        const n = 500;
        const groups = Math.floor(bytes / (n * d * size));
        const work = await bench.moments(rows, rowType, [groups, n, d], bench.statistics(groups, d));
        const seconds = bench.seconds(work);
        const bandwidth = (groups * n * d * size) / seconds;
        found.push({ rows: type.name, dims: d, n, groups, seconds, bandwidth, ofCopy: bandwidth / copy });
        bench.giveBack(mark);
      }
    }
    bench.giveBack(0);
  }
  return { copyBandwidth: copy, runs: found };
}

async function closedForms(bench) {
  const blocks = bench.randomBlocks();
  const found = [];
  for (const [most, n, d] of SHAPES) {
    for (const [rowType, type] of bench.rowTypes(d)) {
      const groups = Math.ceil(most * bench.scale);
      const rows = await bench.fill(blocks[type.bytes], groups * n * d * type.bytes);
      const statistics = bench.statistics(groups, d);
      const sum = await bench.moments(rows, rowType, [groups, n, d], statistics);
      const solve = bench.fit("closed-form", type.precision, groups, d, statistics);
      const both = bench.seconds(() => {
        sum();
        solve();
      });
      found.push({
        ...{ rows: type.name, groups, n, dims: d, seconds: both },
        ...{ moments: bench.seconds(sum), solve: bench.seconds(solve) },
      });
      bench.giveBack(0);
    }
  }
  return { runs: found };
}

async function statisticsOf(options) {
  const engine = await openEngine("native");
  try {
    const session = await engine.open(simulate(options).batch);
    return await session.statistics();
  } finally {
    await engine.close();
  }
}

/** A million groups from the default start; the statistics of ten thousand, a hundred times. */
async function iterations(bench) {
  const groups = Math.ceil(1_000_000 * bench.scale);
  const found = [];
  for (const d of [3, 8, 16]) {
    const some = await statisticsOf({ groups: Math.min(groups, 10_000), rows: 50, dims: d, condition: 100 });
    const statistics = {};
    for (const name of ["count", "weight", "mean", "scatter"]) {
      const bytes = (groups / some.count.length) * some[name].byteLength;
      statistics[name] = await bench.fill(some[name], bytes);
    }
    for (const [precision, name] of PRECISIONS.entries())
      for (const method of ["closed-form", "newton", "lbfgs"]) {
        if (method === "closed-form" && precision === 1) continue;
        const mark = bench.taken.length;
        const seconds = bench.seconds(bench.fit(method, precision, groups, d, statistics), 1, 3);
        found.push({ groups, dims: d, method, precision: name, seconds });
        bench.giveBack(mark);
      }
    bench.giveBack(0);
  }
  return { runs: found };
}

const PARTS = { moments, "closed-form": closedForms, iterations };
const [part, scale = "1"] = process.argv.slice(2);
const bench = new Bench(Number(scale));
try {
  process.stdout.write(`${JSON.stringify(await PARTS[part](bench))}\n`);
} finally {
  bench.device.destroy();
}
