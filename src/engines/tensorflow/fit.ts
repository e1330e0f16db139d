import type { Control, Solve, Start } from "../../engine.js";
import type { FitsFields } from "../../fits.js";
import type { RealArray } from "../../layout.js";
import type { Statistics } from "../../statistics.js";
import { type Status, statusCode } from "../../status.js";
import type { Tensor, TensorBackend } from "./backend.js";
import { type Certificate, certify } from "./kernels/certificate.js";
import { constant } from "./kernels/constant.js";
import { lowerFactor } from "./kernels/lq.js";
import { minimise } from "./methods/minimise.js";
import type { Solution } from "./methods/problem.js";
import { plainTrouble, type Standard, split, standardise, traceOfInverse } from "./standard.js";
import { Turns } from "./turns.js";

/** Numbers in one tensor of matrices at most: groups go through in windows of that size. */
const WINDOW = 2 ** 20;

/** How groups are to be fitted. */
interface Order {
  readonly on: TensorBackend;
  /** float64, where `on` is float32: for groups that are too ill-conditioned for it (kernels/mvn/condition.hpp) */
  readonly exact?: TensorBackend | undefined;
  readonly solve: Solve;
  /** rounding unit of the arithmetic in which the scatter was summed */
  readonly sumUnit: number;
  /** [groups]: iterations that led to the start */
  readonly spent?: Int32Array;
  readonly pause: (done: number) => Promise<void>;
}

/**
 * Fits every group from its statistics, in windows of groups that go through together.
 *
 * @param exact   the float64 backend where `on` is a float32 one
 * @param sumUnit rounding unit of the arithmetic in which the scatter was summed
 */
export async function fitAll(
  { on, exact }: Pick<Order, "on" | "exact">,
  statistics: Statistics,
  solve: Solve,
  sumUnit: number,
  control: Control,
): Promise<FitsFields> {
  const { groups, dims: d } = statistics;
  const fits = blank(statistics);
  const turns = new Turns(groups, control);
  const window = Math.max(1, Math.floor(WINDOW / (d + 1) ** 2));
  for (let begin = 0; begin < groups; begin += window) {
    const members = Array.from({ length: Math.min(window, groups - begin) }, (_, k) => begin + k);
    const pause = (done: number) => turns.next(begin + done);
    await fitWindow(statistics, members, { on, exact, solve, sumUnit, pause }, fits);
    await turns.next(begin + members.length);
  }
  turns.end();
  return fits;
}

async function fitWindow(
  statistics: Statistics,
  members: readonly number[],
  order: Order,
  fits: FitsFields,
): Promise<void> {
  const { on, exact, solve, sumUnit } = order;
  const sound = members.filter((g) => {
    const trouble = plainTrouble(statistics, g, solve.ddof);
    if (trouble) withoutFit(statistics, g, solve.ddof, trouble, fits);
    return !trouble;
  });
  const { standard, singular } = standardise(on, statistics, sound, sumUnit);
  for (const g of singular) withoutFit(statistics, g, solve.ddof, "singular", fits);
  const suffices = (k: number) => !exact || traceOfInverse(standard, k) * on.unit <= solve.tolerance;
  const { kept, others } = split(standard, suffices);
  await fitFullRank(statistics, kept, members.length - kept.groups.length, order, fits);
  if (!exact) return;
  const pause = () => order.pause(members.length);
  await fitWindow(statistics, others, { on: exact, solve, sumUnit, pause }, fits);
  await goOn(statistics, kept.groups, { on: exact, solve, sumUnit, pause }, fits);
}

/** Groups that float32 has left short of their tolerance, in float64: from where they are, or anew where they are nowhere. */
async function goOn(
  statistics: Statistics,
  groups: readonly number[],
  order: Order,
  fits: FitsFields,
): Promise<void> {
  const stalled = groups.filter((g) => fits.statusCode[g] === statusCode("stalled"));
  const [here, nowhere] = [true, false].map((is) =>
    stalled.filter((g) => Number.isFinite(fits.residual[g]) === is),
  );
  if (nowhere.length > 0) await fitWindow(statistics, nowhere, order, fits);
  if (here.length === 0) return;
  const start = { dims: fits.dims, groups: fits.groups, mean: fits.mean, factor: fits.factor };
  const spent = fits.iterations.slice();
  await fitWindow(statistics, here, { ...order, solve: { ...order.solve, start }, spent }, fits);
}

/** Fits groups of full rank; `troubled` of their window have none, or are fitted elsewhere. */
async function fitFullRank(
  statistics: Statistics,
  standard: Standard,
  troubled: number,
  { on, solve, spent, pause }: Order,
  fits: FitsFields,
): Promise<void> {
  const B = standard.groups.length;
  if (B === 0) return;
  const e = statistics.dims + 1;
  let solution: Solution;
  if (solve.method === "closed-form") {
    solution = {
      point: solve.ddof === 0 ? standard.factor : unbiased(standard.factor, statistics, standard.groups),
      iterations: new Int32Array(B),
      status: new Array(B).fill("converged"),
    };
  } else {
    const { tolerance, maxIterations } = solve;
    const { correlation, logDeterminant } = standard;
    const start = startOf(on, statistics, standard, solve.start);
    const problem = {
      on,
      groups: B,
      e,
      correlation,
      start,
      spent: Int32Array.from(standard.groups, (g) => spent?.[g] ?? 0),
      tolerance,
      maxIterations,
      pause: (done: number) => pause(troubled + done),
    };
    solution = await minimise(solve.method, problem, logDeterminant);
  }
  on.scope(() => {
    const point = on.tensor(solution.point, [B, e, e]);
    const certificate = certify(on, on.tensor(standard.correlation, [B, e, e]), point);
    // In closed form the covariance is the scatter's, with every digit of it.
    const covariance = solve.method === "closed-form" ? undefined : on.read(covarianceOf(on, point));
    writeFits(statistics, standard, solve, solution, certificate, covariance, fits);
    return [];
  });
}

/** S = LLᵀ of M = [1 0; m L], beside an empty first row and column: the mean is taken out of M. */
function covarianceOf(on: TensorBackend, point: Tensor): Tensor {
  const e = point.shape[1] as number;
  const factor = on.tf.mul(
    point,
    constant(on, e, (i, j) => (i > 0 && j > 0 ? 1 : 0)),
  );
  return on.tf.matMul(factor, factor, false, true);
}

/** The factor of A/(n − 1): L √(n/(n − 1)). */
function unbiased(factor: RealArray, { weight, dims }: Statistics, groups: readonly number[]): RealArray {
  const size = (dims + 1) ** 2;
  const scaled = factor.slice();
  for (let k = 0; k < groups.length; k++) {
    const n = weight[groups[k]];
    const share = Math.sqrt(n / (n - 1));
    for (let at = k * size + 1; at < (k + 1) * size; at++) scaled[at] *= share;
  }
  return scaled;
}

/**
 * Where an iterative method starts, as M in standardised units: `default` is Λ = D, `identity` Λ = I in the units of the data, both
 * about x̄; a caller's own (μ, Λ) as the triangular L of the same S.
 */
function startOf(on: TensorBackend, statistics: Statistics, standard: Standard, start: Start): RealArray {
  const { dims: d, mean } = statistics;
  const { groups, scale } = standard;
  const e = d + 1;
  const point = on.array(groups.length * e * e);
  const given = typeof start === "object" ? start : undefined;
  const factor = on.array(given ? groups.length * d * d : 0);
  groups.forEach((g, k) => {
    const corner = k * e * e;
    point[corner] = 1;
    for (let i = 0; i < d; i++) {
      const unit = scale[k * d + i];
      if (!given) point[corner + (i + 1) * (e + 1)] = start === "identity" ? 1 / unit : 1;
      else {
        point[corner + (i + 1) * e] = (given.mean[g * d + i] - mean[g * d + i]) / unit;
        for (let j = 0; j < d; j++) factor[(k * d + i) * d + j] = given.factor[(g * d + i) * d + j] / unit;
      }
    }
  });
  if (!given) return point;
  on.scope(() => {
    const lower = on.read(lowerFactor(on, on.tensor(factor, [groups.length, d, d])));
    for (let k = 0, from = 0; k < groups.length; k++) {
      for (let i = 0; i < d; i++) {
        for (let j = 0; j < d; j++, from++) point[k * e * e + (i + 1) * e + j + 1] = lower[from];
      }
    }
    return [];
  });
  return point;
}

function writeFits(
  statistics: Statistics,
  { groups, scale }: Standard,
  { ddof }: Solve,
  { point, iterations, status }: Solution,
  certificate: Certificate,
  covariance: RealArray | undefined,
  fits: FitsFields,
): void {
  const { dims: d, weight, mean, scatter } = statistics;
  const e = d + 1;
  for (let k = 0; k < groups.length; k++) {
    const g = groups[k];
    // J is not finite: a start with a singular Λ, or one too far away; in closed form, no factor in this arithmetic.
    if (!Number.isFinite(certificate.residual[k])) {
      withoutFit(statistics, g, ddof, "stalled", fits);
      continue;
    }
    let units = 0;
    for (let i = 0; i < d; i++) {
      const unit = scale[k * d + i];
      units += Math.log(unit);
      const row = k * e * e + (i + 1) * e;
      const to = (g * d + i) * d;
      fits.mean[g * d + i] = mean[g * d + i] + unit * point[row];
      for (let j = 0; j < d; j++) {
        fits.factor[to + j] = j <= i ? unit * point[row + 1 + j] : 0;
        fits.covariance[to + j] = covariance
          ? unit * scale[k * d + j] * covariance[row + 1 + j]
          : scatter[to + j] / (weight[g] - ddof);
      }
    }
    const perRow = certificate.logDeterminant[k] + certificate.trace[k] / 2 + units;
    fits.logLikelihood[g] = -weight[g] * (perRow + (d / 2) * Math.log(2 * Math.PI));
    fits.residual[g] = certificate.residual[k];
    fits.gap[g] = certificate.gap[k];
    fits.iterations[g] = iterations[k];
    fits.statusCode[g] = statusCode(status[k]);
  }
}

/** Mean and covariance where they are defined, no factor. */
function withoutFit(statistics: Statistics, g: number, ddof: number, status: Status, fits: FitsFields): void {
  const { dims: d, weight, mean, scatter } = statistics;
  const divisor = weight[g] - ddof;
  fits.mean.set(mean.subarray(g * d, (g + 1) * d), g * d);
  for (let at = g * d * d; at < (g + 1) * d * d; at++) {
    fits.covariance[at] = divisor > 0 ? scatter[at] / divisor : Number.NaN;
    fits.factor[at] = Number.NaN;
  }
  fits.logLikelihood[g] = fits.residual[g] = fits.gap[g] = Number.NaN;
  fits.iterations[g] = 0;
  fits.statusCode[g] = statusCode(status);
}

function blank({ dims, groups, count, weight }: Statistics): FitsFields {
  return {
    dims,
    groups,
    count: count.slice(),
    weight: weight.slice(),
    mean: new Float64Array(groups * dims),
    covariance: new Float64Array(groups * dims * dims),
    factor: new Float64Array(groups * dims * dims),
    logLikelihood: new Float64Array(groups),
    residual: new Float64Array(groups),
    gap: new Float64Array(groups),
    iterations: new Int32Array(groups),
    statusCode: new Uint8Array(groups),
  };
}
