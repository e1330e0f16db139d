// What a worker does with a task: item by item, from rows to statistics and from statistics to results, in its workspace.

import { methodCode } from "../../methods.js";
import { COUNTS, EVALUATION, FITS, type Fields, PARAMETERS, STATISTICS } from "../fields.js";
import type { FitValues, Kernels, Loaded } from "./code.js";
import { Columns } from "./columns.js";
import { ITEM, SPLIT } from "./plan.js";
import { type Site, type Source, sourceOf } from "./sources.js";
import { CONTROL, END, type FitTask, type RowsTask, type Task } from "./task.js";
import { fitValues } from "./values.js";
import { type Places, Workspace } from "./workspace.js";

const CLOSED_FORM = methodCode("closed-form");

/** Does its share of a task: returns when no item is left or the call has been stopped. */
export function perform(
  { kernels, addressOf }: Loaded,
  memory: WebAssembly.Memory,
  control: { readonly words: Int32Array; readonly address: number },
  index: number,
  task: Task,
): void {
  const workspace = new Workspace(task);
  const site = { memory, control: control.words, index, workspace, base: task.workspaces[index], addressOf };
  const share = new Share(kernels, task, site, control.address);
  const items = new Float64Array(task.items);
  const source = sourceOf(task, site);
  for (let item = source.claim(); item !== END; item = source.claim()) {
    share.work(items.subarray(item * ITEM.words, (item + 1) * ITEM.words), source);
  }
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
  readonly #statistics: Columns<typeof STATISTICS> | Columns<typeof COUNTS>;
  readonly #partials: Columns<typeof STATISTICS> | undefined;
  readonly #parameters: Columns<typeof PARAMETERS> | undefined;
  readonly #fits: Columns<typeof FITS> | undefined;
  readonly #evaluation: Columns<typeof EVALUATION> | undefined;

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
    const room = { dims: task.dims, groups, within: task.mostGroups, memory, addressOf: site.addressOf };
    const { statistics } = task;
    const paired = { ...room, within: Math.max(2, task.mostGroups) };
    this.#statistics =
      "scatter" in statistics
        ? new Columns(STATISTICS, statistics, this.#at.statistics, paired)
        : new Columns(COUNTS, statistics, this.#at.statistics, paired);
    if (rows) {
      const parts = { ...paired, groups: rows.partialCount };
      this.#partials = new Columns(STATISTICS, rows.partials, this.#at.statistics, parts);
    }
    if (solver?.parameters) {
      this.#parameters = new Columns(PARAMETERS, solver.parameters, this.#at.parameters, room);
    }
    if (solver?.kind === "fit") this.#fits = new Columns(FITS, solver.results, this.#at.fits, room);
    if (solver?.kind === "evaluate") {
      this.#evaluation = new Columns(EVALUATION, solver.results, this.#at.evaluation, room);
    }
  }

  /** One item: a range of groups, or a part of one. */
  work(item: Float64Array, source: Source): void {
    const { rows } = this.#task;
    const group = item[ITEM.group];
    const groups = item[ITEM.groups];
    if (!rows) {
      const given = this.#statistics.read(group, groups) as Places<typeof STATISTICS>; // all of them, where nothing is summed
      this.#finish(group, groups, given);
      return;
    }
    const first = item[ITEM.firstRow];
    const count = item[ITEM.endRow] - first;
    const whole = groups > 1 || count <= rows.sliceRows;
    const split = item[ITEM.split];
    const { solver } = this.#task;
    if (whole && split < 0 && solver?.kind === "fit" && solver.method === CLOSED_FORM && this.#fits) {
      this.#fitRange(group, groups, first, count, source, solver, this.#fits);
      return;
    }
    if (whole ? !this.#range(group, groups, first, count, source) : !this.#slices(first, count, rows, source))
      return;
    if (split >= 0 && !this.#joinParts(split, item[ITEM.part])) return;
    this.#statistics.copyOut(group, groups, 0);
    this.#finish(group, groups, this.#at.statistics);
  }

  /** Whole groups, from their rows to their fits. A method that iterates would hold on to the rows for long. */
  #fitRange(
    group: number,
    groups: number,
    first: number,
    count: number,
    source: Source,
    solver: FitTask,
    fits: Columns<typeof FITS>,
  ): void {
    if (!this.#load(group, groups, first, count, source)) return;
    this.#kernels.fit_rows(
      ...this.#rowsOf(source),
      ...this.#valuesOf(group, groups, solver, this.#at.statistics, fits.places(group)),
    );
    source.release();
    this.#statistics.copyOut(group, groups, 0);
    fits.written(group, groups);
    Atomics.add(this.#site.control, CONTROL.done, groups);
  }

  /** The statistics of whole groups. */
  #range(group: number, groups: number, first: number, count: number, source: Source): boolean {
    if (!this.#load(group, groups, first, count, source)) return false;
    this.#moments(groups, 0, source);
    source.release();
    return true;
  }

  /** Rows of whole groups, and where each begins. */
  #load(group: number, groups: number, first: number, count: number, source: Source): boolean {
    if (!source.load(first, count)) return false;
    for (let g = 0; g <= groups; g++) this.#offsets[g] = this.#allOffsets[group + g] - first;
    // A part of a group shorter than a slice: its own rows, not the group's.
    if (groups === 1) {
      this.#offsets[0] = 0;
      this.#offsets[1] = count;
    }
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
    this.#partials?.copyOut(first + part, 1, 0);
    if (Atomics.sub(this.#splits, at + SPLIT.missing, 1) > 1) return false;
    for (let p = 0; p < this.#splits[at + SPLIT.parts]; p++) {
      this.#partials?.copyIn(first + p, 1, p === 0 ? 0 : 1);
      if (p > 0) this.#mergePair();
    }
    return true;
  }

  #moments(groups: number, slot: number, source: Source): void {
    const { dims } = this.#task;
    const { count, weight, mean, scatter } = this.#at.statistics;
    this.#kernels.moments(
      ...this.#rowsOf(source),
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

  /** Solves groups whose statistics the kernels see. */
  #finish(group: number, groups: number, statistics: Places<typeof STATISTICS>): void {
    const { solver } = this.#task;
    if (solver?.kind === "fit" && this.#fits) {
      this.#kernels.fit(...this.#valuesOf(group, groups, solver, statistics, this.#fits.places(group)));
      this.#fits.written(group, groups);
    } else if (solver && this.#evaluation) {
      const parameters = this.#parametersOf(group, groups);
      this.#evaluate(groups, solver.precision, statistics, parameters, this.#evaluation.places(group));
      this.#evaluation.written(group, groups);
    }
    Atomics.add(this.#site.control, CONTROL.done, groups);
  }

  #parametersOf(group: number, groups: number): Places<typeof PARAMETERS> {
    return this.#parameters?.read(group, groups) ?? this.#at.parameters;
  }

  /** What the kernels take of loaded rows. */
  #rowsOf({ x, weights }: Source): [rowType: number, rows: number, weights: number, offsets: number] {
    return [this.#task.rows?.rowType ?? 0, x, weights, this.#at.offsets];
  }

  /** What the kernels take of a fit. */
  #valuesOf(
    group: number,
    groups: number,
    solver: FitTask,
    statistics: Places<typeof STATISTICS>,
    fits: Places<typeof FITS>,
  ): FitValues {
    return fitValues(solver, {
      groups,
      dims: this.#task.dims,
      statistics,
      parameters: this.#parametersOf(group, groups),
      fits,
      stop: this.#stop,
      scratch: this.#at.scratch,
    });
  }

  #evaluate(
    groups: number,
    precision: number,
    statistics: Places<typeof STATISTICS>,
    parameters: Places<typeof PARAMETERS>,
    evaluation: Places<typeof EVALUATION>,
  ): void {
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
      this.#at.scratch,
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
