// From statistics to fits or evaluations: slices of groups, two at a time, so that the results of one travel while the next is computed.
import { EVALUATION, FITS, type Field, type Fields, groupBytes, PARAMETERS, widthOf } from "../fields.js";
import type { Control } from "./control.js";
import type { Device, Shape } from "./device.js";
import type { Values } from "./kernels.js";
import { type Launch, scratchOf } from "./launch.js";
import { slices } from "./plan.js";
import { type Residence, statisticsBytes } from "./residence.js";
import type { Addresses, EvaluateTask, FitTask } from "./task.js";

/** What a slice takes at most: enough to fill a device many times, little enough to wait for and to have room. */
const SLICE_BYTES = 2 ** 28;
/** Of what scratch leaves, the share of one slice: there are two at a time, in blocks that the driver rounds up. */
const SLICE_SHARE = 0.45;

/** Names of results in kernels/cuda/arguments.hpp, by those of fields.ts. */
const FIT_ARGUMENTS: Record<keyof typeof FITS, string> = {
  mean: "outMean",
  covariance: "outCovariance",
  factor: "outFactor",
  logLikelihood: "outLogLikelihood",
  residual: "outResidual",
  gap: "outGap",
  iterations: "outIterations",
  statusCode: "outStatus",
};
const EVALUATE_ARGUMENTS: Record<keyof typeof EVALUATION, string> = {
  j1: "j1",
  j2: "j2",
  objective: "objective",
  dJ1dFactor: "dj1dFactor",
  dJ2dMean: "dj2dMean",
  dJ2dFactor: "dj2dFactor",
  statusCode: "status",
};

/** A slice of the groups, and where its results are on the device. */
interface Slice {
  readonly from: number;
  readonly to: number;
  /** Which of the two sets of memory it uses. */
  readonly turn: number;
  readonly results: Readonly<Record<string, bigint>>;
}

/** Solves all groups of a share. */
export class Solver {
  readonly #device: Device;
  readonly #residence: Residence;
  readonly #task: FitTask | EvaluateTask;
  readonly #dims: number;
  readonly #control: Control;
  readonly #shape: Shape;
  readonly #fields: Fields;
  readonly #names: Readonly<Record<string, string>>;

  constructor(
    device: Device,
    residence: Residence,
    dims: number,
    task: FitTask | EvaluateTask,
    control: Control,
  ) {
    this.#device = device;
    this.#residence = residence;
    this.#dims = dims;
    this.#task = task;
    this.#control = control;
    const fit = task.kind === "fit";
    this.#shape = device.shape(task.kind, task.precision, fit ? task.method : 0, dims);
    [this.#fields, this.#names] = fit ? [FITS, FIT_ARGUMENTS] : [EVALUATION, EVALUATE_ARGUMENTS];
  }

  /**
   * Results are complete when it returns.
   *
   * @param stop where kernels look whether to go on
   */
  async run(groups: number, stop: bigint): Promise<void> {
    const { memory } = this.#device;
    memory.begin();
    const usable = memory.usable();
    const launch = scratchOf(this.#device, this.#shape, groups, usable, this.#task.kind);
    const room = (usable - launch.bytes) * SLICE_SHARE;
    const own = this.#groupBytes();
    let before: Slice | undefined;
    for (const [i, { from, to }] of slices(groups, Math.min(SLICE_BYTES, room), () => own).entries()) {
      this.#control.check();
      const slice = await this.#begin(from, to, i % 2, launch, stop);
      if (before) await this.#end(before);
      before = slice;
    }
    if (before) await this.#end(before);
  }

  /** What one group takes on the device. */
  #groupBytes(): number {
    const dims = this.#dims;
    return (
      groupBytes(this.#fields, dims) +
      (this.#task.parameters ? groupBytes(PARAMETERS, dims) : 0) +
      (this.#residence.kind === "host" ? statisticsBytes(dims) : 0)
    );
  }

  #bytesOf(field: Field): number {
    return widthOf(field, this.#dims) * field.words.BYTES_PER_ELEMENT;
  }

  /** Puts a slice's work on the streams. */
  async #begin(from: number, to: number, turn: number, launch: Launch, stop: bigint): Promise<Slice> {
    const device = this.#device;
    const groups = to - from;
    const statistics = await this.#residence.slice(from, to, turn);
    const inputs = { ...statistics, ...(await this.#parameters(from, to, turn)) };
    device.orderAfter(device.compute, device.copy);
    const results: Record<string, bigint> = {};
    const outputs: Record<string, bigint> = {};
    for (const [name, field] of Object.entries(this.#fields)) {
      results[name] = device.memory.scratch(groups * this.#bytesOf(field), `${name} ${turn}`);
      outputs[this.#names[name]] = results[name];
    }
    const rules = this.#task.kind === "fit" ? rulesOf(this.#task, stop) : {};
    const values = { ...launch.values, ...inputs, ...outputs, ...rules, groups, dims: this.#dims };
    device.launch(this.#shape, Math.min(launch.blocks, groups), values);
    device.driver.call("cuEventRecord", device.windowEvents[turn], device.compute);
    return { from, to, turn, results };
  }

  /** Waits for a slice and brings its results to the host. */
  async #end({ from, to, turn, results }: Slice): Promise<void> {
    const { driver, windowEvents, ring } = this.#device;
    driver.call("cuEventSynchronize", windowEvents[turn]);
    this.#control.check();
    const host = this.#task.results as Addresses<Fields>;
    for (const [name, field] of Object.entries(this.#fields)) {
      const bytes = this.#bytesOf(field);
      await ring.download(host[name] + BigInt(from * bytes), results[name], (to - from) * bytes);
    }
    await ring.finish();
    this.#control.count(to - from);
  }

  /** A slice's μ and Λ on the device, under the names that the kernels have for them. */
  async #parameters(from: number, to: number, turn: number): Promise<Values> {
    const { parameters, kind } = this.#task;
    const [mean, factor] = kind === "fit" ? ["startMean", "startFactor"] : ["atMean", "atFactor"];
    if (!parameters) return { [mean]: 0n, [factor]: 0n };
    const bring = (name: keyof typeof PARAMETERS): Promise<bigint> => {
      const bytes = this.#bytesOf(PARAMETERS[name]);
      const first = parameters[name] + BigInt(from * bytes);
      return this.#device.bring(first, (to - from) * bytes, `parameters ${name} ${turn}`);
    };
    return { [mean]: await bring("mean"), [factor]: await bring("factor") };
  }
}

function rulesOf(task: FitTask, stop: bigint): Values {
  const { method, start, ddof, tolerance, maxIterations, epsilon } = task;
  return { method, start, ddof, tolerance, maxIterations, epsilon, stop };
}
