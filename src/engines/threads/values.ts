import type { FITS, PARAMETERS, STATISTICS } from "../fields.js";
import type { FitValues } from "./code.js";
import type { FitTask } from "./task.js";
import type { Places } from "./workspace.js";

/** Where the groups of one call of `fit` are, as addresses. */
export interface FitPlaces {
  readonly groups: number;
  readonly dims: number;
  readonly statistics: Places<typeof STATISTICS>;
  /** Read where a start is given. */
  readonly parameters: Places<typeof PARAMETERS>;
  readonly fits: Places<typeof FITS>;
  readonly stop: number;
  readonly scratch: number;
}

/** What `fit` takes, in its order. */
export const fitValues = (
  { precision, method, start, ddof, tolerance, maxIterations, epsilon }: FitTask,
  { groups, dims, statistics, parameters, fits, stop, scratch }: FitPlaces,
): FitValues => [
  precision,
  method,
  groups,
  dims,
  statistics.count,
  statistics.weight,
  statistics.mean,
  statistics.scatter,
  start,
  parameters.mean,
  parameters.factor,
  ddof,
  tolerance,
  maxIterations,
  epsilon,
  stop,
  fits.mean,
  fits.covariance,
  fits.factor,
  fits.logLikelihood,
  fits.residual,
  fits.gap,
  fits.iterations,
  fits.statusCode,
  scratch,
];
