import type { Batch } from "../../batch.js";
import { InputError } from "../../errors.js";
import type { Precision } from "../../methods.js";
import { STATISTICS } from "../fields.js";
import { ResidentBatch } from "../resident_batch.js";
import type { Call, Machine } from "./machine.js";
import { type Plan, planRows } from "./plan.js";
import { isShared, spanOf } from "./shared.js";
import { allocateFields, sharedBytes } from "./spans.js";
import { ELEMENT_BYTES, type RowsTask } from "./task.js";

/**
 * How a batch's rows come to the kernels, and the plan for them:
 *
 * - rows in the engine's own memory are read in place
 * - rows in shared memory are copied by the workers, each what it works on
 * - rows in ordinary memory are copied by the main thread, while the workers compute
 *
 * @param groupBytes what the kernels read and write for one group beside its rows
 */
export function rowsOf(
  machine: Machine,
  batch: Batch,
  precision: Precision,
  groupBytes: number,
): { readonly plan: Plan; readonly rows: RowsTask; readonly fed: Call["fed"] } {
  const { dims, offsets } = batch;
  const rowType = rowTypeOf(batch, precision);
  const source = sourceOf(machine, batch);
  const weighted = batch.weights !== undefined;
  const plan = planRows({
    offsets,
    dims,
    chunkRows: machine.kernels.chunk_rows(dims),
    rowBytes: dims * ELEMENT_BYTES[rowType] + (weighted ? 8 : 0),
    groupBytes,
    threads: machine.threads,
    inPlace: source.kind === "resident",
  });
  const shared = sharedBytes(offsets.byteLength, "offsets");
  new Float64Array(shared).set(offsets);
  return {
    plan,
    rows: {
      source,
      rowType,
      weighted,
      offsets: shared,
      sliceRows: plan.sliceRows,
      windowRows: plan.mostRows,
      partials: allocateFields(STATISTICS, plan.partials, dims),
      partialCount: plan.partials,
    },
    fed: source.kind === "fed" ? batch : undefined,
  };
}

/** Code of kernels/README.md. */
function rowTypeOf(batch: Batch, precision: Precision): RowsTask["rowType"] {
  if (batch.dtype === "float64") return 0;
  return precision === "float64" ? 1 : 2;
}

function sourceOf(machine: Machine, batch: Batch): RowsTask["source"] {
  const { x, weights } = batch;
  if (batch instanceof ResidentBatch) {
    if (batch.released) throw new InputError("the batch has been released");
    if (batch.liesIn(machine.arena)) {
      return { kind: "resident", x: x.byteOffset, weights: weights?.byteOffset ?? 0 };
    }
  }
  if (!isShared(x) || (weights && !isShared(weights))) return { kind: "fed" };
  return { kind: "shared", x: spanOf(x), ...(weights && { weights: spanOf(weights) }) };
}
