import type { Fits } from "../../fits.js";
import type { GroupIndex } from "../rows.js";

/** Fits together with the names of what was fitted: everything that a writer puts into a file. */
export interface FitsResult {
  readonly fits: Fits;
  /** The d variables, in order. */
  readonly columns: readonly string[];
  readonly groupBy: readonly string[];
  readonly groups: Pick<GroupIndex, "types" | "key">;
  /** Rows read, those dropped included. */
  readonly rows: number;
  readonly rowsDropped: number;
}

/** The scalar columns of a row-per-group format, between the group columns and the parameters. */
export const SCALAR_COLUMNS = [
  "n",
  "status",
  "log_likelihood",
  "aic",
  "bic",
  "iterations",
  "residual",
  "gap",
] as const;
