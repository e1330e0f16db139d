import { Batch } from "../batch.js";
import type { AllocatedBatch, Engine } from "../engine.js";
import { fit } from "../fit.js";
import type { Fits } from "../fits.js";
import type { Precision } from "../methods.js";
import { simulate } from "../simulate.js";
import type { Expected } from "./check.js";
import type { CheckedOptions } from "./options.js";
import type { RowsIn } from "./result.js";
import type { Shape } from "./shape.js";

/** Seeded rows of one shape in one precision, in a plain typed array. */
export function workload(shape: Shape, precision: Precision, options: CheckedOptions): Batch {
  const { seed, condition, offset } = options;
  const { batch } = simulate({ ...shape, seed, condition, offset });
  if (precision === "float64") return batch;
  return Batch.fromOffsets(Float32Array.from(batch.x), batch.offsets, { dims: shape.dims });
}

/** The same rows, where `place` says. Whoever asks gives them back. */
export function placed(rows: Batch, place: RowsIn, engine: Engine): { batch: Batch; release(): void } {
  if (place === "engine") {
    const { offsets, dims, dtype } = rows;
    const batch: AllocatedBatch = engine.allocate({ offsets, dims, dtype });
    batch.x.set(rows.x);
    return { batch, release: () => batch.release() };
  }
  if (place === "plain") return { batch: rows, release: () => {} };
  const memory = new SharedArrayBuffer(rows.x.byteLength);
  const shared = rows.dtype === "float32" ? new Float32Array(memory) : new Float64Array(memory);
  shared.set(rows.x);
  return { batch: Batch.fromOffsets(shared, rows.offsets, { dims: rows.dims }), release: () => {} };
}

/** The closed form by `reference`, of groups spread evenly over all. */
export async function referenceFits(rows: Batch, most: number, signal?: AbortSignal): Promise<Expected> {
  const size = Math.min(most, rows.groups);
  const groups = Float64Array.from({ length: size }, (_, k) => Math.floor((k * rows.groups) / size));
  const { dims, offsets } = rows;
  const chosen = Array.from(groups, (g) =>
    Float64Array.from(rows.x.subarray(offsets[g] * dims, offsets[g + 1] * dims)),
  );
  const bounds = new Float64Array(size + 1);
  chosen.forEach((x, k) => {
    bounds[k + 1] = bounds[k] + x.length / dims;
  });
  const x = new Float64Array(bounds[size] * dims);
  chosen.forEach((part, k) => {
    x.set(part, bounds[k] * dims);
  });
  const fits: Fits = await fit(Batch.fromOffsets(x, bounds, { dims }), {
    engine: "reference",
    ...(signal && { signal }),
  });
  return { by: "reference", fits, groups };
}
