// How a worker comes by its next item and by the rows of it: one class for each way in which rows travel.
import type { RealArray } from "../../layout.js";
import type { Loaded } from "./code.js";
import { ITEM } from "./plan.js";
import {
  CONTROL,
  ELEMENT_BYTES,
  END,
  QUEUE,
  queueOf,
  type ResidentRows,
  type RowsTask,
  type SharedRows,
  type Task,
  valuesOf,
  WINDOWS,
} from "./task.js";
import type { Workspace } from "./workspace.js";

/** Where a worker works: its view of the shared memory. */
export interface Site {
  readonly memory: WebAssembly.Memory;
  /** The control block, and which worker this is. */
  readonly control: Int32Array;
  readonly index: number;
  readonly workspace: Workspace;
  /** Address of the workspace. */
  readonly base: number;
  readonly addressOf: Loaded["addressOf"];
}

export interface Source {
  /** The number of the next item, or END. */
  claim(): number;
  /** Makes rows first … first+count−1 readable at `x` and `weights`; false where the call has been stopped instead. */
  load(first: number, count: number): boolean;
  /** The loaded rows have been read. */
  release(): void;
  /** Addresses; `weights` 0 means none. */
  readonly x: number;
  readonly weights: number;
}

export function sourceOf(task: Task, site: Site): Source {
  const { rows } = task;
  const items = task.items.byteLength / (ITEM.words * Float64Array.BYTES_PER_ELEMENT);
  if (!rows) return new Claimed(items, site.control);
  const { source } = rows;
  if (source.kind === "fed") return new Fed(site, rows.weighted);
  if (source.kind === "shared") return new Copied(items, site, rows, source, task.dims);
  return new Resident(items, site.control, source, task.dims * ELEMENT_BYTES[rows.rowType]);
}

const stopped = (control: Int32Array): boolean => Atomics.load(control, CONTROL.stop) !== 0;

/** No rows: items are claimed one after the other. */
class Claimed implements Source {
  x = 0;
  weights = 0;
  readonly #items: number;
  protected readonly control: Int32Array;

  constructor(items: number, control: Int32Array) {
    this.#items = items;
    this.control = control;
  }

  claim(): number {
    if (stopped(this.control)) return END;
    const item = Atomics.add(this.control, CONTROL.next, 1);
    return item < this.#items ? item : END;
  }

  load(_first: number, _count: number): boolean {
    return !stopped(this.control);
  }

  release(): void {}
}

/** Rows in the kernels' memory. */
class Resident extends Claimed {
  readonly #from: ResidentRows;
  readonly #rowBytes: number;

  constructor(items: number, control: Int32Array, from: ResidentRows, rowBytes: number) {
    super(items, control);
    this.#from = from;
    this.#rowBytes = rowBytes;
  }

  override load(first: number, count: number): boolean {
    const { x, weights } = this.#from;
    this.x = x + first * this.#rowBytes;
    this.weights = weights && weights + first * 8;
    return super.load(first, count);
  }
}

/** Rows in shared memory outside: copied into the worker's window, which stays in its cache. */
class Copied extends Claimed {
  readonly #rows: RowsTask;
  readonly #from: SharedRows;
  readonly #window: RealArray;
  readonly #weightWindow: Float64Array;
  readonly #dims: number;

  constructor(items: number, site: Site, rows: RowsTask, from: SharedRows, dims: number) {
    super(items, site.control);
    this.#rows = rows;
    this.#from = from;
    this.#dims = dims;
    this.x = site.base + site.workspace.windows;
    const weights = this.x + site.workspace.windowWeights;
    const { buffer } = site.memory;
    this.#window = valuesOf(rows.rowType, { buffer, byteOffset: this.x }, rows.windowRows * dims);
    this.#weightWindow = new Float64Array(buffer, weights, rows.weighted ? rows.windowRows : 0);
    this.weights = rows.weighted ? weights : 0;
  }

  /** The views of the caller's memory are made for each window: on Node 20 those of a length of their own pass 4 GiB. */
  override load(first: number, count: number): boolean {
    const { x, weights } = this.#from;
    const { rowType } = this.#rows;
    const byteOffset = x.byteOffset + first * this.#dims * ELEMENT_BYTES[rowType];
    this.#window.set(valuesOf(rowType, { buffer: x.buffer, byteOffset }, count * this.#dims));
    if (weights) {
      this.#weightWindow.set(new Float64Array(weights.buffer, weights.byteOffset + first * 8, count));
    }
    return super.load(first, count);
  }
}

/** Rows that the main thread copies into this worker's windows; the item comes with them. */
class Fed implements Source {
  x = 0;
  weights = 0;
  readonly #site: Site;
  readonly #weighted: boolean;
  readonly #queue: number;
  #emptied = 0;

  constructor(site: Site, weighted: boolean) {
    this.#site = site;
    this.#weighted = weighted;
    this.#queue = queueOf(site.index);
  }

  claim(): number {
    if (!this.#waitForWindow()) return END;
    return this.#site.control[this.#queue + QUEUE.items + (this.#emptied % WINDOWS)];
  }

  load(_first: number, _count: number): boolean {
    if (!this.#waitForWindow()) return false;
    const { workspace, base } = this.#site;
    this.x = base + workspace.windows + (this.#emptied % WINDOWS) * workspace.windowBytes;
    this.weights = this.#weighted ? this.x + workspace.windowWeights : 0;
    return true;
  }

  release(): void {
    const { control } = this.#site;
    this.#emptied++;
    Atomics.store(control, this.#queue + QUEUE.emptied, this.#emptied);
    Atomics.add(control, CONTROL.emptied, 1);
    Atomics.notify(control, CONTROL.emptied);
  }

  /** False where the call has been stopped: whoever stops it changes `filled`, so that nobody sleeps through it. */
  #waitForWindow(): boolean {
    const { control } = this.#site;
    while (!stopped(control)) {
      if (Atomics.load(control, this.#queue + QUEUE.filled) !== this.#emptied) return true;
      Atomics.wait(control, this.#queue + QUEUE.filled, this.#emptied);
    }
    return false;
  }
}
