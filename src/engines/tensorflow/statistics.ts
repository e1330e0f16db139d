import type { Batch } from "../../batch.js";
import type { Control } from "../../engine.js";
import type { RealArray } from "../../layout.js";
import { mergeGroup, Statistics, type StatisticsFields } from "../../statistics.js";
import type { TensorBackend } from "./backend.js";
import { type Chunk, chunksOf, type Frames, frame, framesFor } from "./chunks.js";
import { products } from "./kernels/moments.js";
import { Turns } from "./turns.js";

/** Numbers that go into one BatchMatMul, as far as chunks go whole: few enough to be in the cache still when they are multiplied. */
const WINDOW = 2 ** 18;

/**
 * Count, weight, mean and scatter of every group, by BatchMatMul over chunks of equal length. The chunks of a group are merged in
 * their order, with means relative to the group's first shift, which is added once at the end: far from the origin no digit is
 * lost on the way.
 */
export async function statisticsOf(on: TensorBackend, batch: Batch, control: Control): Promise<Statistics> {
  const { groups, dims, dtype } = batch;
  const result = Statistics.empty(groups, dims, dtype);
  const origins = new Float64Array(groups * dims).fill(Number.NaN);
  const moments = new Moments(on, batch);
  const turns = new Turns(groups, control);
  let waiting: Chunk[] = [];
  let numbers = 0;
  const flush = () => {
    const about = moments.of(waiting);
    waiting.forEach((chunk, k) => {
      const at = chunk.group * dims;
      if (result.count[chunk.group] === 0) copy(about.shift, k * dims, origins, at, dims);
      for (let j = 0; j < dims; j++) about.mean[k * dims + j] += about.shift[k * dims + j] - origins[at + j];
      mergeGroup(result, chunk.group, about, k);
    });
    waiting = [];
    numbers = 0;
  };
  const chunks = chunksOf(batch, on.precision);
  for (let next = chunks.next(); !next.done; ) {
    const { group } = next.value;
    on.active(() => {
      for (; !next.done && !turns.due; next = chunks.next()) {
        waiting.push(next.value);
        numbers += next.value.length * (dims + 1);
        if (numbers >= WINDOW) flush();
      }
      if (next.done && waiting.length > 0) flush();
    });
    await turns.next(group);
  }
  for (let at = 0; at < origins.length; at++) result.mean[at] += origins[at];
  for (let g = 0; g < groups; g++) undefineNonFinite(result, g);
  turns.end();
  return result;
}

function copy(from: Float64Array, first: number, to: Float64Array, at: number, length: number): void {
  for (let j = 0; j < length; j++) to[at + j] = from[first + j];
}

/** Statistics of C chunks, as of C groups: their means about their shifts. */
type ChunkMoments = StatisticsFields & { /** [C, d] */ readonly shift: Float64Array };

/** The moments of chunks of one batch, in memory that is used again and again. */
class Moments {
  readonly #on: TensorBackend;
  readonly #batch: Batch;
  #rows: RealArray;
  #weighted: RealArray | undefined;

  constructor(on: TensorBackend, batch: Batch) {
    this.#on = on;
    this.#batch = batch;
    this.#rows = on.array(0);
  }

  /** The moments of these chunks, in their order. Those of equal length go together. */
  of(chunks: readonly Chunk[]): ChunkMoments {
    const { dims: d, dtype } = this.#batch;
    const result: ChunkMoments = {
      dims: d,
      groups: chunks.length,
      dtype,
      count: Float64Array.from(chunks, ({ count }) => count),
      weight: Float64Array.from(chunks, (chunk) => this.#weightOf(chunk)),
      mean: new Float64Array(chunks.length * d),
      scatter: new Float64Array(chunks.length * d * d),
      shift: new Float64Array(chunks.length * d),
    };
    const byLength = new Map<number, number[]>();
    chunks.forEach(({ length }, k) => {
      const equal = byLength.get(length);
      if (equal) equal.push(k);
      else byLength.set(length, [k]);
    });
    for (const [length, places] of byLength) this.#ofEqual(chunks, places, length, result);
    return result;
  }

  #weightOf({ begin, end, count }: Chunk): number {
    const { weights } = this.#batch;
    if (!weights) return count;
    let sum = 0;
    for (let row = begin; row < end; row++) sum += weights[row];
    return sum;
  }

  /** The same of the chunks at these places, which are of one length. */
  #ofEqual(chunks: readonly Chunk[], places: readonly number[], length: number, into: ChunkMoments): void {
    const on = this.#on;
    const d = this.#batch.dims;
    const e = d + 1;
    const shape = [places.length, length, e];
    const size = places.length * length * e;
    if (this.#rows.length < size) {
      this.#rows = on.array(size);
      if (this.#batch.weights) this.#weighted = on.array(size);
    }
    const frames = framesFor(places.length, d);
    places.forEach((place, k) => {
      frame(this.#batch, chunks[place], frames, k, this.#rows, this.#weighted, k * length * e);
    });
    on.scope(() => {
      const right = on.tensor(this.#rows.subarray(0, size), shape);
      const left = this.#weighted ? on.tensor(this.#weighted.subarray(0, size), shape) : right;
      const sums = on.read(products(on, left, right));
      places.forEach((place, k) => {
        unframe(sums, frames, k, into, place);
      });
      return [];
    });
  }
}

/** Mean, about the shift, and scatter of a chunk from its products: A = Σ w xᵀx − (Σ w x)ᵀ(Σ w x)/Σ w, in the units of the data. */
function unframe(
  sums: RealArray,
  { shift, scale, largest }: Frames,
  k: number,
  into: ChunkMoments,
  place: number,
): void {
  const d = into.dims;
  const e = d + 1;
  const corner = k * e * e;
  const total = sums[corner];
  copy(shift, k * d, into.shift, place * d, d);
  for (let i = 0; i < d; i++) {
    const own = scale[k * d + i];
    into.mean[place * d + i] = own * (sums[corner + 1 + i] / total);
    for (let j = 0; j <= i; j++) {
      const between = (sums[corner + 1 + i] * sums[corner + 1 + j]) / total;
      const centred = sums[corner + (j + 1) * e + i + 1] - between;
      // A sum of squares is not negative, whatever rounding says.
      const entry = i === j && centred < 0 ? 0 : centred * own * scale[k * d + j] * largest[k];
      into.scatter[(place * d + i) * d + j] = into.scatter[(place * d + j) * d + i] = entry;
    }
  }
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
