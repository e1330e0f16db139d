import type { Batch } from "../../batch.js";
import type { Control } from "../../engine.js";
import type { RealArray } from "../../layout.js";
import { mergeGroup, Statistics, type StatisticsFields } from "../../statistics.js";
import type { TensorBackend } from "./backend.js";
import { type Chunk, chunksOf, type Frame, frame } from "./chunks.js";
import { products } from "./kernels/moments.js";
import { Turns } from "./turns.js";

/** Numbers that go into one BatchMatMul at most, and about as many wait: this bounds the memory beside the rows. */
const WINDOW = 2 ** 20;

/**
 * Count, weight, mean and scatter of every group, by BatchMatMul over chunks of equal length. The chunks of a group are merged in
 * their order, with means relative to the group's first shift, which is added once at the end: far from the origin no digit is
 * lost on the way.
 */
export async function statisticsOf(on: TensorBackend, batch: Batch, control: Control): Promise<Statistics> {
  const { groups, dims, dtype } = batch;
  const result = Statistics.empty(groups, dims, dtype);
  const origins = new Float64Array(groups * dims).fill(Number.NaN);
  const turns = new Turns(groups, control);
  let waiting: Chunk[] = [];
  let numbers = 0;
  for (let g = 0; g < groups; g++) {
    for (const chunk of chunksOf(batch, g, on.precision)) {
      waiting.push(chunk);
      numbers += chunk.length * (dims + 1);
      if (numbers < WINDOW) continue;
      flush(on, batch, waiting, origins, result);
      waiting = [];
      numbers = 0;
      await turns.next(g);
    }
  }
  flush(on, batch, waiting, origins, result);
  for (let e = 0; e < origins.length; e++) result.mean[e] += origins[e];
  for (let g = 0; g < groups; g++) undefineNonFinite(result, g);
  turns.end();
  return result;
}

/** The moments of one chunk about its shift. */
interface Moments {
  readonly shift: Float64Array;
  readonly about: StatisticsFields;
}

/** The moments of some chunks, merged into their groups. */
function flush(
  on: TensorBackend,
  batch: Batch,
  chunks: readonly Chunk[],
  origins: Float64Array,
  into: Statistics,
): void {
  const moments = new Map<Chunk, Moments>();
  const byLength = new Map<number, Chunk[]>();
  for (const chunk of chunks) {
    const equal = byLength.get(chunk.length);
    if (equal) equal.push(chunk);
    else byLength.set(chunk.length, [chunk]);
  }
  for (const [length, equal] of byLength) {
    const most = Math.max(1, Math.floor(WINDOW / (length * (batch.dims + 1))));
    for (let k = 0; k < equal.length; k += most) {
      const some = equal.slice(k, k + most);
      momentsOf(on, batch, some, length).forEach((one, i) => {
        moments.set(some[i], one);
      });
    }
  }
  for (const chunk of chunks) {
    const { shift, about } = moments.get(chunk) as Moments;
    const at = chunk.group * batch.dims;
    if (into.count[chunk.group] === 0) origins.set(shift, at);
    for (let j = 0; j < batch.dims; j++) about.mean[j] += shift[j] - origins[at + j];
    mergeGroup(into, chunk.group, about, 0);
  }
}

function momentsOf(on: TensorBackend, batch: Batch, chunks: readonly Chunk[], length: number): Moments[] {
  const e = batch.dims + 1;
  const rows = on.array(chunks.length * length * e);
  const weighted = batch.weights ? on.array(rows.length) : undefined;
  const frames = chunks.map((chunk, k) => frame(batch, chunk, rows, weighted, k * length * e));
  let moments: Moments[] = [];
  on.scope(() => {
    const shape = [chunks.length, length, e];
    const right = on.tensor(rows, shape);
    const left = weighted ? on.tensor(weighted, shape) : right;
    const sums = on.read(products(on, left, right));
    moments = chunks.map((chunk, k) => ({
      shift: frames[k].shift,
      about: unframed(batch, chunk, frames[k], sums.subarray(k * e * e, (k + 1) * e * e)),
    }));
    return [];
  });
  return moments;
}

/** Mean, about the shift, and scatter of a chunk from its products: A = Σ w xᵀx − (Σ w x)ᵀ(Σ w x)/Σ w, in the units of the data. */
function unframed(batch: Batch, chunk: Chunk, { scale, largest }: Frame, sums: RealArray): StatisticsFields {
  const { dims: d, weights, dtype } = batch;
  const e = d + 1;
  const total = sums[0];
  const mean = scale.map((unit, j) => unit * (sums[1 + j] / total));
  const scatter = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      const centred = sums[(j + 1) * e + i + 1] - (sums[1 + i] * sums[1 + j]) / total;
      // A sum of squares is not negative, whatever rounding says.
      const entry = i === j && centred < 0 ? 0 : centred;
      scatter[i * d + j] = scatter[j * d + i] = entry * scale[i] * scale[j] * largest;
    }
  }
  let weight = chunk.rows.length;
  if (weights) weight = chunk.rows.reduce((sum, row) => sum + weights[row], 0);
  return {
    dims: d,
    groups: 1,
    dtype,
    count: Float64Array.of(chunk.rows.length),
    weight: Float64Array.of(weight),
    mean,
    scatter,
  };
}

/** A column with a NaN or an infinity has a NaN mean, and NaN in its row and column of the scatter. */
function undefineNonFinite({ dims: d, count, mean, scatter }: Statistics, g: number): void {
  if (count[g] === 0) return;
  for (let j = 0; j < d; j++) {
    if (Number.isFinite(mean[g * d + j])) continue;
    mean[g * d + j] = Number.NaN;
    for (let i = 0; i < d; i++) scatter[(g * d + i) * d + j] = scatter[(g * d + j) * d + i] = Number.NaN;
  }
}
