import { groupBytes, STATISTICS } from "../fields.js";

/** Bytes of rows and statistics that make another device worth its start, where the caller has not named devices. */
const WORTH_A_DEVICE = 2 ** 26;

/** Consecutive groups that one device works on. */
export interface Share {
  /** Place in the list of devices. */
  readonly device: number;
  readonly from: number;
  readonly to: number;
}

export interface Load {
  readonly groups: number;
  readonly dims: number;
  /** [B+1], where there are rows */
  readonly offsets: Float64Array | undefined;
  readonly rowBytes: number;
}

/**
 * Cuts the groups into shares of about equal bytes, one a device. A group's result does not depend on where it is computed, so
 * neither do results on the cut.
 *
 * @param all whether every device is to have a share, however small
 */
export function shares(load: Load, devices: number, all: boolean): Share[] {
  const { groups, dims, offsets, rowBytes } = load;
  const own = groupBytes(STATISTICS, dims);
  const before = (g: number): number => g * own + (offsets ? offsets[g] * rowBytes : 0);
  const total = before(groups);
  const worth = all ? devices : Math.ceil(total / WORTH_A_DEVICE);
  const count = Math.max(1, Math.min(devices, worth, groups));
  const cuts: Share[] = [];
  let from = 0;
  for (let device = 0; device < count; device++) {
    const to =
      device === count - 1 ? groups : firstBeyond(before, from, groups, (total * (device + 1)) / count);
    if (to > from || count === 1) cuts.push({ device, from, to });
    from = to;
  }
  return cuts;
}

/** The first group of from … groups that begins at or beyond so many bytes. */
function firstBeyond(before: (g: number) => number, from: number, groups: number, bytes: number): number {
  let [low, high] = [from, groups];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (before(middle) < bytes) low = middle + 1;
    else high = middle;
  }
  return low;
}
