import { groupBytes, mapFields, STATISTICS, widthOf } from "../fields.js";
import type { Device } from "./device.js";
import { addressOf } from "./driver.js";
import { copyHost } from "./host_copy.js";
import type { Addresses } from "./task.js";

export type StatisticsAt = Addresses<typeof STATISTICS>;

/** The arrays of the statistics: their names, and what a group takes in each. */
const arraysOf = (dims: number): { readonly name: keyof StatisticsAt; readonly each: number }[] =>
  Object.entries(STATISTICS).map(([name, field]) => ({
    name: name as keyof StatisticsAt,
    each: widthOf(field, dims) * field.words.BYTES_PER_ELEMENT,
  }));

export const statisticsBytes = (dims: number): number => groupBytes(STATISTICS, dims);

/** The addresses of group `g` on, of arrays that begin at `base`. */
export function fromGroup(base: StatisticsAt, g: number, dims: number): StatisticsAt {
  return mapFields(STATISTICS, (field, name) => {
    const at = base[name as keyof StatisticsAt];
    return at + BigInt(g * widthOf(field, dims) * field.words.BYTES_PER_ELEMENT);
  });
}

/** Where the statistics of a session's share lie between calls. */
export interface Residence {
  readonly kind: "device" | "host";
  /** Device addresses of groups from … to−1, uploaded where they are not there. Two sets can be had at a time, by `turn`. */
  slice(from: number, to: number, turn: number): Promise<StatisticsAt>;
  /** Has all groups written to host memory; complete after the ring's `finish`. */
  download(to: Partial<StatisticsAt>, groups: number): Promise<void>;
  close(): void;
}

/** Statistics that stay on the device. */
export class OnDevice implements Residence {
  readonly kind = "device";
  readonly at: StatisticsAt;
  readonly #device: Device;
  readonly #dims: number;
  readonly #blocks: bigint[] = [];

  /** Room for `slots` groups. */
  constructor(device: Device, dims: number, slots: number) {
    this.#device = device;
    this.#dims = dims;
    try {
      this.at = mapFields(STATISTICS, (field, name) => {
        const block = device.memory.take(slots * widthOf(field, dims) * 8, name);
        this.#blocks.push(block);
        return block;
      });
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Takes over statistics of the host's. */
  async upload(from: StatisticsAt, groups: number): Promise<void> {
    const { ring } = this.#device;
    for (const { name, each } of arraysOf(this.#dims))
      await ring.upload(this.at[name], { address: from[name], pinned: false }, groups * each);
  }

  async slice(from: number): Promise<StatisticsAt> {
    return fromGroup(this.at, from, this.#dims);
  }

  download(to: Partial<StatisticsAt>, groups: number): Promise<void> {
    return downloadStatistics(this.#device, this.#dims, to, this.at, groups);
  }

  close(): void {
    for (const block of this.#blocks.splice(0)) this.#device.memory.give(block);
  }
}

/** Statistics that are too many for the device: they stay with the host, and travel to the device slice by slice. */
export class OnHost implements Residence {
  readonly kind = "host";
  readonly at: StatisticsAt;
  readonly #device: Device;
  readonly #dims: number;
  /** What lies at the addresses, where it is ours: here it is kept. */
  readonly arrays: readonly Float64Array[];

  constructor(device: Device, dims: number, at: StatisticsAt, arrays: readonly Float64Array[] = []) {
    this.#device = device;
    this.#dims = dims;
    this.at = at;
    this.arrays = arrays;
  }

  /** In memory of its own. */
  static ofGroups(device: Device, dims: number, groups: number): OnHost {
    const arrays: Float64Array[] = [];
    const at = mapFields(STATISTICS, (field) => {
      const array = new Float64Array(new ArrayBuffer(groups * widthOf(field, dims) * 8));
      arrays.push(array);
      return addressOf(array);
    });
    return new OnHost(device, dims, at, arrays);
  }

  async slice(from: number, to: number, turn: number): Promise<StatisticsAt> {
    const host = fromGroup(this.at, from, this.#dims);
    const rooms: [string, bigint][] = [];
    for (const { name, each } of arraysOf(this.#dims)) {
      const purpose = `statistics ${name} ${turn}`;
      rooms.push([name, await this.#device.bring(host[name], (to - from) * each, purpose)]);
    }
    return Object.fromEntries(rooms) as StatisticsAt;
  }

  async download(to: Partial<StatisticsAt>, groups: number): Promise<void> {
    for (const { name, each } of arraysOf(this.#dims)) {
      const address = to[name];
      if (address !== undefined) await copyHost(address, this.at[name], groups * each);
    }
  }

  close(): void {}
}

/** Statistics of `groups` groups from the device, behind what the compute stream is at. */
export async function downloadStatistics(
  device: Device,
  dims: number,
  to: Partial<StatisticsAt>,
  from: StatisticsAt,
  groups: number,
): Promise<void> {
  device.orderAfter(device.copy, device.compute);
  for (const { name, each } of arraysOf(dims)) {
    const address = to[name];
    if (address !== undefined) await device.ring.download(address, from[name], groups * each);
  }
}
