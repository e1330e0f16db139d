import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("fake_peer.mjs", import.meta.url));

/** An interpreter for `--python` that plays every peer as fake_peer.mjs does, in this manner. Gives its path. */
export async function fakePython(folder: string, manner: string): Promise<string> {
  const path = join(folder, `python-${manner}`);
  const pids = join(folder, `pids-${manner}`);
  const call = `FAKE_PEER='${manner}' FAKE_PEER_PIDS='${pids}' exec '${process.execPath}' '${SCRIPT}' "$@"`;
  await writeFile(path, `#!/bin/sh\n${call}\n`);
  await chmod(path, 0o755);
  return path;
}
