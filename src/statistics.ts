import { InputError } from "./errors.js";
import { requireCount, requireLength } from "./layout.js";
import type { Precision } from "./methods.js";

/** The arrays of a `Statistics`, as they are stored. */
export interface StatisticsFields {
  readonly dims: number;
  readonly groups: number;
  /** [B]: rows of positive weight */
  readonly count: Float64Array;
  /** [B]: W = Σ wᵢ, equal to the count where there are no weights */
  readonly weight: Float64Array;
  /** [B, d]: x̄ = (1/W) Σ wᵢ Xᵢ, in the units of the data; NaN where W = 0 */
  readonly mean: Float64Array;
  /** [B, d, d], row-major, symmetric: A = Σ wᵢ (Xᵢ − x̄)ᵀ(Xᵢ − x̄), in squared units of the data */
  readonly scatter: Float64Array;
  /** How the rows were stored, hence how far rounding of the input reaches */
  readonly dtype: Precision;
}

/**
 * The sufficient statistics of B groups: everything the paper's equations need of the rows.
 *
 * Two of them merge to the statistics of all their rows and subtract to undo it, so they are the unit of streaming and of
 * scaling out. Source: Chan, Golub & LeVeque (1983); see docs/math.md.
 */
export class Statistics implements StatisticsFields {
  readonly dims: number;
  readonly groups: number;
  readonly count: Float64Array;
  readonly weight: Float64Array;
  readonly mean: Float64Array;
  readonly scatter: Float64Array;
  readonly dtype: Precision;

  private constructor(fields: StatisticsFields) {
    this.dims = fields.dims;
    this.groups = fields.groups;
    this.count = fields.count;
    this.weight = fields.weight;
    this.mean = fields.mean;
    this.scatter = fields.scatter;
    this.dtype = fields.dtype;
  }

  /**
   * Statistics from arrays made elsewhere. The arrays are taken over, not copied.
   *
   * @throws InputError where lengths do not fit, or a count or weight is negative
   */
  static from(fields: StatisticsFields): Statistics {
    const place = "Statistics.from";
    const { groups, dims } = fields;
    requireCount(place, "dims", dims, 1);
    requireCount(place, "groups", groups, 0);
    requireLength(place, "count", fields.count.length, groups, "one a group");
    requireLength(place, "weight", fields.weight.length, groups, "one a group");
    requireLength(place, "mean", fields.mean.length, groups * dims, "d a group");
    requireLength(place, "scatter", fields.scatter.length, groups * dims * dims, "d·d a group");
    for (const name of ["count", "weight"] as const) {
      const g = fields[name].findIndex((value) => !(value >= 0 && value < Infinity));
      if (g >= 0) {
        throw new InputError(
          `${place}: ${name} must be finite and not negative, got ${fields[name][g]} at group ${g}`,
        );
      }
    }
    return new Statistics(fields);
  }

  /** Statistics of no rows at all. */
  static empty(groups: number, dims: number, dtype: Precision = "float64"): Statistics {
    return Statistics.from({
      dims,
      groups,
      dtype,
      count: new Float64Array(groups),
      weight: new Float64Array(groups),
      mean: new Float64Array(groups * dims).fill(Number.NaN),
      scatter: new Float64Array(groups * dims * dims),
    });
  }

  /**
   * The statistics of both sets of rows together, group by group:
   *
   *     W = W_p + W_q,  δ = x̄_q − x̄_p,  x̄ = x̄_p + δ·W_q/W,  A = A_p + A_q + δᵀδ·W_p W_q/W
   *
   * @throws InputError where groups or dims differ
   */
  merge(other: Statistics): Statistics {
    requireSameShape("Statistics.merge", this, other);
    const merged = copyOf(this, other);
    for (let g = 0; g < this.groups; g++) mergeGroup(merged, g, other, g);
    return merged;
  }

  /**
   * The statistics of this set without the rows of the other, which must be among them: the inverse of `merge`.
   * What cancels is lost: the result's error is relative to the larger set.
   *
   * @throws InputError where groups or dims differ, or the other has more rows or weight than this
   */
  subtract(other: Statistics): Statistics {
    const place = "Statistics.subtract";
    requireSameShape(place, this, other);
    const rest = copyOf(this, other);
    for (let g = 0; g < this.groups; g++) {
      if (other.count[g] > this.count[g] || other.weight[g] > this.weight[g]) {
        throw new InputError(
          `${place}: cannot take ${other.count[g]} rows of weight ${other.weight[g]} from ${this.count[g]} rows of weight ${this.weight[g]} at group ${g}`,
        );
      }
      subtractGroup(rest, g, other, g);
    }
    return rest;
  }
}

/** Adds group `q` of `other` to group `p` of `into`, in place. Chan, Golub & LeVeque's merge. */
export function mergeGroup(into: StatisticsFields, p: number, other: StatisticsFields, q: number): void {
  const wq = other.weight[q];
  if (wq === 0) return;
  const wp = into.weight[p];
  if (wp === 0) {
    copyGroup(into, p, other, q);
  } else {
    shiftGroup(into, p, other, q, wp + wq, wq / (wp + wq), 1);
    into.count[p] += other.count[q];
  }
}

function subtractGroup(from: StatisticsFields, p: number, other: StatisticsFields, q: number): void {
  const wq = other.weight[q];
  if (wq === 0) return;
  const rest = from.weight[p] - wq;
  from.count[p] -= other.count[q];
  if (from.count[p] === 0 || rest === 0) clearGroup(from, p);
  else shiftGroup(from, p, other, q, rest, -wq / rest, -1);
}

/** Room for x̄_q − x̄_p of one group. */
let delta = new Float64Array(64);

/**
 * Moves group p's mean by δ·share, where δ = x̄_q − x̄_p, and its scatter by sign·(A_q + δᵀδ·W_p W_q/W), in place. W is the
 * resulting weight when adding (sign 1); when subtracting (sign −1) the same sum with W_p as the whole.
 */
function shiftGroup(
  into: StatisticsFields,
  p: number,
  other: StatisticsFields,
  q: number,
  weight: number,
  share: number,
  sign: 1 | -1,
): void {
  const { dims: d, mean, scatter } = into;
  const between = (into.weight[p] * other.weight[q]) / weight;
  const others = other.scatter;
  if (delta.length < d) delta = new Float64Array(d);
  for (let j = 0; j < d; j++) delta[j] = other.mean[q * d + j] - mean[p * d + j];
  for (let i = 0, to = p * d * d, from = q * d * d; i < d; i++) {
    const di = delta[i];
    for (let j = 0; j < d; j++, to++, from++) {
      scatter[to] += sign * (others[from] + between * (di * delta[j]));
    }
  }
  for (let j = 0; j < d; j++) mean[p * d + j] += delta[j] * share;
  into.weight[p] = weight;
}

function copyGroup(into: StatisticsFields, p: number, other: StatisticsFields, q: number): void {
  const d = into.dims;
  into.count[p] = other.count[q];
  into.weight[p] = other.weight[q];
  for (let j = 0; j < d; j++) into.mean[p * d + j] = other.mean[q * d + j];
  for (let e = 0; e < d * d; e++) into.scatter[p * d * d + e] = other.scatter[q * d * d + e];
}

function clearGroup(of: StatisticsFields, p: number): void {
  const d = of.dims;
  of.count[p] = 0;
  of.weight[p] = 0;
  of.mean.fill(Number.NaN, p * d, p * d + d);
  of.scatter.fill(0, p * d * d, (p + 1) * d * d);
}

function copyOf(one: Statistics, other: Statistics): Statistics {
  return Statistics.from({
    dims: one.dims,
    groups: one.groups,
    // The coarser storage decides how far rounding of the input reaches.
    dtype: one.dtype === "float32" || other.dtype === "float32" ? "float32" : "float64",
    count: one.count.slice(),
    weight: one.weight.slice(),
    mean: one.mean.slice(),
    scatter: one.scatter.slice(),
  });
}

function requireSameShape(place: string, one: Statistics, other: Statistics): void {
  if (one.groups !== other.groups || one.dims !== other.dims) {
    throw new InputError(
      `${place}: both must have the same groups and dims, got ${one.groups} × ${one.dims} and ${other.groups} × ${other.dims}`,
    );
  }
}
