import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { PACKAGE_FOLDER, packageVersion } from "../package.js";
import type { Machine } from "./result.js";

export const machine = (): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: availableParallelism(),
  memoryBytes: totalmem(),
  platform: `${platform()} ${release()} ${arch()}`,
});

export const ownVersions = (): Record<string, string> => ({
  mvnfit: packageVersion(),
  node: process.versions.node,
  v8: process.versions.v8,
});

/** The commit of a clone that this runs in, with `-dirty` where files differ from it; null where mvnfit is installed as a package. */
export function commit(): string | null {
  if (!existsSync(join(PACKAGE_FOLDER, ".git"))) return null;
  const git = (...words: string[]): string =>
    execFileSync("git", ["-C", PACKAGE_FOLDER, ...words], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    const dirty = git("status", "--porcelain", "--untracked-files=no") === "" ? "" : "-dirty";
    return git("rev-parse", "HEAD") + dirty;
  } catch {
    return null; // no git on this machine
  }
}
