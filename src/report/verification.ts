/* Verifications in words: what every form of the report says alike. */
import type { GroupValue } from "../io/rows.js";
import type { Check, Verification, Worst } from "../verification.js";

/** What the groups of a verification are called, where they have names. */
export interface GroupNames {
  readonly columns: readonly string[];
  key(group: number): readonly GroupValue[];
}

export type Outcome = "passed" | "failed" | "not compared";

export const outcomeOf = ({ groups, failed }: Check): Outcome =>
  failed > 0 ? "failed" : groups > 0 ? "passed" : "not compared";

/** `(14) against autograd`: the paper's equation, or J as a whole, and the partner. */
export const titleOf = ({ equation, against }: Check): string =>
  `${equation === "J" ? "J" : `(${equation})`} against ${against}`;

/** `group 17`, or `group species="Adelie"` */
export function groupName(group: number, names?: GroupNames): string {
  if (!names || names.columns.length === 0) return `group ${group}`;
  const key = names.key(group);
  const parts = names.columns.map((column, i) => {
    const value = key[i];
    return `${column}=${typeof value === "string" ? JSON.stringify(value) : String(value)}`;
  });
  return `group ${parts.join(", ")}`;
}

/** `∂/∂Λ[0,2]`: which derivative an entry is. */
const entryName = (entry: Worst["entry"]): string =>
  `∂/∂${entry.length === 1 ? "μ" : "Λ"}[${entry.join(",")}]`;

/** Which entry is furthest off, with both values and by how much. */
export function discrepancy(check: Check, worst: Worst, names?: GroupNames): string {
  const where = `${groupName(worst.group, names)} (d = ${worst.dims}, n = ${worst.rows}), ${placeName(worst.at)}`;
  const values = `${entryName(worst.entry)} is ${worst.analytic}, ${check.against} gives ${worst.other}`;
  const error = Number.isFinite(worst.error)
    ? `off by ${short(worst.error)} of the term's norm, tolerance ${short(check.tolerance)}`
    : "which cannot be compared";
  return `${where}: ${values}; ${error}`;
}

/** One sentence on a check that does not hold. */
export function failure(check: Check, names?: GroupNames): string {
  const { failed, groups, worst } = check;
  const extent = `fails in ${failed.toLocaleString("en")} of ${counted(groups, "group")}`;
  return worst
    ? `${titleOf(check)} ${extent}; worst in ${discrepancy(check, worst, names)}`
    : `${titleOf(check)} ${extent}`;
}

/** What was left out and why, a sentence each. */
export function omissions({ skipped, checks }: Verification): string[] {
  const reasons = {
    empty: "no row of positive weight",
    "non-finite": "NaN or infinite values among the rows",
    singular: "Λ is singular",
    "too-few-rows": "too few rows for an optimum",
  };
  const sentences = skipped.map(
    ({ at, reason, groups }) =>
      `${counted(groups, "group")} skipped ${placeName(at)}: ${at === "optimum" && reason === "singular" ? "no optimum, the scatter is singular" : reasons[reason]}`,
  );
  const undecided = Math.max(0, ...checks.map((check) => check.undecided));
  if (undecided > 0) {
    sentences.push(`up to ${counted(undecided, "group")} too ill-conditioned for a verdict`);
  }
  return sentences;
}

const placeName = (at: Worst["at"]): string =>
  at === "random" ? "at random" : at === "optimum" ? "at the optimum" : "as given";

/** Two digits are enough of an error. */
export const short = (value: number | null): string =>
  value === null ? "-" : Number.isFinite(value) ? value.toExponential(1) : "infinite";

export const counted = (count: number, noun: string): string =>
  `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
