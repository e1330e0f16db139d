/**
 * How the fit of one group ended. The position in this list is the code that kernels write (see kernels/README.md).
 *
 * - `converged`: the residual is within the tolerance (closed form: the factor exists)
 * - `max-iterations`: the budget was used up first
 * - `stalled`: no step lowered the objective any more, short of the tolerance
 * - `empty`: no row (of positive weight)
 * - `too-few-rows`: fewer than d + 1 rows, so no maximum of the likelihood exists
 * - `singular`: enough rows, but the scatter has no full rank, so no maximum exists
 * - `non-finite`: a NaN or infinite value among the rows, or sums beyond the range of float64
 */
export const STATUSES = [
  "converged",
  "max-iterations",
  "stalled",
  "empty",
  "too-few-rows",
  "singular",
  "non-finite",
] as const;

export type Status = (typeof STATUSES)[number];

/** The code of a status, as the kernels write it. */
export const statusCode = (status: Status): number => STATUSES.indexOf(status);

/** How the evaluation of one group at given parameters ended; the same codes, 0 meaning `ok`. */
export type EvaluationStatus = "ok" | "empty" | "singular" | "non-finite";

export const evaluationStatus = (code: number): EvaluationStatus => {
  const status = STATUSES[code];
  return status === "empty" || status === "singular" || status === "non-finite" ? status : "ok";
};
