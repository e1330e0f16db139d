import type { Batch } from "../../batch.js";
import { InputError } from "../../errors.js";
import type { Precision } from "../../methods.js";
import { STATISTICS } from "../fields.js";
import { sharedBytes } from "../reserve.js";
import { ResidentBatch } from "../resident_batch.js";
import type { Call, Machine } from "./machine.js";
import { type Plan, planRows, type RowsShape, renewed } from "./plan.js";
import { isShared, spanOf } from "./shared.js";
import { allocateFields } from "./spans.js";
import { ELEMENT_BYTES, type RowsTask } from "./task.js";

/**
 * How a batch's rows come to the kernels, and the plan for them:
 *
 * - rows in the engine's own memory are read in place, and wherever they are if its code reaches them
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
  const { dims } = batch;
  const rowType = rowTypeOf(batch, precision);
  const source = sourceOf(machine, batch);
  const weighted = batch.weights !== undefined;
  const { plan, offsets } = planned(batch, {
    dims,
    chunkRows: machine.kernels.chunk_rows(dims),
    rowBytes: dims * ELEMENT_BYTES[rowType] + (weighted ? 8 : 0),
    groupBytes,
    threads: machine.threads,
    inPlace: source.kind === "resident",
  });
  return {
    plan,
    rows: {
      source,
      rowType,
      weighted,
      offsets,
      sliceRows: plan.sliceRows,
      windowRows: plan.mostRows,
      partials: allocateFields(STATISTICS, plan.partials, dims),
      partialCount: plan.partials,
    },
    fed: source.kind === "fed" ? batch : undefined,
  };
}

interface Planned {
  readonly shape: string;
  readonly plan: Plan;
  /** [B+1] float64, where the workers see them */
  readonly offsets: SharedArrayBuffer;
}

/** Each batch's latest plan: with many small groups, making it takes as long as some of the work. */
const latest = new WeakMap<Batch, Planned>();

function planned(batch: Batch, rest: Omit<RowsShape, "offsets">): Planned {
  const shape = JSON.stringify(rest);
  const known = latest.get(batch);
  if (known?.shape === shape) return { ...known, plan: renewed(known.plan) };
  const offsets = known?.offsets ?? sharedBytes(batch.offsets.byteLength, "offsets");
  if (!known) new Float64Array(offsets).set(batch.offsets);
  const made = { shape, plan: planRows({ ...rest, offsets: batch.offsets }), offsets };
  latest.set(batch, made);
  return { ...made, plan: renewed(made.plan) };
}

/** Code of kernels/README.md. */
function rowTypeOf(batch: Batch, precision: Precision): RowsTask["rowType"] {
  if (batch.dtype === "float64") return 0;
  return precision === "float64" ? 1 : 2;
}

/** Its memory may be taken away while it is read. */
const isResizable = ({ buffer }: ArrayBufferView): boolean =>
  "resizable" in buffer && buffer.resizable === true;

/** @throws InputError where the rows or weights have gone: their buffer was transferred to another thread, say */
export function requireWhole({ x, weights, rows, dims }: Batch): void {
  if (x.length === rows * dims && (weights?.length ?? rows) === rows) return;
  throw new InputError("the batch's rows are no longer there: their buffer has been transferred or resized");
}

function sourceOf(machine: Machine, batch: Batch): RowsTask["source"] {
  const { x, weights } = batch;
  if (batch instanceof ResidentBatch) {
    if (batch.released) throw new InputError("the batch has been released");
    if (batch.liesIn(machine.arena)) {
      return { kind: "resident", x: x.byteOffset, weights: weights?.byteOffset ?? 0 };
    }
  }
  requireWhole(batch);
  if (machine.addressOf && ![x, weights].some((one) => one && isResizable(one))) {
    return { kind: "resident", x: machine.addressOf(x), weights: weights ? machine.addressOf(weights) : 0 };
  }
  if (!isShared(x) || (weights && !isShared(weights))) return { kind: "fed" };
  return { kind: "shared", x: spanOf(x), ...(weights && { weights: spanOf(weights) }) };
}
