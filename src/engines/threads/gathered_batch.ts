import { Batch } from "../../batch.js";
import type { GatherLayout } from "../../engine.js";
import { InputError } from "../../errors.js";
import { checkedOffsets, requireLength } from "../../layout.js";
import type { ResidentBatch } from "../resident_batch.js";
import { isShared } from "./shared.js";

/** Rows of a batch in the kernels' memory, in an order of their own: the workers put them together, window by window. */
export class GatheredBatch extends Batch {
  /** Where the rows lie. */
  readonly rowsIn: ResidentBatch;
  /** [N] uint32, in shared memory: row k is row order[k] there */
  readonly order: Uint32Array;

  private constructor(rowsIn: ResidentBatch, offsets: Float64Array, order: Uint32Array) {
    super(rowsIn.x, offsets, rowsIn.dims, rowsIn.weights);
    this.rowsIn = rowsIn;
    this.order = order;
  }

  /** @throws InputError where the layout is not one, or names rows that are not there */
  static of(rowsIn: ResidentBatch, { offsets, order }: GatherLayout): GatheredBatch {
    const place = "gather";
    const checked = checkedOffsets(place, offsets);
    const rows = checked[checked.length - 1];
    requireLength(place, "order", order.length, rows, "one a row");
    if (!isShared(order)) throw new InputError(`${place}: order must lie in a SharedArrayBuffer`);
    for (let k = 0; k < rows; k++) {
      if (order[k] < rowsIn.rows) continue;
      throw new InputError(
        `${place}: order must be row numbers below ${rowsIn.rows}, got ${order[k]} at ${k}`,
      );
    }
    return new GatheredBatch(rowsIn, checked, order);
  }
}
