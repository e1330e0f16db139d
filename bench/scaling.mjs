// How the closed form's time and memory grow with rows, groups, variables and threads: one varies, the others stay.
//
//     node bench/scaling.mjs [-o build/scaling.json] [--plot build/scaling.svg] [--threads 2]
//
// Every point is a process of its own, float64, with the rows in the engine's memory. Takes about two minutes.
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { commit, machine, ownVersions } from "../dist/bench/machine.js";
import { scalingPlot } from "./scaling/plot.mjs";

const POINT = fileURLToPath(new URL("scaling/point.mjs", import.meta.url));

const { values } = parseArgs({
  options: {
    output: { type: "string", short: "o", default: "build/scaling.json" },
    plot: { type: "string", default: "build/scaling.svg" },
    threads: { type: "string", default: String(availableParallelism()) },
  },
});
const all = Number(values.threads);

/** Doubling, up to all cores. */
const threadCounts = [...new Set([1, 2, 4, 8, 16, 32, 64].filter((count) => count < all).concat(all))];

const CURVES = {
  rows: [10, 31, 100, 316, 1000, 3162, 10000].map((n) => ({ at: n, shape: `1000x${n}x8`, threads: all })),
  groups: [10, 100, 1000, 10000, 100000].map((b) => ({ at: b, shape: `${b}x100x8`, threads: all })),
  variables: [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128].map((d) => {
    const groups = Math.round(2_000_000 / (d * 500)); // the same number of values at every d
    return { at: d, shape: `${groups}x500x${d}`, threads: all };
  }),
  threads: threadCounts.map((threads) => ({ at: threads, shape: "10000x200x8", threads })),
};

const run = promisify(execFile);
const points = [];
for (const [curve, list] of Object.entries(CURVES)) {
  for (const { at, shape, threads } of list) {
    const { stdout } = await run(process.execPath, [POINT, shape, String(threads)]);
    const point = { curve, at, shape, threads, ...JSON.parse(stdout) };
    points.push(point);
    const megabytes = Math.round(point.memoryBytes / 1e6);
    const speed = point.rowBytes / point.median / 1e6;
    console.log(
      `${curve.padEnd(9)} ${shape.padEnd(14)} ${threads} threads: ${point.median.toPrecision(3)} ms, ${speed.toPrecision(3)} GB/s, ${megabytes} MB`,
    );
  }
}
const result = {
  schema: "mvnfit/scaling@1",
  date: new Date().toISOString(),
  commit: commit(),
  machine: machine(),
  versions: ownVersions(),
  points,
};
for (const [file, text] of [
  [values.output, `${JSON.stringify(result, null, 2)}\n`],
  [values.plot, await scalingPlot(result)],
]) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
