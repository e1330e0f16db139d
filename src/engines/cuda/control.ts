import type { Device } from "./device.js";
import { addressOf } from "./driver.js";
import { CONTROL, PAGE, type Start } from "./task.js";

/** Thrown where the main thread has ended the call. */
export class Stopped extends Error {
  override name = "Stopped";
}

/** The control page, as the thread of a device sees it. */
export class Control {
  readonly #words: Int32Array;

  constructor(start: Start) {
    this.#words = new Int32Array(start.control, start.controlOffset, PAGE / 4);
  }

  get address(): bigint {
    return addressOf(this.#words);
  }

  /** Where kernels find the word `stop`. */
  mapInto(device: Device): bigint {
    return device.map(this.address, PAGE) + BigInt(CONTROL.stop * 4);
  }

  /** How often each group will be counted. */
  begin(phases: number): void {
    Atomics.store(this.#words, CONTROL.phases, phases);
  }

  /** Counts groups that are done. */
  count(groups: number): void {
    Atomics.add(this.#words, CONTROL.done, groups);
  }

  /** @throws Stopped where the call has been ended */
  check(): void {
    if (Atomics.load(this.#words, CONTROL.stop) !== 0) throw new Stopped();
  }
}
