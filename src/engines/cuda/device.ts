import type { Driver } from "./driver.js";
import { addressOf, outHandle } from "./driver.js";
import { Kernels, type Values } from "./kernels.js";
import { DeviceMemory } from "./memory.js";
import { Ring } from "./ring.js";

/** Attributes by the numbers that the driver knows them under. */
const ATTRIBUTE = {
  multiprocessors: 16,
  singleToDouble: 87,
  computeMajor: 75,
  computeMinor: 76,
  sharedMemoryOptIn: 97,
} as const;

/** A thread that waits for the device sleeps, and host memory can be mapped. */
const CONTEXT_FLAGS = 0x04 | 0x08;
const STREAM_NON_BLOCKING = 1;
const EVENT_BLOCKING_NO_TIMING = 1 | 2;
const HOST_MAPPED = 2;
const FUNCTION_DYNAMIC_SHARED = 8;
/** What a block may ask for without more ado. */
const PLAIN_SHARED = 48 * 1024;
/** The compiler's messages: what the driver is asked to write, and how much of it. */
const JIT_LOG = { buffer: 5, bytes: 6, size: 8192 } as const;

/** From here on (times ten) a device has matrix units for float64; how fast they are shows in what float64 costs it beside float32. */
const MATRIX_CAPABILITY = 80;
const FULL_SPEED = 4;

/** The least compute capability that the kernels are built for. */
export const LEAST_CAPABILITY = 7.5;

export interface DeviceFacts {
  readonly ordinal: number;
  readonly name: string;
  /** 7.5, 8.0, 9.0, … */
  readonly capability: number;
}

/** Compute capability, times ten. */
const capabilityOf = (attribute: (which: number) => number): number =>
  10 * attribute(ATTRIBUTE.computeMajor) + attribute(ATTRIBUTE.computeMinor);

/** What there is to know of a device without opening it. */
export function deviceFacts(driver: Driver, ordinal: number): DeviceFacts {
  const device = driver.intFrom("cuDeviceGet", ordinal);
  const name = new Uint8Array(new ArrayBuffer(256));
  driver.call("cuDeviceGetName", name, name.length, device);
  const attribute = (which: number): number => driver.intFrom("cuDeviceGetAttribute", which, device);
  return {
    ordinal,
    name: new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
    capability: capabilityOf(attribute) / 10,
  };
}

/** How a kernel is to be launched: what `describe` of kernels/cuda/arguments.hpp answers. */
export interface Shape {
  readonly entry: number;
  readonly width: number;
  readonly threads: number;
  /** Of a team; one of the two is 0. */
  readonly sharedBytes: number;
  readonly scratchBytes: number;
  readonly chunkRows: number;
  readonly partRows: number;
  readonly mergeParts: number;
}

export const OPERATION = { moments: 0, merge: 1, fit: 2, evaluate: 3 } as const;

/**
 * One device with a context of the engine's own: two streams, so that copies overlap with kernels, and the kernels loaded so far.
 * Lives in one thread, whose current context it is. Destroying the context gives everything back, whatever state it is in.
 */
export class Device {
  readonly driver: Driver;
  /** Kernels run on one stream, copies on the other. */
  readonly compute: bigint;
  readonly copy: bigint;
  /** Whether the context is of no more use and is to be destroyed. */
  broken = false;
  readonly #context: bigint;
  readonly #kernels: Kernels;
  readonly #multiprocessors: number;
  readonly #sharedLimit: number;
  /** Compute capability, times ten. */
  readonly #capability: number;
  /** Whether kernels that multiply float64 matrices are the faster ones. */
  readonly #matrixUnits: boolean;
  readonly #functions = new Map<number, bigint>();
  readonly #shapes = new Map<string, Shape>();
  readonly #order: bigint;
  /** For whatever works in turns. */
  readonly windowEvents: readonly bigint[];
  readonly memory: DeviceMemory;
  readonly ring: Ring;
  /** Of the last launch: a field keeps them alive while the driver, which has their address only, copies them. */
  #arguments: BigInt64Array | undefined;

  /** @throws DriverError where the driver refuses */
  constructor(driver: Driver, ordinal: number) {
    this.driver = driver;
    this.#kernels = new Kernels();
    const device = driver.intFrom("cuDeviceGet", ordinal);
    const attribute = (which: number): number => driver.intFrom("cuDeviceGetAttribute", which, device);
    this.#multiprocessors = attribute(ATTRIBUTE.multiprocessors);
    this.#sharedLimit = attribute(ATTRIBUTE.sharedMemoryOptIn);
    this.#capability = capabilityOf(attribute);
    this.#matrixUnits =
      this.#capability >= MATRIX_CAPABILITY && attribute(ATTRIBUTE.singleToDouble) <= FULL_SPEED;
    this.#context = driver.handleFrom("cuCtxCreate_v2", CONTEXT_FLAGS, device);
    try {
      this.compute = driver.handleFrom("cuStreamCreate", STREAM_NON_BLOCKING);
      this.copy = driver.handleFrom("cuStreamCreate", STREAM_NON_BLOCKING);
      this.#order = this.event();
      this.windowEvents = Array.from({ length: 6 }, () => this.event());
      this.memory = new DeviceMemory(this);
      this.ring = new Ring(this);
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /** Bytes that can be had now. */
  free(): number {
    const [free, total] = [outHandle(), outHandle()];
    this.driver.call("cuMemGetInfo_v2", free, total);
    return Number(free[0]);
  }

  event(): bigint {
    return this.driver.handleFrom("cuEventCreate", EVENT_BLOCKING_NO_TIMING);
  }

  /** What is put on `later` from now on waits for all that is on `earlier`. */
  orderAfter(later: bigint, earlier: bigint, event = this.#order): void {
    this.driver.call("cuEventRecord", event, earlier);
    this.driver.call("cuStreamWaitEvent", later, event, 0);
  }

  /** Waits until all work is done. */
  synchronise(): void {
    this.driver.call("cuStreamSynchronize", this.copy);
    this.driver.call("cuStreamSynchronize", this.compute);
  }

  /** Host memory under an address that kernels can read. */
  map(address: bigint, bytes: number): bigint {
    this.driver.call("cuMemHostRegister_v2", address, bytes, HOST_MAPPED);
    return this.driver.handleFrom("cuMemHostGetDevicePointer_v2", address, 0);
  }

  /** Ordinary host memory into the workspace's block for `purpose`; its address, of use once the copy stream has come past this. */
  async bring(from: bigint, bytes: number, purpose: string): Promise<bigint> {
    const room = this.memory.scratch(bytes, purpose);
    await this.ring.upload(room, { address: from, pinned: false }, bytes);
    return room;
  }

  /** How to launch an operation; `type` and `variant` as in kernels/cuda/arguments.hpp. */
  shape(operation: keyof typeof OPERATION, type: number, variant: number, dims: number): Shape {
    const key = `${operation} ${type} ${variant} ${dims}`;
    const known = this.#shapes.get(key);
    if (known) return known;
    const answer = this.#describe([OPERATION[operation], type, variant, dims]);
    const [entry, width, threads, sharedBytes, scratchBytes, chunkRows, partRows, mergeParts] = answer;
    const shape = { entry, width, threads, sharedBytes, scratchBytes, chunkRows, partRows, mergeParts };
    this.#shapes.set(key, shape);
    return shape;
  }

  /** Blocks that work through a list of `length`: as many as the device holds at once, if that many have something to do. */
  blocks(shape: Shape, length: number): number {
    const teams = shape.threads / shape.width;
    const resident = this.driver.intFrom(
      "cuOccupancyMaxActiveBlocksPerMultiprocessor",
      this.#function(shape.entry, shape.sharedBytes * teams),
      shape.threads,
      shape.sharedBytes * teams,
    );
    return Math.min(Math.ceil(length / teams), Math.max(1, resident) * this.#multiprocessors);
  }

  /** Puts a kernel on the compute stream. */
  launch(
    shape: Pick<Shape, "entry" | "threads" | "width" | "sharedBytes">,
    blocks: number,
    values: Values,
  ): void {
    const { entry, threads, width, sharedBytes } = shape;
    const shared = sharedBytes * (threads / width);
    const kernel = this.#function(entry, shared);
    this.#arguments = this.#kernels.pack(this.#kernels.entry(entry), values);
    const table = new BigUint64Array(new ArrayBuffer(8));
    table[0] = addressOf(this.#arguments);
    this.driver.call(
      "cuLaunchKernel",
      kernel,
      blocks,
      1,
      1,
      threads,
      1,
      1,
      shared,
      this.compute,
      table,
      null,
    );
  }

  /** After a failure: waits for what is still under way, gives the workspace back, and sees whether the context can go on. */
  recover(): void {
    const { driver } = this;
    for (const stream of [this.copy, this.compute]) {
      if (driver.try("cuStreamSynchronize", stream) !== 0) this.broken = true;
    }
    this.ring.reset();
    this.memory.clear();
  }

  /** Gives everything back that belongs to the device. */
  destroy(): void {
    this.driver.try("cuCtxDestroy_v2", this.#context);
  }

  /** The one-thread kernel that says how the others are launched: the rules for it stand in the kernels alone. */
  #describe([operation, type, variant, dims]: readonly number[]): number[] {
    const entry = this.#kernels.listing.entries.findIndex(({ name }) => name === "describe");
    const answer = new BigInt64Array(new ArrayBuffer(64));
    const out = this.driver.handleFrom("cuMemAlloc_v2", answer.byteLength);
    try {
      const sharedLimit = this.#sharedLimit;
      const matrixUnits = this.#matrixUnits ? 1 : 0;
      const values = { out, operation, type, variant, dims, sharedLimit, matrixUnits };
      this.launch({ entry, threads: 1, width: 1, sharedBytes: 0 }, 1, values);
      this.driver.call("cuMemcpyDtoHAsync_v2", addressOf(answer), out, answer.byteLength, this.compute);
      this.driver.call("cuStreamSynchronize", this.compute);
    } finally {
      this.driver.try("cuMemFree_v2", out);
    }
    return Array.from(answer, Number);
  }

  #function(place: number, sharedBytes: number): bigint {
    let found = this.#functions.get(place);
    if (found === undefined) {
      const entry = this.#kernels.entry(place);
      const module = this.#load(this.#kernels.fileFor(entry, this.#capability));
      found = this.driver.handleFrom("cuModuleGetFunction", module, entry.name);
      this.#functions.set(place, found);
    }
    if (sharedBytes > PLAIN_SHARED) {
      this.driver.call("cuFuncSetAttribute", found, FUNCTION_DYNAMIC_SHARED, sharedBytes);
    }
    return found;
  }

  /** Has the driver compile a kernel for the device, which it remembers on disk. */
  #load(file: string): bigint {
    const image = this.#kernels.image(file);
    const module = outHandle();
    const log = new Uint8Array(new ArrayBuffer(JIT_LOG.size));
    const options = new Int32Array(new ArrayBuffer(8));
    options.set([JIT_LOG.buffer, JIT_LOG.bytes]);
    const values = new BigUint64Array(new ArrayBuffer(16));
    values.set([addressOf(log), BigInt(JIT_LOG.size)]);
    const code = this.driver.try("cuModuleLoadDataEx", module, image, options.length, options, values);
    if (code !== 0) {
      const text = new TextDecoder().decode(log.subarray(0, log.indexOf(0)));
      throw this.driver.error("cuModuleLoadDataEx", code, text.trim());
    }
    return module[0];
  }
}
