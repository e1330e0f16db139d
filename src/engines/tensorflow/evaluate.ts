import type { Control } from "../../engine.js";
import { Evaluation } from "../../evaluation.js";
import type { RealArray } from "../../layout.js";
import type { Parameters } from "../../parameters.js";
import type { Statistics } from "../../statistics.js";
import { statusCode } from "../../status.js";
import type { TensorBackend } from "./backend.js";
import { powerOfTwo } from "./chunks.js";
import { gradient } from "./kernels/gradient.js";
import { allFinite } from "./standard.js";
import { Turns } from "./turns.js";

/** Numbers in one tensor of matrices at most. */
const WINDOW = 2 ** 20;

/** The paper's equations for every group at (μ, Λ), in windows of groups that go through together. */
export async function evaluateAll(
  on: TensorBackend,
  statistics: Statistics,
  parameters: Parameters,
  control: Control,
): Promise<Evaluation> {
  const { groups, dims: d } = statistics;
  const result = {
    dims: d,
    groups,
    j1: new Float64Array(groups),
    j2: new Float64Array(groups),
    objective: new Float64Array(groups),
    dJ1dFactor: new Float64Array(groups * d * d),
    dJ2dMean: new Float64Array(groups * d),
    dJ2dFactor: new Float64Array(groups * d * d),
    statusCode: new Uint8Array(groups),
  };
  const turns = new Turns(groups, control);
  const window = Math.max(1, Math.floor(WINDOW / d ** 2));
  for (let begin = 0; begin < groups; begin += window) {
    const end = Math.min(begin + window, groups);
    const members: number[] = [];
    for (let g = begin; g < end; g++) {
      if (statistics.count[g] === 0) result.statusCode[g] = statusCode("empty");
      else if (allFinite(statistics, g)) members.push(g);
      else spoil(result, g, "non-finite");
    }
    if (members.length > 0) on.scope(() => evaluateWindow(on, statistics, parameters, members, result));
    await turns.next(end);
  }
  turns.end();
  return new Evaluation(result);
}

type Result = ConstructorParameters<typeof Evaluation>[0];

/**
 * In units of the size of Λ's rows, powers of two u: Λ ← u⁻¹Λ, x̄−μ ← u⁻¹(x̄−μ), A_μ ← u⁻¹A_μu⁻¹, so that no arithmetic
 * overflows for the units of the data.
 */
function evaluateWindow(
  on: TensorBackend,
  { dims: d, weight, mean, scatter }: Statistics,
  at: Parameters,
  members: readonly number[],
  result: Result,
) {
  const B = members.length;
  const units = new Float64Array(B * d);
  const factor = on.array(B * d * d);
  const deviation = on.array(B * d);
  const about = on.array(B * d * d);
  const off = new Float64Array(d); // of one group, not yet rounded
  for (let k = 0; k < B; k++) {
    const g = members[k];
    const own = k * d;
    for (let i = 0; i < d; i++) {
      const [from, to] = [(g * d + i) * d, (own + i) * d];
      let size = 0;
      for (let j = 0; j < d; j++) size = Math.max(size, Math.abs(at.factor[from + j]));
      const unit = powerOfTwo(size);
      units[own + i] = unit;
      for (let j = 0; j < d; j++) factor[to + j] = at.factor[from + j] / unit;
      off[i] = (mean[g * d + i] - at.mean[g * d + i]) / unit;
      deviation[own + i] = off[i];
      for (let j = 0; j <= i; j++) {
        const entry = scatter[from + j] / weight[g] / unit / units[own + j] + off[i] * off[j];
        about[to + j] = about[(own + j) * d + i] = entry;
      }
    }
  }
  const matrices = [B, d, d];
  const perRow = gradient(
    on,
    on.tensor(factor, matrices),
    on.tensor(deviation, [B, 1, d]),
    on.tensor(about, matrices),
  );
  const [diagonal, j2, dJ1dFactor, dJ2dMean, dJ2dFactor] = [
    perRow.diagonal,
    perRow.j2,
    perRow.dJ1dFactor,
    perRow.dJ2dMean,
    perRow.dJ2dFactor,
  ].map((tensor) => on.read(tensor));
  members.forEach((g, k) => {
    const logDeterminant = logDeterminantOf(on, units, factor, diagonal, k, d);
    if (logDeterminant === undefined) {
      spoil(result, g, "singular");
      return;
    }
    const n = weight[g];
    result.j1[g] = 2 * n * logDeterminant;
    result.j2[g] = n * j2[k];
    result.objective[g] = (n * d * Math.log(2 * Math.PI) + result.j1[g] + result.j2[g]) / 2;
    if (!Number.isFinite(result.objective[g])) {
      spoil(result, g, "non-finite");
      return;
    }
    for (let i = 0; i < d; i++) {
      const share = n / units[k * d + i];
      result.dJ2dMean[g * d + i] = share * dJ2dMean[k * d + i];
      for (let j = 0; j < d; j++) {
        const [to, from] = [(g * d + i) * d + j, (k * d + i) * d + j];
        result.dJ1dFactor[to] = share * dJ1dFactor[from];
        result.dJ2dFactor[to] = share * dJ2dFactor[from];
      }
    }
  });
  return [];
}

/** ½ log|S| = Σ log uᵢ L_ii, or undefined where what is left of a row of Λ beside the others is rounding: Λ is singular. */
function logDeterminantOf(
  on: TensorBackend,
  units: Float64Array,
  factor: RealArray,
  diagonal: RealArray,
  k: number,
  d: number,
): number | undefined {
  let sum = 0;
  for (let i = 0; i < d; i++) {
    let squared = 0;
    for (let j = 0; j < d; j++) squared += factor[(k * d + i) * d + j] ** 2;
    const own = diagonal[k * d + i];
    if (!(own > 2 * d * on.unit * Math.sqrt(squared))) return undefined;
    sum += Math.log(own) + Math.log(units[k * d + i]);
  }
  return sum;
}

/** NaN everywhere; where Λ is singular log|S| is −∞. */
function spoil(result: Result, g: number, status: "singular" | "non-finite"): void {
  const { dims: d } = result;
  result.statusCode[g] = statusCode(status);
  result.j1[g] = status === "singular" ? -Infinity : Number.NaN;
  result.j2[g] = result.objective[g] = Number.NaN;
  result.dJ1dFactor.fill(Number.NaN, g * d * d, (g + 1) * d * d);
  result.dJ2dMean.fill(Number.NaN, g * d, (g + 1) * d);
  result.dJ2dFactor.fill(Number.NaN, g * d * d, (g + 1) * d * d);
}
