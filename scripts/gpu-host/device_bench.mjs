// A device with data that lie there already, and what puts kernels to work on them: seconds, medians, each launch waited for at the end of
// a handful.
import koffi from "koffi";
import { Device } from "./dist/engines/cuda/device.js";
import { addressOf, Driver } from "./dist/engines/cuda/driver.js";
import { DEFAULT_TOLERANCE, methodCode, PRECISIONS, ROUNDING_UNIT } from "./dist/methods.js";
import { Random } from "./dist/random.js";
import { CALLS, median, RUNS } from "./measure.mjs";

export const ROW_TYPES = [
  { name: "float64", bytes: 8, precision: 0 },
  { name: "float32 summed in float64", bytes: 4, precision: 0 },
  { name: "float32", bytes: 4, precision: 1 },
];
/** A device in a context of its own, with what is needed to launch kernels on data that lies there. */
export class Bench {
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

  /** Row types that have kernels of their own here, as numbers of bench and describe; those of a type before are left out. */
  rowTypes(dims) {
    const entries = ROW_TYPES.map((_, rowType) => this.device.shape("moments", rowType, 0, dims).entry);
    return [...ROW_TYPES.entries()].filter(([i]) => entries.indexOf(entries[i]) === i);
  }

  /** Random numbers by the size of one: zeros draw less power and can be faster. */
  randomBlocks() {
    const float64 = normals(Math.ceil(2 ** 23 * Math.min(1, 16 * this.scale)));
    return { 8: float64, 4: Float32Array.from(float64) };
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

  async upload(values) {
    const at = this.take(values.byteLength);
    await this.device.ring.upload(at, { address: addressOf(values), pinned: false }, values.byteLength);
    this.device.synchronise();
    return at;
  }

  /** `bytes` of the values, over and over. */
  async fill(values, bytes) {
    const at = this.take(bytes);
    const length = Math.min(values.byteLength, bytes);
    await this.device.ring.upload(at, { address: addressOf(values), pinned: false }, length);
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
  async moments(rows, rowType, [groups, n, d], statistics) {
    const { device } = this;
    const shape = device.shape("moments", rowType, 0, d);
    const items = {
      first: await this.column(groups, (g) => g * n),
      length: await this.column(groups, () => n),
      target: await this.column(groups, (g) => g),
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
