import { EngineError } from "../../errors.js";

const PAGE = 65_536;
/** 1 MiB: more than the module declares for its own data. */
const FIRST_PAGES = 16;
/** A cache line: no two blocks share one, and a SIMD load is never split. */
const ALIGNMENT = 64;
/** What 32-bit addresses reach. */
const LIMIT_PAGES = 65_536;

interface Gap {
  start: number;
  end: number;
}

/**
 * The one memory that the kernels see, and which parts of it are free. Blocks are handed out first-fit from a list of gaps in
 * address order, and the memory grows where no gap is large enough. What has been given back is handed out again before fresh
 * memory, which costs a page fault every 4 KiB.
 */
export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly #engine: string;
  readonly #gaps: Gap[] = [];
  readonly #sizes = new Map<number, number>();
  #end = FIRST_PAGES * PAGE;

  /** @throws EngineError where the address space cannot be had */
  constructor(engine: string) {
    this.#engine = engine;
    try {
      this.memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: LIMIT_PAGES, shared: true });
    } catch (error) {
      throw new EngineError(
        `${engine}: cannot reserve 4 GiB of address space for the kernels`,
        "Raise the limit on virtual memory of this process (ulimit -v, or the container's), or close other engines",
        { cause: error },
      );
    }
  }

  /** Makes everything from `start` on free to be handed out: what lies below is the module's own. Called once. */
  openFrom(start: number): void {
    this.#growTo(start);
    this.#addGap(start, this.#end);
  }

  /**
   * The address of `bytes` free bytes, aligned to 64.
   *
   * @throws EngineError where the memory cannot grow that far; `purpose` begins the message
   */
  take(bytes: number, purpose: string): number {
    const size = Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT;
    let gap = this.#gaps.find((one) => aligned(one.start) + size <= one.end);
    if (!gap) {
      const last = this.#gaps.at(-1);
      const start = last?.end === this.#end ? last.start : this.#end;
      const end = this.#end;
      this.#growTo(aligned(start) + size, bytes, purpose);
      this.#addGap(end, this.#end);
      gap = this.#gaps[this.#gaps.length - 1];
    }
    const address = aligned(gap.start);
    gap.start = address + size;
    if (gap.start === gap.end) this.#gaps.splice(this.#gaps.indexOf(gap), 1);
    this.#sizes.set(address, size);
    return address;
  }

  /** Where a block lies. */
  spanOf(address: number): { readonly buffer: SharedArrayBuffer; readonly byteOffset: number } {
    return { buffer: this.memory.buffer as SharedArrayBuffer, byteOffset: address };
  }

  /** Gives a block back. */
  give(address: number): void {
    const size = this.#sizes.get(address);
    if (size === undefined) return;
    this.#sizes.delete(address);
    this.#addGap(address, address + size);
  }

  #growTo(end: number, need = end, purpose = "the kernels' own data"): void {
    const pages = Math.ceil((end - this.#end) / PAGE);
    if (pages <= 0) return;
    try {
      if (this.#end / PAGE + pages > LIMIT_PAGES) throw new RangeError("beyond 32-bit addresses");
      this.memory.grow(pages);
    } catch (error) {
      throw outOfMemory(
        this.#engine,
        purpose,
        need,
        (LIMIT_PAGES * PAGE - this.#end + this.#free()) / 2 ** 20,
        error,
      );
    }
    this.#end += pages * PAGE;
  }

  #free(): number {
    return this.#gaps.reduce((sum, gap) => sum + gap.end - gap.start, 0);
  }

  #addGap(start: number, end: number): void {
    if (start >= end) return;
    let at = this.#gaps.findIndex((gap) => gap.start >= end);
    if (at < 0) at = this.#gaps.length;
    const before = this.#gaps[at - 1];
    const after = this.#gaps[at];
    const gap = { start, end };
    if (before?.end === start) gap.start = before.start;
    if (after?.start === end) gap.end = after.end;
    const from = gap.start < start ? at - 1 : at;
    const to = gap.end > end ? at + 1 : at;
    this.#gaps.splice(from, to - from, gap);
  }
}

function outOfMemory(
  engine: string,
  purpose: string,
  bytes: number,
  freeMiB: number,
  cause: unknown,
): EngineError {
  const need = Math.ceil(bytes / 2 ** 20);
  return new EngineError(
    `${engine}: ${purpose} needs ${need} MiB, and of the 4096 MiB that an engine's memory may have at most ${Math.floor(freeMiB)} MiB are free`,
    "Use fewer threads or fewer columns, release allocated batches, or keep the rows in a SharedArrayBuffer or a plain array",
    { cause },
  );
}

const aligned = (address: number): number => Math.ceil(address / ALIGNMENT) * ALIGNMENT;
