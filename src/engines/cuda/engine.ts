import type { Batch } from "../../batch.js";
import type {
  AllocatedBatch,
  BatchLayout,
  Engine,
  EngineOptions,
  Session,
  SessionOptions,
} from "../../engine.js";
import { InputError } from "../../errors.js";
import { requireCount } from "../../layout.js";
import type { Statistics } from "../../statistics.js";
import { checkOpening, ResidentBatch } from "../resident_batch.js";
import { Machine } from "./machine.js";
import { CudaSession } from "./session.js";

/** CUDA kernels on one or several devices, launched through the driver. */
export class CudaEngine implements Engine {
  readonly name = "cuda";
  readonly device: string;
  readonly #machine: Machine;

  private constructor(machine: Machine) {
    this.#machine = machine;
    this.device = machine.device;
  }

  /**
   * @throws InputError  where `device` is not a device's number or a list of them
   * @throws EngineError where there is no driver, or a device cannot be had
   */
  static async start({ device }: EngineOptions): Promise<CudaEngine> {
    return new CudaEngine(await Machine.start(device === undefined ? undefined : checkedDevices(device)));
  }

  allocate(layout: BatchLayout): AllocatedBatch {
    this.#machine.requireOpen("allocate");
    return ResidentBatch.allocate(this.#machine.memory, layout);
  }

  async open(source: Batch | Statistics, { precision = "float64" }: SessionOptions = {}): Promise<Session> {
    this.#machine.requireOpen("open");
    await checkOpening(source, precision);
    return new CudaSession(this.#machine, source, precision);
  }

  close(): Promise<void> {
    return this.#machine.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function checkedDevices(device: number | readonly number[]): readonly number[] {
  const devices = typeof device === "number" ? [device] : device;
  for (const one of devices) requireCount("cuda", "device", one, 0);
  if (devices.length === 0) throw new InputError("cuda: device must name at least one device, got []");
  const twice = devices.find((one, i) => devices.indexOf(one) !== i);
  if (twice !== undefined)
    throw new InputError(`cuda: device must name each device once, got ${twice} twice`);
  return devices;
}
