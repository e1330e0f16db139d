import type { Device } from "./device.js";
import { copyHost } from "./host_copy.js";

/** Windows of pinned memory, and how long they are: two are copied by the processor while two are on their way. */
const WINDOWS = 4;
const WINDOW_BYTES = 2 ** 22;

/** Host memory by its address. */
export interface HostMemory {
  readonly address: bigint;
  /** Whether the device can read it without the processor's help: it is locked in place. */
  readonly pinned: boolean;
}

interface Window {
  readonly address: bigint;
  /** When the device is done with the window. */
  readonly event: bigint;
  /** What is then left to do, where something is on its way. */
  finish: (() => Promise<void>) | undefined;
}

/**
 * Copies between host and device on the copy stream. Memory that is not pinned goes through a ring of pinned windows, so that the
 * processor copies the next one while the device copies the last.
 */
export class Ring {
  readonly #device: Device;
  readonly #windows: readonly Window[];
  #next = 0;

  constructor(device: Device) {
    this.#device = device;
    const { driver } = device;
    this.#windows = Array.from({ length: WINDOWS }, () => {
      const address = driver.handleFrom("cuMemHostAlloc", WINDOW_BYTES, 0);
      return { address, event: device.event(), finish: undefined };
    });
  }

  /** Host memory to the device. Pinned memory may be changed once the copy stream has come past this, other memory at once. */
  async upload(to: bigint, from: HostMemory, bytes: number): Promise<void> {
    const { driver, copy } = this.#device;
    if (from.pinned) {
      if (bytes > 0) driver.call("cuMemcpyHtoDAsync_v2", to, from.address, bytes, copy);
      return;
    }
    for (const { at, length } of pieces(bytes)) {
      const window = await this.#free();
      await copyHost(window.address, from.address + BigInt(at), length);
      driver.call("cuMemcpyHtoDAsync_v2", to + BigInt(at), window.address, length, copy);
      this.#send(window, async () => {});
    }
  }

  /** Device memory to the host, where it is complete after `finish`. */
  async download(to: bigint, from: bigint, bytes: number): Promise<void> {
    const { driver, copy } = this.#device;
    for (const { at, length } of pieces(bytes)) {
      const window = await this.#free();
      driver.call("cuMemcpyDtoHAsync_v2", window.address, from + BigInt(at), length, copy);
      this.#send(window, () => copyHost(to + BigInt(at), window.address, length));
    }
  }

  /** Waits until everything has arrived. */
  async finish(): Promise<void> {
    for (let i = 0; i < WINDOWS; i++) await this.#complete(this.#windows[(this.#next + i) % WINDOWS]);
  }

  /** Forgets what is on its way, after a failure. */
  reset(): void {
    for (const window of this.#windows) window.finish = undefined;
  }

  /** Gives the pinned memory back; whether the driver took it. */
  close(): boolean {
    const { driver } = this.#device;
    return this.#windows.every(({ address }) => driver.try("cuMemFreeHost", address) === 0);
  }

  async #free(): Promise<Window> {
    const window = this.#windows[this.#next];
    this.#next = (this.#next + 1) % WINDOWS;
    await this.#complete(window);
    return window;
  }

  #send(window: Window, finish: () => Promise<void>): void {
    this.#device.driver.call("cuEventRecord", window.event, this.#device.copy);
    window.finish = finish;
  }

  async #complete(window: Window): Promise<void> {
    if (!window.finish) return;
    this.#device.driver.call("cuEventSynchronize", window.event);
    await window.finish();
    window.finish = undefined;
  }
}

function* pieces(bytes: number): Generator<{ readonly at: number; readonly length: number }> {
  for (let at = 0; at < bytes; at += WINDOW_BYTES) yield { at, length: Math.min(WINDOW_BYTES, bytes - at) };
}
