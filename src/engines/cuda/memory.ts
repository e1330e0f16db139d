import { EngineError } from "../../errors.js";
import type { Device } from "./device.js";
import { outHandle } from "./driver.js";

const OUT_OF_MEMORY = 2;
/** Of what is free, the share that is planned with: the driver rounds sizes up, and other programs come and go. */
const USABLE = 0.9;
/** A kept block serves a need of at least half its size. */
const WORTH = 2;

interface Block {
  readonly address: bigint;
  readonly bytes: number;
}

/** Device memory: blocks that stay until they are given back, and a workspace whose blocks are kept from call to call. */
export class DeviceMemory {
  readonly #device: Device;
  /** By what they are used for. */
  readonly #workspace = new Map<string, Block>();
  /** What the work at hand has asked for. */
  readonly #inUse = new Set<string>();

  constructor(device: Device) {
    this.#device = device;
  }

  /** Bytes that a call can plan with: what is free, and the workspace. */
  usable(): number {
    let kept = 0;
    for (const { bytes } of this.#workspace.values()) kept += bytes;
    return Math.floor((this.#device.free() + kept) * USABLE);
  }

  /** A new piece of work begins: blocks of the workspace that it does not ask for may go where memory is short. */
  begin(): void {
    this.#inUse.clear();
  }

  /**
   * The address of a block that is the caller's until `give`.
   *
   * @throws EngineError where the device has not got so much
   */
  take(bytes: number, purpose: string): bigint {
    const address = outHandle();
    let code = this.#allocate(address, bytes);
    if (code === OUT_OF_MEMORY) {
      this.#discard((one) => !this.#inUse.has(one));
      code = this.#allocate(address, bytes);
    }
    if (code === 0) return address[0];
    const error = this.#device.driver.error("cuMemAlloc_v2", code);
    if (code !== OUT_OF_MEMORY) throw error;
    throw lacking(`${purpose} could not have ${mebibytes(bytes)} of device memory`, error);
  }

  /** Where the driver does not take a block back, the device is to be opened anew. */
  give(address: bigint): void {
    if (this.#device.driver.try("cuMemFree_v2", address) !== 0) this.#device.broken = true;
  }

  /** The address of the workspace's block for `purpose`; what it holds from before is of no account. */
  scratch(bytes: number, purpose: string): bigint {
    this.#inUse.add(purpose);
    const kept = this.#workspace.get(purpose);
    if (kept && kept.bytes >= bytes && kept.bytes <= WORTH * bytes) return kept.address;
    if (kept) {
      this.#workspace.delete(purpose);
      this.give(kept.address);
    }
    const block = { address: this.take(bytes, purpose), bytes };
    this.#workspace.set(purpose, block);
    return block.address;
  }

  /** Gives the workspace back. */
  clear(): void {
    this.#discard(() => true);
  }

  #allocate(address: BigUint64Array, bytes: number): number {
    return this.#device.driver.try("cuMemAlloc_v2", address, Math.max(bytes, 1));
  }

  #discard(which: (purpose: string) => boolean): void {
    for (const [purpose, { address }] of this.#workspace) {
      if (!which(purpose)) continue;
      this.#workspace.delete(purpose);
      this.give(address);
    }
  }
}

export const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

const lacking = (what: string, cause?: unknown): EngineError =>
  new EngineError(
    `cuda: ${what}`,
    "Close other programs that use the device, fit fewer groups or columns at a time, or use --engine wasm",
    { cause },
  );
