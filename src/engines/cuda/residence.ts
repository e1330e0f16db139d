import { groupBytes, mapFields, STATISTICS, widthOf } from "../fields.js";
import type { Device } from "./device.js";
import { addressOf, copyHost } from "./driver.js";
import type { Addresses } from "./task.js";

export type StatisticsAt = Addresses<typeof STATISTICS>;

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
  slice(from: number, to: number, turn: number): StatisticsAt;
  /** Has all groups written to host memory; complete after the ring's `finish`. */
  download(to: Partial<StatisticsAt>, groups: number): void;
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
  upload(from: StatisticsAt, groups: number): void {
    mapFields(STATISTICS, (field, name) => {
      const address = from[name as keyof StatisticsAt];
      const bytes = groups * widthOf(field, this.#dims) * 8;
      this.#device.ring.upload(this.at[name as keyof StatisticsAt], { address, pinned: false }, bytes);
    });
  }

  slice(from: number): StatisticsAt {
    return fromGroup(this.at, from, this.#dims);
  }

  download(to: Partial<StatisticsAt>, groups: number): void {
    downloadStatistics(this.#device, this.#dims, to, this.at, groups);
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

  slice(from: number, to: number, turn: number): StatisticsAt {
    const { memory, ring } = this.#device;
    const host = fromGroup(this.at, from, this.#dims);
    return mapFields(STATISTICS, (field, name) => {
      const bytes = (to - from) * widthOf(field, this.#dims) * 8;
      const room = memory.scratch(bytes, `statistics ${name} ${turn}`);
      ring.upload(room, { address: host[name as keyof StatisticsAt], pinned: false }, bytes);
      return room;
    });
  }

  download(to: Partial<StatisticsAt>, groups: number): void {
    mapFields(STATISTICS, (field, name) => {
      const address = to[name as keyof StatisticsAt];
      const bytes = groups * widthOf(field, this.#dims) * 8;
      if (address !== undefined) copyHost(address, this.at[name as keyof StatisticsAt], bytes);
    });
  }

  close(): void {}
}

/** Statistics of `groups` groups from the device, behind what the compute stream is at. */
export function downloadStatistics(
  device: Device,
  dims: number,
  to: Partial<StatisticsAt>,
  from: StatisticsAt,
  groups: number,
): void {
  device.orderAfter(device.copy, device.compute);
  mapFields(STATISTICS, (field, name) => {
    const address = to[name as keyof StatisticsAt];
    const bytes = groups * widthOf(field, dims) * 8;
    if (address !== undefined) device.ring.download(address, from[name as keyof StatisticsAt], bytes);
  });
}
