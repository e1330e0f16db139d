import { EngineError } from "../../errors.js";
import type { LentMemory } from "../resident_batch.js";
import { addressOf } from "./driver.js";
import { mebibytes } from "./memory.js";
import { PAGE } from "./task.js";
import { type DeviceThread, paddingTo } from "./thread.js";

/** Blocks that are given back are kept for the next need of at least half their size: locking memory takes as long as filling it. */
const WORTH = 2;
const KEPT_BYTES = 2 ** 29;

interface Block {
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly bytes: number;
  readonly address: bigint;
  /** Whether the memory could be locked in place, once that is known. */
  readonly pinned: Promise<boolean>;
}

/** Host memory that the devices read at full speed: ordinary shared memory, locked in place by the driver. */
export class HostMemoryPool implements LentMemory {
  readonly #thread: DeviceThread;
  readonly #lent = new Map<number, Block>();
  #kept: Block[] = [];
  #next = 0;

  constructor(thread: DeviceThread) {
    this.#thread = thread;
  }

  take(bytes: number, purpose: string): number {
    const size = Math.max(PAGE, Math.ceil(bytes / PAGE) * PAGE);
    const at = this.#kept.findIndex((block) => block.bytes >= size && block.bytes <= WORTH * size);
    const block = at < 0 ? this.#fresh(size, purpose) : this.#kept.splice(at, 1)[0];
    this.#lent.set(this.#next, block);
    return this.#next++;
  }

  give(number: number): void {
    const block = this.#lent.get(number);
    if (!block) return;
    this.#lent.delete(number);
    this.#kept.push(block);
    let bytes = this.#kept.reduce((sum, one) => sum + one.bytes, 0);
    while (bytes > KEPT_BYTES) {
      const oldest = this.#kept.shift() as Block;
      bytes -= oldest.bytes;
      void this.#letGo(oldest);
    }
  }

  spanOf(number: number): Block {
    const block = this.#lent.get(number);
    if (!block) throw new EngineError("cuda: the memory has been given back", "");
    return block;
  }

  /** Lets go of what is kept; what is lent stays readable, as ordinary memory. */
  clear(): void {
    this.#kept = [];
  }

  #fresh(bytes: number, purpose: string): Block {
    let buffer: SharedArrayBuffer;
    try {
      buffer = new SharedArrayBuffer(bytes + PAGE);
    } catch (error) {
      throw new EngineError(
        `cuda: ${purpose} needs ${mebibytes(bytes)}, which cannot be had`,
        "Fit fewer groups at a time, or free memory",
        { cause: error },
      );
    }
    const start = addressOf(new Uint8Array(buffer, 0, 1));
    const byteOffset = paddingTo(PAGE, start);
    const address = start + BigInt(byteOffset);
    const pinned = this.#thread.request({ kind: "pin", address, bytes }).then(
      (locked) => locked === true,
      () => false,
    );
    return { buffer, byteOffset, bytes, address, pinned };
  }

  /** The buffer is held until the driver has let it go. */
  async #letGo({ buffer, address, bytes }: Block): Promise<SharedArrayBuffer> {
    await this.#thread.request({ kind: "unpin", address, bytes }).catch(() => undefined);
    return buffer;
  }
}
