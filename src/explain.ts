import type { FitsFields, FitsOrigin } from "./fits.js";
import { type Dependency, deficiencyOf } from "./rank.js";
import { STATUSES } from "./status.js";

/** Columns that a sentence names before it counts the rest. */
const NAMED_AT_MOST = 5;

/**
 * One sentence on how the fit of group g ended and, where there is none, what to do about it.
 *
 * @param columns names of the d variables
 */
export function explain(
  fits: FitsFields & { readonly origin: FitsOrigin },
  g: number,
  columns: readonly string[],
): string {
  const status = STATUSES[fits.statusCode[g]];
  const residual = digits(fits.residual[g]);
  const steps = counted(fits.iterations[g], "iteration");
  const { method, tolerance } = fits.origin;
  switch (status) {
    case "converged":
      return method === "closed-form"
        ? `fitted in closed form to ${counted(fits.count[g], "row")}, residual ${residual}`
        : `${method} converged on ${counted(fits.count[g], "row")} in ${steps}, residual ${residual}`;
    case "max-iterations":
      return `${method} used up its ${steps} at residual ${residual}, tolerance ${digits(tolerance)}; allow more iterations, or use newton or closed-form`;
    case "stalled":
      if (!Number.isFinite(fits.residual[g]))
        return `${method} cannot start from the Λ that was given: it is singular, or too far away; start from default`;
      return `${method} found no better point after ${steps}, at residual ${residual}, tolerance ${digits(tolerance)}; ${remedyForStall(fits.origin)}`;
    case "empty":
      return "no rows of positive weight; leave the group out";
    case "too-few-rows":
      return explainTooFewRows(fits, g);
    case "singular":
      return explainSingular(fits, g, columns);
    case "non-finite":
      return explainNonFinite(fits, g, columns);
  }
}

function remedyForStall({ method }: FitsOrigin): string {
  return `use ${method === "newton" ? "closed-form" : "newton or closed-form"}, or a larger tolerance`;
}

function explainTooFewRows(fits: FitsFields & { readonly origin: FitsOrigin }, g: number): string {
  const [count, weight, d] = [fits.count[g], fits.weight[g], fits.dims];
  if (count > d) return `weights that sum to ${digits(weight)} leave no divisor for ddof 1; use ddof 0`;
  return `${counted(count, "row")} for ${counted(d, "variable")}: a covariance needs at least ${d + 1}; add rows, or fit fewer variables`;
}

function explainSingular(
  fits: FitsFields & { readonly origin: FitsOrigin },
  g: number,
  columns: readonly string[],
): string {
  const d = fits.dims;
  const { ddof, roundingUnit } = fits.origin;
  const weight = fits.weight[g];
  const { constant, dependencies } = deficiencyOf({
    weight,
    mean: fits.mean.subarray(g * d, (g + 1) * d),
    scatter: fits.covariance.subarray(g * d * d, (g + 1) * d * d).map((entry) => entry * (weight - ddof)),
    roundingUnit,
  });
  const sentences = [];
  if (constant.length > 0) sentences.push(explainConstant(named(constant, columns), constant.length));
  if (dependencies.length > 0) sentences.push(explainDependencies(dependencies, columns));
  return sentences.join("; ");
}

function explainConstant(names: string, count: number): string {
  return count === 1
    ? `column ${names} is constant in this group; leave it out`
    : `columns ${names} are constant in this group; leave them out`;
}

function explainDependencies(dependencies: readonly Dependency[], columns: readonly string[]): string {
  const [first] = dependencies;
  const together = [...first.on, first.column].sort((a, b) => a - b);
  const sentence = `columns ${named(together, columns)} are linearly dependent in this group; leave one out`;
  if (dependencies.length === 1) return sentence;
  const all = dependencies.map(({ column }) => column);
  return `columns ${named(all, columns)} are linear combinations of the other columns in this group; leave them out`;
}

function explainNonFinite(fits: FitsFields, g: number, columns: readonly string[]): string {
  const d = fits.dims;
  const isNonFinite = (value: number) => !Number.isFinite(value);
  const all = Array.from({ length: d }, (_, j) => j);
  const holding = all.filter((j) => isNonFinite(fits.mean[g * d + j]));
  if (holding.length > 0) {
    const which = `${holding.length === 1 ? "column" : "columns"} ${named(holding, columns)}`;
    const hold = holding.length === 1 ? "holds" : "hold";
    return `${which} ${hold} NaN or infinite values; mend them or leave those rows out`;
  }
  const large = all.filter((j) => isNonFinite(fits.covariance[g * d * d + j * d + j]));
  const which = large.length === 0 ? "the values" : `the values of ${named(large, columns)}`;
  return `${which} are too large to square in float64; rescale them`;
}

/** `"a", "b" and 3 more` */
function named(which: readonly number[], columns: readonly string[]): string {
  const shown = which.length > NAMED_AT_MOST ? NAMED_AT_MOST - 1 : which.length;
  const names = which.slice(0, shown).map((j) => JSON.stringify(columns[j]));
  const last = shown < which.length ? `${which.length - shown} more` : names.pop();
  return names.length === 0 ? `${last}` : `${names.join(", ")} and ${last}`;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

const digits = (value: number): string => String(Number(value.toPrecision(3)));
