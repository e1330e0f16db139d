import koffi from "koffi";
import type { Accumulator, AccumulatorLayout, CodedRows } from "../../engine.js";
import { EngineError } from "../../errors.js";
import { ADDRESS, callOf, I32, I64, type LibraryCall, NOTHING } from "../../library-calls.js";
import { Statistics } from "../../statistics.js";
import { addressOf, freeMemory, memoryOf } from "../../steady-memory.js";

/** The words of what kernels/cpu/accumulate.cpp works on, in the order of Accumulation there. */
const FIELDS = {
  dims: 0,
  weighted: 1,
  pageBits: 2,
  laneBits: 3,
  laneGroups: 4,
  pages: 5,
  waiting: 6,
  count: 7,
} as const;

/** As near as the groups of a page come to it: memory is taken by pages, so that nothing is copied when groups appear. */
const PAGE_BYTES = 2 ** 21;

/** The first room for the numbers of rows that wait, in groups of a lane. */
const FIRST_GROUPS = 2 ** 12;

const LINE = 64;

/**
 * What the kernels export for accumulators. Its functions run in threads of Node's own pool, not in workers: rows are read by one of
 * these, and to hand them to the next takes no message.
 */
export class AccumulatorLibrary {
  readonly groupBytes: (dims: number, weighted: number) => number;
  readonly scratchBytes: (dims: number) => number;
  readonly accumulate: LibraryCall["later"];
  readonly accumulated: LibraryCall["later"];

  /** @throws Error where the library cannot be loaded */
  constructor(file: string) {
    const library = koffi.load(file);
    const later = (name: string, types: string[]) => callOf(library, name, NOTHING, types).later;
    this.groupBytes = callOf(library, "group_bytes", I64, [I32, I32]) as typeof this.groupBytes;
    this.scratchBytes = callOf(library, "accumulate_scratch", I64, [I32]) as typeof this.scratchBytes;
    const at = ADDRESS;
    this.accumulate = later("accumulate", [at, I32, at, at, at, I32, at]);
    this.accumulated = later("accumulated", [at, I32, I32, at, at, at, at, at]);
  }
}

/** Sums rows with the kernels of the engine `native`, on one or two threads: a file's rows come no faster than two of them take them in. */
export class NativeAccumulator implements Accumulator {
  readonly #library: AccumulatorLibrary;
  readonly #dims: number;
  readonly #fields = new BigInt64Array(memoryOf(8 * FIELDS.count));
  /** Where each lane's scratch begins. */
  readonly #scratches: readonly Aligned[];
  readonly #pages: Aligned[] = [];
  readonly #pageGroups: number;
  readonly #pageBytes: number;
  #table = new BigUint64Array(0);
  #waiting = new Uint8Array(0);
  #laneGroups = 0;
  /** What is being taken in: the kernels know no more than addresses, and V8 would free what nobody holds. */
  readonly #reading = new Set<CodedRows>();

  constructor(library: AccumulatorLibrary, { dims, weighted }: AccumulatorLayout, threads: number) {
    this.#library = library;
    this.#dims = dims;
    const laneBits = threads > 1 ? 1 : 0;
    const groupBytes = library.groupBytes(dims, Number(weighted));
    const pageBits = Math.max(0, Math.floor(Math.log2(PAGE_BYTES / groupBytes)));
    this.#pageGroups = 2 ** pageBits;
    this.#pageBytes = groupBytes * this.#pageGroups;
    const scratch = library.scratchBytes(dims);
    this.#scratches = Array.from({ length: 2 ** laneBits }, () => this.#take(scratch));
    this.#set(FIELDS.dims, dims);
    this.#set(FIELDS.weighted, Number(weighted));
    this.#set(FIELDS.pageBits, pageBits);
    this.#set(FIELDS.laneBits, laneBits);
  }

  async add(block: CodedRows, groups: number): Promise<void> {
    this.#makeRoom(groups);
    this.#reading.add(block);
    const { rows, x, codes, weights } = block;
    const at = [addressOf(x), weights ? addressOf(weights) : 0n, addressOf(codes)];
    await this.#onEveryLane((lane, scratch) =>
      this.#library.accumulate(this.#address, lane, ...at, rows, scratch),
    );
    this.#reading.delete(block);
  }

  async statistics(groups: number): Promise<Statistics> {
    const dims = this.#dims;
    this.#makeRoom(groups);
    const reals = (length: number) => new Float64Array(this.#shared(8 * length));
    const fields = {
      count: reals(groups),
      weight: reals(groups),
      mean: reals(groups * dims),
      scatter: reals(groups * dims * dims),
    };
    const { count, weight, mean, scatter } = fields;
    const to = [count, weight, mean, scatter].map((array) => addressOf(array));
    await this.#onEveryLane((lane, scratch) =>
      this.#library.accumulated(this.#address, lane, groups, ...to, scratch),
    );
    for (const { memory } of this.#pages.splice(0)) freeMemory(memory);
    return Statistics.from({ dims, groups, dtype: "float64", ...fields });
  }

  get #address(): bigint {
    return addressOf(this.#fields);
  }

  async #onEveryLane(work: (lane: number, scratch: bigint) => Promise<unknown>): Promise<void> {
    await Promise.all(this.#scratches.map(({ address }, lane) => work(lane, address)));
  }

  /** Pages for so many groups, and room for how many rows of each wait. */
  #makeRoom(groups: number): void {
    const pages = Math.ceil(groups / this.#pageGroups);
    if (pages > this.#table.length) {
      const table = new BigUint64Array(this.#zeros(8 * Math.max(pages, 2 * this.#table.length)));
      table.set(this.#table);
      this.#table = table;
      this.#set(FIELDS.pages, addressOf(table));
    }
    while (this.#pages.length < pages) {
      const page = this.#take(this.#pageBytes);
      this.#table[this.#pages.push(page) - 1] = page.address;
    }
    const own = Math.ceil(groups / this.#scratches.length);
    if (own > this.#laneGroups) this.#growWaiting(Math.max(own, 2 * this.#laneGroups, FIRST_GROUPS));
  }

  #growWaiting(laneGroups: number): void {
    const waiting = new Uint8Array(this.#zeros(laneGroups * this.#scratches.length));
    this.#scratches.forEach((_, lane) => {
      const from = lane * this.#laneGroups;
      waiting.set(this.#waiting.subarray(from, from + this.#laneGroups), lane * laneGroups);
    });
    this.#waiting = waiting;
    this.#laneGroups = laneGroups;
    this.#set(FIELDS.laneGroups, laneGroups);
    this.#set(FIELDS.waiting, addressOf(waiting));
  }

  #set(field: number, value: number | bigint): void {
    this.#fields[field] = BigInt(value);
  }

  /** Memory of zeros that begins a cache line. */
  #take(bytes: number): Aligned {
    const memory = new Uint8Array(this.#zeros(bytes + LINE));
    const start = addressOf(memory);
    const line = BigInt(LINE);
    return { memory, address: ((start + line - 1n) / line) * line };
  }

  #zeros(bytes: number): ArrayBuffer {
    return this.#had(bytes, memoryOf);
  }

  /** Memory that an engine's workers see without a copy. */
  #shared(bytes: number): SharedArrayBuffer {
    return this.#had(bytes, (size) => new SharedArrayBuffer(size));
  }

  #had<Memory>(bytes: number, take: (bytes: number) => Memory): Memory {
    try {
      return take(bytes);
    } catch (cause) {
      throw new EngineError(
        `native: ${Math.ceil(bytes / 2 ** 20)} MiB for the statistics of groups of ${this.#dims} columns cannot be had`,
        "Use fewer columns or fewer groups, or a machine with more memory",
        { cause },
      );
    }
  }
}

interface Aligned {
  /** What the address is in: it must be held. */
  readonly memory: Uint8Array;
  readonly address: bigint;
}
