// What the kernels do with rows and statistics that lie on the device already: seconds, medians, each launch waited for at the end of a
// handful. Rows and statistics are random, since zeros draw less power and can be faster.
import koffi from "koffi";
import { Device } from "./dist/engines/cuda/device.js";
import { addressOf, Driver } from "./dist/engines/cuda/driver.js";
import { openEngine } from "./dist/engines.js";
import { DEFAULT_TOLERANCE, methodCode, PRECISIONS, ROUNDING_UNIT } from "./dist/methods.js";
import { Random } from "./dist/random.js";
import { simulate } from "./dist/simulate.js";
import { CALLS, median, RUNS, SHAPES } from "./measure.mjs";

const ROW_TYPES = [
  { name: "float64", bytes: 8, precision: 0 },
  { name: "float32 summed in float64", bytes: 4, precision: 0 },
  { name: "float32", bytes: 4, precision: 1 },
];
/** A device in a context of its own, with what is needed to launch kernels on data that lies there. */
class Bench {
  constructor(scale) {
    this.scale = scale;
    const driver = Driver.load();
    this.device = new Device(driver, 0);
    const raw = koffi.load(driver.library);
    this.copyOnDevice = raw.func("cuMemcpyDtoDAsync_v2", "int", [
      "uint64_t",
      "uint64_t",
      "size_t",
      "uint64_t",
    ]);
    this.taken = [];
  }

  take(bytes) {
    const at = this.device.memory.take(Math.max(bytes, 16), "benchmark");
    this.taken.push(at);
    return at;
  }

  /** Gives back what was taken since `mark`. */
  giveBack(mark) {
    for (const at of this.taken.splice(mark)) this.device.memory.give(at);
  }

  upload(values) {
    const at = this.take(values.byteLength);
    this.device.ring.upload(at, { address: addressOf(values), pinned: false }, values.byteLength);
    this.device.synchronise();
    return at;
  }

  /** `bytes` of the values, over and over. */
  fill(values, bytes) {
    const at = this.take(bytes);
    const length = Math.min(values.byteLength, bytes);
    this.device.ring.upload(at, { address: addressOf(values), pinned: false }, length);
    this.device.synchronise();
    for (let done = length; done < bytes; ) {
      const some = Math.min(done, bytes - done);
      this.copyOnDevice(at + BigInt(done), at, some, this.device.copy);
      done += some;
      this.device.synchronise();
    }
    return at;
  }

  column(length, value) {
    const words = new BigInt64Array(new ArrayBuffer(length * 8));
    for (let i = 0; i < length; i++) words[i] = BigInt(value(i));
    return this.upload(words);
  }

  scratch(shape, blocks) {
    const { width, sharedBytes, scratchBytes } = shape;
    const bytes = scratchBytes * (shape.threads / width) * blocks;
    return { width, sharedBytes, scratchBytes, scratch: bytes > 0 ? this.take(bytes) : 0n };
  }

  /** Seconds of one call of `work`, which puts something on the compute stream. */
  seconds(work, times = CALLS, runs = RUNS) {
    work();
    this.device.synchronise();
    return median(
      Array.from({ length: runs }, () => {
        const since = performance.now();
        for (let i = 0; i < times; i++) work();
        this.device.synchronise();
        return (performance.now() - since) / 1000 / times;
      }),
    );
  }

  /** The statistics of `groups` groups, empty. */
  statistics(groups, d) {
    const room = (words) => this.take(groups * words * 8);
    return { count: room(1), weight: room(1), mean: room(d), scatter: room(d * d) };
  }

  /** What puts `moments` of equal groups on the stream. */
  moments(rows, rowType, [groups, n, d], statistics) {
    const { device } = this;
    const shape = device.shape("moments", rowType, 0, d);
    const items = {
      first: this.column(groups, (g) => g * n),
      length: this.column(groups, () => n),
      target: this.column(groups, (g) => g),
    };
    const blocks = device.blocks(shape, groups);
    const beside = { weights: 0n, meanRest: 0n, firstPart: groups, items: groups, dims: d };
    const values = { rows, ...items, ...statistics, ...beside, ...this.scratch(shape, blocks) };
    return () => device.launch(shape, blocks, values);
  }

  /** What puts a fit of all groups on the stream. */
  fit(method, precision, groups, d, statistics) {
    const { device } = this;
    const shape = device.shape("fit", precision, methodCode(method), d);
    const room = (bytes) => this.take(groups * bytes);
    const results = {
      ...{ outMean: room(d * 8), outCovariance: room(d * d * 8), outFactor: room(d * d * 8) },
      ...{ outLogLikelihood: room(8), outResidual: room(8), outGap: room(8) },
      ...{ outIterations: room(4), outStatus: room(1) },
    };
    const rules = { method: methodCode(method), start: 0, ddof: 0, maxIterations: 1000, stop: 0n };
    const name = PRECISIONS[precision];
    const exact = { tolerance: DEFAULT_TOLERANCE[name], epsilon: ROUNDING_UNIT[name] };
    const blocks = device.blocks(shape, groups);
    const values = {
      ...{ ...statistics, ...results, ...rules, ...exact, startMean: 0n, startFactor: 0n, groups, dims: d },
      ...this.scratch(shape, blocks),
    };
    return () => device.launch(shape, blocks, values);
  }
}

/** Standard normal numbers, enough that none of a device's caches holds them. */
function normals(count) {
  const random = Random.fromSeed(1);
  return new Float64Array(count).map(() => random.normal());
}

function moments(bench, blocks, copyBandwidth) {
  const bytes = Math.ceil(2 ** 30 * bench.scale);
  const found = [];
  for (const [rowType, type] of ROW_TYPES.entries()) {
    const rows = bench.fill(blocks[type.bytes], bytes);
    for (const d of [1, 2, 3, 4, 5, 8, 12, 16, 24, 28, 32, 48, 64, 128]) {
      const mark = bench.taken.length;
      const n = 500;
      const groups = Math.floor(bytes / (n * d * type.bytes));
      const time = bench.seconds(bench.moments(rows, rowType, [groups, n, d], bench.statistics(groups, d)));
      const bandwidth = (groups * n * d * type.bytes) / time;
      found.push({
        rows: type.name,
        dims: d,
        n,
        groups,
        seconds: time,
        bandwidth,
        ofCopy: bandwidth / copyBandwidth,
      });
      bench.giveBack(mark);
    }
    bench.giveBack(0);
  }
  return found;
}

function closedForms(bench, blocks) {
  const found = [];
  for (const [rowType, type] of ROW_TYPES.entries()) {
    for (const [most, n, d] of SHAPES) {
      const groups = Math.ceil(most * bench.scale);
      const rows = bench.fill(blocks[type.bytes], groups * n * d * type.bytes);
      const statistics = bench.statistics(groups, d);
      const sum = bench.moments(rows, rowType, [groups, n, d], statistics);
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
  return found;
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
    const statistics = Object.fromEntries(
      ["count", "weight", "mean", "scatter"].map((name) => {
        const bytes = (groups / some.count.length) * some[name].byteLength;
        return [name, bench.fill(some[name], bytes)];
      }),
    );
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
  return found;
}

/** @param scale below 1 for a rehearsal */
export async function resident(scale) {
  const bench = new Bench(scale);
  const { device } = bench;
  try {
    const float64 = normals(Math.ceil(2 ** 23 * Math.min(1, 16 * scale)));
    const blocks = { 8: float64, 4: Float32Array.from(float64) };
    const bytes = Math.ceil(2 ** 30 * scale);
    const [from, to] = [bench.fill(float64, bytes), bench.take(bytes)];
    // Read and written: twice the bytes.
    const copy = bench.seconds(() => bench.copyOnDevice(to, from, bytes, device.compute), 10);
    const copyBandwidth = (2 * bytes) / copy;
    bench.giveBack(0);
    return {
      copyBandwidth,
      moments: moments(bench, blocks, copyBandwidth),
      closedForm: closedForms(bench, blocks),
      iterations: await iterations(bench),
    };
  } finally {
    device.destroy();
  }
}
