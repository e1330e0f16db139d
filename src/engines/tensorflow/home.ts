import { homedir } from "node:os";
import { join, resolve } from "node:path";

/**
 * The folder in which `mvnfit setup tensorflow` builds, and the engine looks: `MVNFIT_TENSORFLOW`, or else mvnfit/tensorflow among the
 * user's data.
 */
export function tensorflowHome(environment: NodeJS.ProcessEnv = process.env): string {
  const { MVNFIT_TENSORFLOW, XDG_DATA_HOME } = environment;
  if (MVNFIT_TENSORFLOW) return resolve(MVNFIT_TENSORFLOW);
  return join(XDG_DATA_HOME || join(homedir(), ".local", "share"), "mvnfit", "tensorflow");
}
