// From statistics to fits or evaluations: slices of groups, two at a time, so that the results of one travel while the next is computed.
import { EVALUATION, FITS, type Fields, groupBytes, PARAMETERS, widthOf } from "../fields.js";
import type { Control } from "./control.js";
import type { Device } from "./device.js";
import type { Values } from "./kernels.js";
import { scratchOf } from "./launch.js";
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

/** Solves all groups of a share; results are complete when it returns. */
export function solve(
  device: Device,
  residence: Residence,
  dims: number,
  groups: number,
  solver: FitTask | EvaluateTask,
  control: Control,
  stop: bigint,
): void {
  const fit = solver.kind === "fit";
  const fields: Fields = fit ? FITS : EVALUATION;
  const names: Record<string, string> = fit ? FIT_ARGUMENTS : EVALUATE_ARGUMENTS;
  const results = solver.results as Addresses<Fields>;
  const parameters = solver.parameters as Addresses<Fields> | undefined;
  const shape = device.shape(solver.kind, solver.precision, fit ? solver.method : 0, dims);
  device.memory.begin();
  const usable = device.memory.usable();
  const own =
    groupBytes(fields, dims) +
    (parameters ? groupBytes(PARAMETERS, dims) : 0) +
    (residence.kind === "host" ? statisticsBytes(dims) : 0);
  const launch = scratchOf(device, shape, groups, usable, solver.kind);
  const room = (usable - launch.bytes) * SLICE_SHARE;
  const ranges = slices(groups, Math.min(SLICE_BYTES, room), () => own);

  const begin = ({ from, to }: { from: number; to: number }, turn: number): Map<string, bigint> => {
    const statistics = residence.slice(from, to, turn);
    const given = parameters ? upload(device, parameters, dims, from, to, turn) : { mean: 0n, factor: 0n };
    device.orderAfter(device.compute, device.copy);
    const rooms = new Map<string, bigint>();
    const values: Record<string, bigint | number> = {
      ...launch.values,
      ...statistics,
      groups: to - from,
      dims,
    };
    for (const [name, field] of Object.entries(fields)) {
      const bytes = (to - from) * widthOf(field, dims) * field.words.BYTES_PER_ELEMENT;
      const room = device.memory.scratch(bytes, `${name} ${turn}`);
      rooms.set(name, room);
      values[names[name]] = room;
    }
    const blocks = Math.min(launch.blocks, to - from);
    device.launch(shape, blocks, { ...values, ...(fit ? fitValues(solver, given, stop) : at(given)) });
    device.driver.call("cuEventRecord", device.windowEvents[turn], device.compute);
    return rooms;
  };
  const end = (
    { from, to }: { from: number; to: number },
    turn: number,
    rooms: Map<string, bigint>,
  ): void => {
    device.driver.call("cuEventSynchronize", device.windowEvents[turn]);
    control.check();
    for (const [name, field] of Object.entries(fields)) {
      const bytes = widthOf(field, dims) * field.words.BYTES_PER_ELEMENT;
      device.ring.download(
        results[name] + BigInt(from * bytes),
        rooms.get(name) as bigint,
        (to - from) * bytes,
      );
    }
    device.ring.finish();
    control.count(to - from);
  };

  let before: Map<string, bigint> | undefined;
  ranges.forEach((range, i) => {
    control.check();
    const rooms = begin(range, i % 2);
    if (before) end(ranges[i - 1], (i - 1) % 2, before);
    before = rooms;
  });
  if (before) end(ranges[ranges.length - 1], (ranges.length - 1) % 2, before);
}

const at = ({ mean, factor }: Given): Values => ({ atMean: mean, atFactor: factor });

interface Given {
  readonly mean: bigint;
  readonly factor: bigint;
}

function fitValues(solver: FitTask, given: Given, stop: bigint): Values {
  const { method, start, ddof, tolerance, maxIterations, epsilon } = solver;
  const { mean: startMean, factor: startFactor } = given;
  return { method, start, startMean, startFactor, ddof, tolerance, maxIterations, epsilon, stop };
}

/** A slice's parameters on the device. */
function upload(
  device: Device,
  from: Addresses<Fields>,
  dims: number,
  first: number,
  end: number,
  turn: number,
): Given {
  const { memory, ring } = device;
  const copy = (name: keyof typeof PARAMETERS): bigint => {
    const bytes = widthOf(PARAMETERS[name], dims) * 8;
    const room = memory.scratch((end - first) * bytes, `parameters ${name} ${turn}`);
    ring.upload(room, { address: from[name] + BigInt(first * bytes), pinned: false }, (end - first) * bytes);
    return room;
  };
  return { mean: copy("mean"), factor: copy("factor") };
}
