// The thread of one device: it alone makes the device's context current, so all calls but those that only ask are made here.
import { parentPort, workerData } from "node:worker_threads";
import { EngineError } from "../../errors.js";
import { Control, Stopped } from "./control.js";
import { Device } from "./device.js";
import { Driver, DriverError, DriverMissing } from "./driver.js";
import { engineError } from "./failures.js";
import { Moments } from "./moments.js";
import { OnDevice, OnHost, type Residence, statisticsBytes } from "./residence.js";
import { Solver } from "./solve.js";
import type { Answer, Request, Start, StatisticsSource, Task } from "./task.js";

/** Statistics that are handed in stay on the device where they take no more than this share of what can be had. */
const RESIDENT_SHARE = 0.5;
const PORTABLE = 1;

class DeviceWorker {
  readonly #ordinal: number;
  readonly #control: Control;
  #opened: { readonly device: Device; readonly stop: bigint } | undefined;
  readonly #sessions = new Map<number, Residence>();
  /** Sessions whose statistics went with the device. */
  readonly #lost = new Set<number>();
  /** Host memory that is locked in place. */
  readonly #pinned = new Set<bigint>();

  constructor(start: Start) {
    this.#ordinal = start.ordinal;
    this.#control = new Control(start);
  }

  async answer(request: Request): Promise<Answer> {
    try {
      return { kind: "done", value: await this.#do(request) };
    } catch (error) {
      this.#recover();
      if (error instanceof Stopped) return { kind: "stopped" };
      const known =
        error instanceof DriverError || error instanceof DriverMissing ? engineError(error) : error;
      if (known instanceof EngineError) {
        return { kind: "failure", reason: reasonOf(known), remedy: known.remedy };
      }
      return {
        kind: "failure",
        reason: `cuda: ${(error as Error).message}`,
        remedy: "Report it, and use --engine wasm",
      };
    } finally {
      if (this.#opened?.device.broken) this.#destroy();
    }
  }

  async #do(request: Request): Promise<boolean> {
    switch (request.kind) {
      case "open":
        this.#open();
        return true;
      case "perform":
        await this.#perform(request);
        return true;
      case "forget":
        this.#forget(request.session);
        return true;
      case "pin":
        return this.#pin(request.address, request.bytes);
      case "unpin":
        return this.#unpin(request.address);
      case "close":
        this.#close();
        return true;
    }
  }

  #open(): { readonly device: Device; readonly stop: bigint } {
    if (this.#opened) return this.#opened;
    const device = new Device(Driver.load(), this.#ordinal);
    try {
      this.#opened = { device, stop: this.#control.mapInto(device) };
    } catch (error) {
      device.destroy();
      throw error;
    }
    return this.#opened;
  }

  async #perform(task: Task): Promise<void> {
    const { session, dims, groups, solver } = task;
    if (this.#lost.has(session)) {
      throw new EngineError(
        "cuda: the session's statistics were lost with the device",
        "Open another session with engine.open",
      );
    }
    const { device, stop } = this.#open();
    this.#control.check();
    let residence = this.#sessions.get(session);
    this.#control.begin(!residence && task.source.kind === "rows" && solver ? 2 : 1);
    if (!residence) {
      residence = await this.#reside(device, task);
      this.#sessions.set(session, residence);
    }
    await residence.download(task.statistics, groups);
    await device.ring.finish();
    if (solver) await new Solver(device, residence, dims, solver, this.#control).run(groups, stop);
  }

  async #reside(device: Device, { source, dims, groups }: Task): Promise<Residence> {
    return source.kind === "rows"
      ? new Moments(device, source, dims, this.#control).run()
      : residenceOf(device, source, dims, groups);
  }

  #forget(session: number): void {
    this.#sessions.get(session)?.close();
    this.#sessions.delete(session);
    this.#lost.delete(session);
  }

  /** Whether the memory is locked; where it cannot be, rows in it travel as any others do. */
  #pin(address: bigint, bytes: number): boolean {
    const { driver } = this.#open().device;
    const pinned = driver.try("cuMemHostRegister_v2", address, bytes, PORTABLE) === 0;
    if (pinned) this.#pinned.add(address);
    return pinned;
  }

  #unpin(address: bigint): boolean {
    if (!this.#pinned.delete(address) || !this.#opened) return false;
    return this.#opened.device.driver.try("cuMemHostUnregister", address) === 0;
  }

  /** After a failure: what the call held is given back, and a device that is lost is let go. */
  #recover(): void {
    this.#opened?.device.recover();
  }

  /** Opened anew by the next call. What lay on the device is lost. */
  #destroy(): void {
    for (const [session, residence] of this.#sessions)
      if (residence.kind === "device") this.#lost.add(session);
    for (const session of this.#lost) this.#sessions.delete(session);
    this.#close();
  }

  #close(): void {
    const { device } = this.#opened ?? {};
    this.#opened = undefined;
    if (!device) return;
    for (const address of this.#pinned) device.driver.try("cuMemHostUnregister", address);
    this.#pinned.clear();
    device.driver.try("cuMemHostUnregister", this.#control.address);
    device.ring.close();
    device.destroy();
  }
}

/** Statistics that were handed in: on the device where there is room for them. */
async function residenceOf(
  device: Device,
  source: StatisticsSource,
  dims: number,
  groups: number,
): Promise<Residence> {
  const host = new OnHost(device, dims, source.at);
  if (groups * statisticsBytes(dims) > device.memory.usable() * RESIDENT_SHARE) return host;
  const residence = new OnDevice(device, dims, groups);
  try {
    await residence.upload(source.at, groups);
  } catch (error) {
    residence.close();
    throw error;
  }
  return residence;
}

/** The reason without the remedy, which a message has behind it. */
const reasonOf = ({ message, remedy }: EngineError): string =>
  message.endsWith(`. ${remedy}`) ? message.slice(0, -remedy.length - 2) : message;

const worker = new DeviceWorker(workerData as Start);
// One request after the other: while memory is copied, the next may already be here.
let before = Promise.resolve();
parentPort?.on("message", (request: Request) => {
  before = before.then(async () => {
    parentPort?.postMessage(await worker.answer(request));
    if (request.kind === "close") parentPort?.close();
  });
});
