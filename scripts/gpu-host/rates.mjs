// What the device does a second, for goals.md's figures and for the constants of src/engines/auto.ts. Prints JSON; times are medians.

import koffi from "koffi";
import { Batch } from "./dist/batch.js";
import { Device } from "./dist/engines/cuda/device.js";
import { addressOf, Driver } from "./dist/engines/cuda/driver.js";
import { CudaEngine } from "./dist/engines/cuda/engine.js";
import { fit } from "./dist/fit.js";
import { Statistics } from "./dist/statistics.js";

const scale = Number(process.argv[2] ?? 1); // below 1 for a rehearsal
const RUNS = 7;

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

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

/** Seconds of a fit of many groups from statistics on the device, results in memory included, and of its kernel as far as can be told. */
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

/** The device alone, in a context of its own: how fast it copies, and what share of that `moments` reaches. */
function deviceAlone() {
  const driver = Driver.load();
  const device = new Device(driver, 0);
  const raw = koffi.load(driver.library);
  const copy = raw.func("cuMemcpyDtoDAsync_v2", "int", ["uint64_t", "uint64_t", "size_t", "uint64_t"]);
  const seconds = (work, times) => {
    work();
    device.synchronise();
    const runs = Array.from({ length: RUNS }, () => {
      const since = performance.now();
      for (let i = 0; i < times; i++) work();
      device.synchronise();
      return (performance.now() - since) / 1000 / times;
    });
    return median(runs);
  };
  const bytes = Math.ceil(2 ** 30 * scale);
  const [from, to] = [device.memory.take(bytes, "source"), device.memory.take(bytes, "target")];
  // Read and written: twice the bytes.
  const bandwidth = (2 * bytes) / seconds(() => copy(to, from, bytes, device.compute), 10);
  const moments = [];
  for (const [rowType, valueBytes] of [
    [0, 8],
    [1, 4],
    [2, 4],
  ]) {
    for (const d of [2, 4, 8, 16, 32]) {
      const rows = 500;
      const groups = Math.floor(bytes / (rows * d * valueBytes));
      const shape = device.shape("moments", rowType, 0, d);
      const column = (value) => {
        const words = new BigInt64Array(new ArrayBuffer(groups * 8));
        for (let g = 0; g < groups; g++) words[g] = BigInt(value(g));
        const at = device.memory.take(words.byteLength, "items");
        device.ring.upload(at, { address: addressOf(words), pinned: false }, words.byteLength);
        return at;
      };
      const room = (words) => device.memory.take(groups * words * 8, "results");
      const [first, length, target] = [column((g) => g * rows), column(() => rows), column((g) => g)];
      const [count, weight, mean, scatter] = [room(1), room(1), room(d), room(d * d)];
      const blocks = device.blocks(shape, groups);
      const scratchTotal = shape.scratchBytes * (shape.threads / shape.width) * blocks;
      const scratch = scratchTotal > 0 ? device.memory.take(scratchTotal, "scratch") : 0n;
      const { width, sharedBytes, scratchBytes } = shape;
      const values = {
        ...{
          rows: from,
          weights: 0n,
          first,
          length,
          target,
          items: groups,
          dims: d,
          count,
          weight,
          mean,
          scatter,
        },
        ...{ meanRest: 0n, firstPart: groups, width, sharedBytes, scratch, scratchBytes },
      };
      device.synchronise();
      const time = seconds(() => device.launch(shape, blocks, values), 5);
      const read = groups * rows * d * valueBytes;
      moments.push({
        rowType,
        dims: d,
        rows,
        groups,
        seconds: time,
        bandwidth: read / time,
        ofCopy: read / time / bandwidth,
      });
      for (const at of [first, length, target, count, weight, mean, scatter]) device.memory.give(at);
      if (scratch) device.memory.give(scratch);
    }
  }
  device.destroy();
  return { copyBandwidth: bandwidth, moments };
}

const start = await starts();
const engine = await CudaEngine.start({});
const measured = { start, uploads: await uploads(engine), solvers: await solvers(engine) };
await engine.close();
let alone;
try {
  alone = deviceAlone();
} catch (error) {
  alone = { notMeasured: error.message };
}
process.stdout.write(`${JSON.stringify({ ...measured, alone })}\n`);
