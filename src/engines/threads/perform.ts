// What a worker does with a task: item by item, from rows to statistics and from statistics to results, in its workspace.
import { COUNTS, EVALUATION, FITS, type Fields, PARAMETERS, STATISTICS, widthOf } from "../fields.js";
import type { Kernels } from "./code.js";
import { ITEM, SPLIT } from "./plan.js";
import { type Site, type Source, sourceOf } from "./sources.js";
import { type Spans, viewOf } from "./spans.js";
import { CONTROL, END, type RowsTask, type Task } from "./task.js";
import { type Places, Workspace } from "./workspace.js";

/** Does its share of a task: returns when no item is left or the call has been stopped. */
export function perform(
  kernels: Kernels,
  memory: WebAssembly.Memory,
  control: { readonly words: Int32Array; readonly address: number },
  index: number,
  task: Task,
): void {
  const workspace = new Workspace(task);
  const site = { memory, control: control.words, index, workspace, base: task.workspaces[index] };
  const share = new Share(kernels, task, site, control.address);
  const items = new Float64Array(task.items);
  const source = sourceOf(kernels, task, site);
  for (let item = source.claim(); item !== END; item = source.claim()) {
    share.work(items.subarray(item * ITEM.words, (item + 1) * ITEM.words), source);
  }
}

/** One field of all groups outside, and its groups of the current item in the workspace. */
interface Column {
  readonly outside: Float64Array;
  readonly inside: Float64Array;
  readonly width: number;
}

class Share {
  readonly #kernels: Kernels;
  readonly #task: Task;
  readonly #site: Site;
  readonly #stop: number;
  readonly #at: ReturnType<typeof addressesIn>;
  readonly #offsets: Int32Array;
  readonly #allOffsets: Float64Array;
  readonly #splits: Int32Array;
  readonly #statistics: readonly Column[];
  readonly #partials: readonly Column[];
  readonly #parameters: readonly Column[];
  readonly #results: readonly Column[];

  constructor(kernels: Kernels, task: Task, site: Site, controlAddress: number) {
    const { workspace, base, memory } = site;
    const { rows, solver, groups } = task;
    this.#kernels = kernels;
    this.#task = task;
    this.#site = site;
    this.#stop = controlAddress + CONTROL.stop * 4;
    this.#at = addressesIn(workspace, base);
    this.#offsets = new Int32Array(memory.buffer, this.#at.offsets, task.mostGroups + 1);
    this.#allOffsets = new Float64Array(rows ? rows.offsets : new SharedArrayBuffer(0));
    this.#splits = new Int32Array(task.splits);
    const columns = <F extends Fields>(
      fields: F,
      spans: Spans<F>,
      places: Places<F>,
      total = groups,
      room = task.mostGroups,
    ) => columnsOf(fields, spans, places, total, room, task.dims, memory.buffer);
    const pair = Math.max(2, task.mostGroups);
    const { statistics } = task;
    this.#statistics =
      "scatter" in statistics
        ? columns(STATISTICS, statistics, this.#at.statistics, groups, pair)
        : columns(COUNTS, statistics, this.#at.statistics, groups, pair);
    this.#partials = rows
      ? columns(STATISTICS, rows.partials, this.#at.statistics, rows.partialCount, pair)
      : [];
    this.#parameters = solver?.parameters ? columns(PARAMETERS, solver.parameters, this.#at.parameters) : [];
    this.#results = !solver
      ? []
      : solver.kind === "fit"
        ? columns(FITS, solver.results, this.#at.fits)
        : columns(EVALUATION, solver.results, this.#at.evaluation);
  }

  /** One item: a range of groups, or a part of one. */
  work(item: Float64Array, source: Source): void {
    const { rows } = this.#task;
    const group = item[ITEM.group];
    const groups = item[ITEM.groups];
    if (!rows) {
      copyIn(this.#statistics, group, groups, 0);
      this.#finish(group, groups);
      return;
    }
    const first = item[ITEM.firstRow];
    const count = item[ITEM.endRow] - first;
    const whole = groups > 1 || count <= rows.sliceRows;
    if (whole ? !this.#range(group, groups, first, count, source) : !this.#slices(first, count, rows, source))
      return;
    const split = item[ITEM.split];
    if (split >= 0 && !this.#joinParts(split, item[ITEM.part])) return;
    copyOut(this.#statistics, group, groups, 0);
    this.#finish(group, groups);
  }

  /** The statistics of whole groups. */
  #range(group: number, groups: number, first: number, count: number, source: Source): boolean {
    if (!source.load(first, count)) return false;
    for (let g = 0; g <= groups; g++) this.#offsets[g] = this.#allOffsets[group + g] - first;
    // A part of a group shorter than a slice: its own rows, not the group's.
    if (groups === 1) {
      this.#offsets[0] = 0;
      this.#offsets[1] = count;
    }
    this.#moments(groups, 0, source);
    source.release();
    return true;
  }

  /** The statistics of one run of rows, slice by slice, merged in order. */
  #slices(first: number, count: number, rows: RowsTask, source: Source): boolean {
    for (let done = 0; done < count; done += rows.sliceRows) {
      const length = Math.min(rows.sliceRows, count - done);
      if (!source.load(first + done, length)) return false;
      this.#offsets[0] = 0;
      this.#offsets[1] = length;
      this.#moments(1, done === 0 ? 0 : 1, source);
      source.release();
      if (done > 0) this.#mergePair();
    }
    return true;
  }

  /** Keeps a part's statistics; whoever brings the last one merges them all, in order, and returns true. */
  #joinParts(split: number, part: number): boolean {
    const at = split * SPLIT.words;
    const first = this.#splits[at + SPLIT.first];
    copyOut(this.#partials, first + part, 1, 0);
    if (Atomics.sub(this.#splits, at + SPLIT.missing, 1) > 1) return false;
    for (let p = 0; p < this.#splits[at + SPLIT.parts]; p++) {
      copyIn(this.#partials, first + p, 1, p === 0 ? 0 : 1);
      if (p > 0) this.#mergePair();
    }
    return true;
  }

  #moments(groups: number, slot: number, source: Source): void {
    const { dims, rows } = this.#task;
    const { count, weight, mean, scatter } = this.#at.statistics;
    this.#kernels.moments(
      rows?.rowType ?? 0,
      source.x,
      source.weights,
      this.#at.offsets,
      groups,
      dims,
      count + slot * 8,
      weight + slot * 8,
      mean + slot * dims * 8,
      scatter + slot * dims * dims * 8,
      this.#at.scratch,
    );
  }

  #mergePair(): void {
    const { count, weight, mean, scatter } = this.#at.statistics;
    this.#kernels.merge(2, this.#task.dims, count, weight, mean, scatter);
  }

  /** Solves the groups whose statistics lie in the workspace, and brings the results out. */
  #finish(group: number, groups: number): void {
    const { solver } = this.#task;
    if (solver) {
      copyIn(this.#parameters, group, groups, 0);
      if (solver.kind === "fit") this.#fit(groups, solver);
      else this.#evaluate(groups, solver.precision);
      copyOut(this.#results, group, groups, 0);
    }
    Atomics.add(this.#site.control, CONTROL.done, groups);
  }

  #fit(groups: number, solver: Extract<Task["solver"], { kind: "fit" }>): void {
    const { statistics, parameters, fits, scratch } = this.#at;
    this.#kernels.fit(
      solver.precision,
      solver.method,
      groups,
      this.#task.dims,
      statistics.count,
      statistics.weight,
      statistics.mean,
      statistics.scatter,
      solver.start,
      parameters.mean,
      parameters.factor,
      solver.ddof,
      solver.tolerance,
      solver.maxIterations,
      solver.epsilon,
      this.#stop,
      fits.mean,
      fits.covariance,
      fits.factor,
      fits.logLikelihood,
      fits.residual,
      fits.gap,
      fits.iterations,
      fits.statusCode,
      scratch,
    );
  }

  #evaluate(groups: number, precision: number): void {
    const { statistics, parameters, evaluation, scratch } = this.#at;
    this.#kernels.evaluate(
      precision,
      groups,
      this.#task.dims,
      statistics.count,
      statistics.weight,
      statistics.mean,
      statistics.scatter,
      parameters.mean,
      parameters.factor,
      evaluation.j1,
      evaluation.j2,
      evaluation.objective,
      evaluation.dJ1dFactor,
      evaluation.dJ2dMean,
      evaluation.dJ2dFactor,
      evaluation.statusCode,
      scratch,
    );
  }
}

/** Addresses instead of distances. */
function addressesIn(workspace: Workspace, base: number) {
  const shifted = <F extends Fields>(places: Places<F>): Places<F> =>
    Object.fromEntries(
      Object.entries(places).map(([name, at]) => [name, base + (at as number)]),
    ) as Places<F>;
  return {
    scratch: base + workspace.scratch,
    offsets: base + workspace.offsets,
    statistics: shifted(workspace.statistics),
    parameters: shifted(workspace.parameters),
    fits: shifted(workspace.fits),
    evaluation: shifted(workspace.evaluation),
  };
}

function columnsOf<F extends Fields>(
  fields: F,
  spans: Spans<F>,
  places: Places<F>,
  groups: number,
  room: number,
  dims: number,
  buffer: SharedArrayBuffer,
): Column[] {
  return Object.entries(fields).map(([name, field]) => ({
    // The three kinds of words differ in type only: what is done with them here is the same.
    outside: viewOf(field, spans[name], groups, dims) as Float64Array,
    inside: viewOf(field, { buffer, byteOffset: places[name] }, room, dims) as Float64Array,
    width: widthOf(field, dims),
  }));
}

/** Groups `group` … of all groups → groups `slot` … of the workspace. */
function copyIn(columns: readonly Column[], group: number, groups: number, slot: number): void {
  for (const { outside, inside, width } of columns) {
    inside.set(outside.subarray(group * width, (group + groups) * width), slot * width);
  }
}

/** Groups `slot` … of the workspace → groups `group` … of all groups. */
function copyOut(columns: readonly Column[], group: number, groups: number, slot: number): void {
  for (const { outside, inside, width } of columns) {
    outside.set(inside.subarray(slot * width, (slot + groups) * width), group * width);
  }
}
