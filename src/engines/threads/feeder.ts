import type { RealArray } from "../../layout.js";
import { Stint } from "../stint.js";
import { ITEM, type Plan } from "./plan.js";
import { CONTROL, END, QUEUE, queueOf, type Task, valuesOf, WINDOWS } from "./task.js";
import { Workspace } from "./workspace.js";

/** One worker's queue of windows, as the main thread sees it. */
interface Lane {
  /** Word of the control block. */
  readonly queue: number;
  readonly windows: readonly { readonly rows: RealArray; readonly weights: Float64Array }[];
  filled: number;
  /** The item that is being handed over, and which of its rows come next. */
  item: number;
  row: number;
  endRow: number;
  ended: boolean;
}

/**
 * Brings rows that only the main thread sees to the workers: copies them, window by window, to whichever worker has an empty one,
 * while the workers compute. A worker is given a new item when its last one is on its way, so that the load balances itself.
 * The event loop turns between stints.
 */
export class Feeder {
  readonly #control: Int32Array;
  readonly #plan: Plan;
  readonly #x: RealArray;
  readonly #weights: Float64Array | undefined;
  readonly #dims: number;
  readonly #lanes: Lane[];
  #next = 0;

  constructor(
    task: Task,
    plan: Plan,
    rows: { readonly x: RealArray; readonly weights: Float64Array | undefined },
    memory: WebAssembly.Memory,
    control: Int32Array,
  ) {
    this.#control = control;
    this.#plan = plan;
    this.#x = rows.x;
    this.#weights = rows.weights;
    this.#dims = task.dims;
    this.#lanes = task.workspaces.map((base, worker) => ({
      queue: queueOf(worker),
      windows: windowsOf(task, base, memory),
      filled: 0,
      item: END,
      row: 0,
      endRow: 0,
      ended: false,
    }));
  }

  /** Until all rows are handed over or the call has been stopped. */
  async feed(): Promise<void> {
    const stint = new Stint();
    while (this.#lanes.some((lane) => !lane.ended)) {
      const seen = Atomics.load(this.#control, CONTROL.emptied);
      // After `seen` is read: whoever stops the call changes it, so that the wait below does not begin.
      if (this.#stopped) return;
      let idle = true;
      for (const lane of this.#lanes) {
        if (lane.ended || !this.#hasRoom(lane)) continue;
        if (stint.over) await stint.rest();
        if (this.#stopped) return;
        this.#fill(lane);
        idle = false;
      }
      if (!idle) continue;
      const emptied = Atomics.waitAsync(this.#control, CONTROL.emptied, seen);
      if (!emptied.async) continue;
      await emptied.value;
      stint.restart();
    }
  }

  get #stopped(): boolean {
    return Atomics.load(this.#control, CONTROL.stop) !== 0;
  }

  #hasRoom(lane: Lane): boolean {
    return lane.filled - Atomics.load(this.#control, lane.queue + QUEUE.emptied) < WINDOWS;
  }

  /** Fills the lane's next window and hands it over, or says that nothing more comes. */
  #fill(lane: Lane): void {
    if (lane.item === END) this.#claim(lane);
    const slot = lane.filled % WINDOWS;
    if (lane.item === END) lane.ended = true;
    else this.#copy(lane, lane.windows[slot]);
    this.#control[lane.queue + QUEUE.items + slot] = lane.ended ? END : this.#handedOver(lane);
    lane.filled++;
    Atomics.store(this.#control, lane.queue + QUEUE.filled, lane.filled);
    Atomics.notify(this.#control, lane.queue + QUEUE.filled);
  }

  #claim(lane: Lane): void {
    const at = this.#next * ITEM.words;
    if (at >= this.#plan.items.length) return;
    lane.item = this.#next++;
    lane.row = this.#plan.items[at + ITEM.firstRow];
    lane.endRow = this.#plan.items[at + ITEM.endRow];
  }

  /** The next rows of the lane's item: all of a range of groups, or the next slice of a long group. */
  #copy(lane: Lane, window: Lane["windows"][number]): void {
    const whole = this.#plan.items[lane.item * ITEM.words + ITEM.groups] > 1;
    const end = whole ? lane.endRow : Math.min(lane.endRow, lane.row + this.#plan.sliceRows);
    window.rows.set(this.#x.subarray(lane.row * this.#dims, end * this.#dims));
    if (this.#weights) window.weights.set(this.#weights.subarray(lane.row, end));
    lane.row = end;
  }

  /** The lane's item; the lane is free for another where this was the last of it. */
  #handedOver(lane: Lane): number {
    const { item } = lane;
    if (lane.row === lane.endRow) lane.item = END;
    return item;
  }
}

function windowsOf(task: Task, base: number, memory: WebAssembly.Memory): Lane["windows"] {
  const { rows, dims } = task;
  if (!rows) return [];
  const workspace = new Workspace(task);
  return Array.from({ length: WINDOWS }, (_, slot) => {
    const at = base + workspace.windows + slot * workspace.windowBytes;
    return {
      rows: valuesOf(rows.rowType, { buffer: memory.buffer, byteOffset: at }, rows.windowRows * dims),
      weights: new Float64Array(
        memory.buffer,
        at + workspace.windowWeights,
        rows.weighted ? rows.windowRows : 0,
      ),
    };
  });
}
