import type { Batch } from "../batch.js";
import type { Control } from "../engine.js";
import { type Equation, type Gradients, zeroGradients } from "../gradients.js";
import type { Parameters } from "../parameters.js";
import { eachGroup } from "../turns.js";
import { Elimination } from "./linear.js";
import { type UnitFree, unitFree } from "./unit-free.js";

/** A rule for differences: quotients at steps that shrink by half, combined so that the first terms of their errors vanish. */
export interface DifferenceRule {
  /** The largest step, as a share of sᵢ, which is the scale of μᵢ and of row i of Λ */
  readonly h: number;
  /** The truncation error is of order h^order */
  readonly order: 2 | 4;
}

/** (f(x+h) − f(x−h)) / 2h, error O(h²): the step that balances it with rounding is ε^(1/3). */
export const CENTRAL: DifferenceRule = { h: 2 ** (-52 / 3), order: 2 };

/** (4·D(h/2) − D(h)) / 3, error O(h⁴), step ε^(1/5). Source: Richardson (1911). */
export const RICHARDSON: DifferenceRule = { h: 2 ** (-52 / 5), order: 4 };

/** J₁ and J₂ of one group, eqs. (3) and (4). */
interface Terms {
  readonly j1: number;
  readonly j2: number;
}

/**
 * Gradients of J₁, J₂ and J by differences of their values over the rows, one entry of μ and Λ after another.
 *
 * The values come from an elimination of Λ for each row: J₁ = 2n log|det Λ|, J₂ = Σₐ ‖Λ⁻¹(Xₐ−μ)ᵀ‖². No derivative formula is used.
 *
 * @param batch every group has rows, and every Λ of the parameters is invertible
 */
export async function finiteDifferences(
  batch: Batch,
  parameters: Parameters,
  equations: readonly Equation[],
  rule: DifferenceRule,
  control: Control,
): Promise<Gradients> {
  const { dims: d, groups } = batch;
  const gradients = zeroGradients(equations, batch);
  const entries = d + d * d;
  let point: Point | undefined;
  // One entry of one group is the unit of work, so that a group of very many rows does not hold up the event loop.
  await eachGroup(groups * entries, control, (unit) => {
    const g = Math.floor(unit / entries);
    const entry = unit % entries;
    if (entry === 0) point = pointOf(batch, parameters, g);
    if (!point) return;
    const slope = point.slope(entry, rule);
    const whole = (slope.j1 + slope.j2) / 2;
    if (entry < d) {
      const at = g * d + entry;
      put(gradients["9"]?.mean, at, slope.j2);
      put(gradients.J?.mean, at, whole);
    } else {
      const at = g * d * d + entry - d;
      put(gradients["7"]?.factor, at, slope.j1);
      put(gradients["14"]?.factor, at, slope.j2);
      put(gradients.J?.factor, at, whole);
    }
  });
  return gradients;
}

function put(into: Float64Array | undefined, at: number, value: number): void {
  if (into) into[at] = value;
}

function pointOf(batch: Batch, { mean, factor }: Parameters, g: number): Point | undefined {
  const d = batch.dims;
  const group = unitFree(batch, g, mean.slice(g * d, (g + 1) * d), factor.slice(g * d * d, (g + 1) * d * d));
  return typeof group === "string" ? undefined : new Point(group);
}

/** One group about its parameters, in coordinates free of units. */
class Point {
  readonly #group: UnitFree;
  readonly #elimination: Elimination;
  readonly #factor: Float64Array;
  readonly #row: Float64Array;
  readonly #weight: number;

  constructor(group: UnitFree) {
    const d = group.units.length;
    this.#group = group;
    this.#elimination = new Elimination(d);
    this.#factor = group.factor.slice();
    this.#row = new Float64Array(d);
    this.#weight = group.weights.reduce((sum, w) => sum + w, 0);
  }

  /** The slopes of J₁ and J₂ along entry e: μ₀ … μ_{d−1}, then Λ row by row. */
  slope(e: number, { h, order }: DifferenceRule): Terms {
    const d = this.#row.length;
    const unit = this.#group.units[e < d ? e : Math.floor((e - d) / d)];
    const coarse = this.#quotient(e, h);
    if (order === 2) return { j1: coarse.j1 / unit, j2: coarse.j2 / unit };
    const fine = this.#quotient(e, h / 2);
    const combined = (of: keyof Terms) => (4 * fine[of] - coarse[of]) / 3 / unit;
    return { j1: combined("j1"), j2: combined("j2") };
  }

  #quotient(e: number, h: number): Terms {
    const d = this.#row.length;
    if (e < d) {
      this.#elimination.factor(this.#factor);
      // μ is stepped in the deviations, where h is not lost however far from the origin the data are.
      return { j1: 0, j2: (this.#j2(e, -h) - this.#j2(e, h)) / (2 * h) };
    }
    const at = this.#factor[e - d];
    const [above, below] = [at + h, at - h];
    const upper = this.#termsWith(e - d, above);
    const lower = this.#termsWith(e - d, below);
    this.#factor[e - d] = at;
    const width = above - below;
    return { j1: (upper.j1 - lower.j1) / width, j2: (upper.j2 - lower.j2) / width };
  }

  #termsWith(entry: number, value: number): Terms {
    this.#factor[entry] = value;
    if (!this.#elimination.factor(this.#factor)) return { j1: Number.NaN, j2: Number.NaN };
    return { j1: 2 * this.#weight * this.#elimination.logAbsDeterminant, j2: this.#j2(0, 0) };
  }

  /** J₂ with column j of the deviations moved by `shift`, for the factor last eliminated. */
  #j2(j: number, shift: number): number {
    const { deviations, weights } = this.#group;
    const row = this.#row;
    const d = row.length;
    let sum = 0;
    for (let a = 0; a < weights.length; a++) {
      for (let i = 0; i < d; i++) row[i] = deviations[a * d + i];
      row[j] += shift;
      this.#elimination.solve(row);
      let square = 0;
      for (let i = 0; i < d; i++) square += row[i] * row[i];
      sum += weights[a] * square;
    }
    return sum;
  }
}
