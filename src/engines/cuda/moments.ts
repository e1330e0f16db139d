// From rows to statistics: windows of rows travel on the copy stream while `moments` works on those before on the compute stream.
import { mapFields, STATISTICS, widthOf } from "../fields.js";
import type { Control } from "./control.js";
import type { Device, Shape } from "./device.js";
import { addressOf } from "./driver.js";
import type { Values } from "./kernels.js";
import { scratchOf } from "./launch.js";
import { extraSlots, type Plan, planRows, type RowsWindow, slices, type Words } from "./plan.js";
import {
  downloadStatistics,
  fromGroup,
  OnDevice,
  OnHost,
  type Residence,
  type StatisticsAt,
  statisticsBytes,
} from "./residence.js";
import type { HostMemory } from "./ring.js";
import type { RowsSource } from "./task.js";

/** Windows of rows on the device: one is read, one is filled, one is between. */
const WINDOWS = 3;
/** Long enough that a copy runs at full speed. */
const WINDOW_BYTES = 2 ** 24;
const ELEMENT_BYTES = [8, 4, 4] as const;
/** What an item and, once in a while, a merge take beside statistics: three numbers. */
const ITEM_BYTES = 24;

/**
 * The statistics of a share of groups, from its rows: on the device where they leave room there for the solver, else with the
 * host, slice by slice.
 */
export class Moments {
  readonly #device: Device;
  readonly #rows: RowsSource;
  readonly #dims: number;
  readonly #control: Control;
  readonly #shape: Shape;
  readonly #rowBytes: number;
  readonly #usable: number;
  readonly #uploaded: bigint[];
  readonly #computed: bigint[];

  constructor(device: Device, rows: RowsSource, dims: number, control: Control) {
    this.#device = device;
    this.#rows = rows;
    this.#dims = dims;
    this.#control = control;
    this.#shape = device.shape("moments", rows.rowType, rows.weights ? 1 : 0, dims);
    this.#rowBytes = dims * ELEMENT_BYTES[rows.rowType];
    device.memory.begin();
    this.#usable = device.memory.usable();
    this.#uploaded = device.windowEvents.slice(0, WINDOWS);
    this.#computed = device.windowEvents.slice(WINDOWS, 2 * WINDOWS);
  }

  async run(): Promise<Residence> {
    const groups = this.#rows.offsets.length - 1;
    const plan = this.#plan(0, groups);
    const own = plan.slots * statisticsBytes(this.#dims) + plan.length.length * ITEM_BYTES;
    if (own <= this.#usable / 2) {
      const residence = new OnDevice(this.#device, this.#dims, plan.slots);
      try {
        await this.#sum(plan, residence.at);
        this.#device.synchronise();
        this.#control.check();
      } catch (error) {
        residence.close();
        throw error;
      }
      return residence;
    }
    return this.#inSlices(groups);
  }

  /** Each slice's statistics go to the host before the next begins. */
  async #inSlices(groups: number): Promise<Residence> {
    const { memory, ring } = this.#device;
    const residence = OnHost.ofGroups(this.#device, this.#dims, groups);
    for (const { from, to } of slices(groups, this.#usable / 4, (g) => this.#bytesOf(g))) {
      const plan = this.#plan(from, to);
      const at = mapFields(STATISTICS, (field, name) =>
        memory.scratch(plan.slots * widthOf(field, this.#dims) * 8, `statistics ${name}`),
      );
      await this.#sum(plan, at);
      const host = fromGroup(residence.at, from, this.#dims);
      await downloadStatistics(this.#device, this.#dims, host, at, to - from);
      await ring.finish();
    }
    return residence;
  }

  #bytesOf(g: number): number {
    const n = this.#rows.offsets[g + 1] - this.#rows.offsets[g];
    const slots = 1 + extraSlots(n, this.#shape.partRows, this.#shape.mergeParts);
    return slots * (statisticsBytes(this.#dims) + ITEM_BYTES);
  }

  #plan(from: number, to: number): Plan {
    const { partRows, mergeParts } = this.#shape;
    const most = Math.min(WINDOW_BYTES, this.#usable / (8 * WINDOWS));
    const windowRows = Math.max(1, Math.floor(most / (this.#rowBytes + (this.#rows.weights ? 8 : 0))));
    return planRows({ offsets: this.#rows.offsets, from, to, partRows, mergeParts, windowRows });
  }

  /**
   * What the means of parts are short of, so that merges far from the origin lose no digit: in one array beside the statistics, from
   * the first slot of a part on.
   */
  #rest(plan: Plan): { readonly meanRest: bigint; readonly firstPart: number } {
    const { groups: firstPart, slots } = plan;
    if (slots === firstPart) return { meanRest: 0n, firstPart };
    const bytes = (slots - firstPart) * this.#dims * 8;
    return { meanRest: this.#device.memory.scratch(bytes, "rest of means"), firstPart };
  }

  /** Puts the work of a plan on the streams; waits only so that few windows are on their way at a time. */
  async #sum(plan: Plan, at: StatisticsAt): Promise<void> {
    const device = this.#device;
    const rest = this.#rest(plan);
    const table = await this.#tables([plan.first, plan.length, plan.target], "items");
    const rows = this.#room(plan.mostRows * this.#rowBytes, "rows");
    const weights = this.#rows.weights && this.#room(plan.mostRows * 8, "weights");
    const mostItems = plan.windows.reduce((most, { items }) => Math.max(most, items), 0);
    const launch = scratchOf(device, this.#shape, mostItems, this.#usable, "moments");
    for (const [i, window] of plan.windows.entries()) {
      const turn = i % WINDOWS;
      this.#control.check();
      // The window's memory is free once the kernel before has read it.
      if (i >= WINDOWS) device.driver.call("cuEventSynchronize", this.#computed[turn]);
      await this.#upload(window, rows[turn], weights?.[turn]);
      device.orderAfter(device.compute, device.copy, this.#uploaded[turn]);
      const skip = BigInt(window.item * 8);
      device.launch(this.#shape, Math.min(launch.blocks, window.items), {
        ...launch.values,
        ...at,
        ...rest,
        rows: rows[turn],
        weights: weights?.[turn] ?? 0n,
        first: table[0] + skip,
        length: table[1] + skip,
        target: table[2] + skip,
        items: window.items,
        dims: this.#dims,
      });
      device.driver.call("cuEventRecord", this.#computed[turn], device.compute);
      this.#control.count(window.groups);
    }
    await this.#merge(plan, { ...at, ...rest });
  }

  async #upload(window: RowsWindow, rows: bigint, weights: bigint | undefined): Promise<void> {
    const { ring } = this.#device;
    const { x, weights: beside } = this.#rows;
    await ring.upload(rows, further(x, window.firstRow * this.#rowBytes), window.rows * this.#rowBytes);
    if (beside && weights !== undefined) {
      await ring.upload(weights, further(beside, window.firstRow * 8), window.rows * 8);
    }
  }

  /** The parts of each long group become one, level by level. */
  async #merge(plan: Plan, at: Values): Promise<void> {
    const device = this.#device;
    if (plan.levels.length === 0) return;
    const shape = device.shape("merge", 0, 0, this.#dims);
    for (const [i, level] of plan.levels.entries()) {
      const merges = level.first.length;
      const launch = scratchOf(device, shape, merges, this.#usable, "merge");
      const [first, parts, target] = await this.#tables(
        [level.first, level.parts, level.target],
        `level ${i}`,
      );
      device.orderAfter(device.compute, device.copy);
      const values = { ...launch.values, ...at, first, parts, target, merges, dims: this.#dims };
      device.launch(shape, launch.blocks, values);
    }
  }

  #room(bytes: number, purpose: string): bigint[] {
    const { memory } = this.#device;
    return Array.from({ length: WINDOWS }, (_, turn) => memory.scratch(bytes, `${purpose} ${turn}`));
  }

  /** Held by the loop until they are copied. */
  async #tables(columns: readonly Words[], purpose: string): Promise<bigint[]> {
    const rooms: bigint[] = [];
    for (const { view } of columns) {
      const from = addressOf(view);
      rooms.push(await this.#device.bring(from, view.byteLength, `${purpose} ${rooms.length}`));
    }
    return rooms;
  }
}

const further = ({ address, pinned }: HostMemory, bytes: number): HostMemory => ({
  address: address + BigInt(bytes),
  pinned,
});
