import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { chmod, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Files and folders that must not outlive the process, however it ends. */
const temporaries = new Set<string>();
let watching = false;

/**
 * Writes a file whole or not at all: `write` fills a temporary file beside the target, which takes the target's name when it is
 * complete. On an error, an abort or the end of the process the temporary file is removed and the target is as it was.
 *
 * A target that is a symbolic link keeps being one, and an existing target keeps its permissions.
 */
export async function writeWhole(
  path: string,
  write: (temporary: string) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const target = await realpath(path).catch(() => path);
  const mode = await stat(target).then(
    (found) => found.mode,
    () => undefined,
  );
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}.tmp`);
  removeAtExit(temporary);
  try {
    await write(temporary);
    signal?.throwIfAborted();
    if (mode !== undefined) await chmod(temporary, mode & 0o7777);
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
    temporaries.delete(temporary);
  }
}

/** Removes a temporary file or folder when the process ends, in case its owner did not come to it. */
export function removeAtExit(file: string): void {
  temporaries.add(file);
  if (watching) return;
  watching = true;
  process.on("exit", () => {
    for (const one of temporaries) rmSync(one, { recursive: true, force: true });
  });
}
