import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export const PENGUINS = fileURLToPath(new URL("../../examples/penguins.csv", import.meta.url));

/** How a process of the command ended. */
export interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly folder?: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the process once it runs. */
  readonly meanwhile?: (process: ChildProcessWithoutNullStreams) => void;
}

/** A test that runs out of time leaves its process behind. */
const running = new Set<ChildProcessWithoutNullStreams>();
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** Runs the built command as a process of its own. */
export function mvnfit(words: readonly string[], around: Surroundings = {}): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...around.env };
    const child = spawn(process.execPath, [MAIN, ...words], { cwd: around.folder, env });
    running.add(child);
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      running.delete(child);
      resolve({ code, stdout, stderr });
    });
    child.stdin.on("error", () => {});
    child.stdin.end(around.input ?? "");
    around.meanwhile?.(child);
  });
}

/** A folder of its own for a file of tests, with these files in it. */
export function folderWith(files: Readonly<Record<string, string>> = {}) {
  let path = "";
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), "mvnfit-"));
    for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  });
  afterAll(() => rm(path, { recursive: true, force: true }));
  return {
    get path(): string {
      return path;
    },
    file: (name: string): string => join(path, name),
    /** What lies there beyond the files that were put there. */
    added: async (): Promise<string[]> => (await readdir(path)).filter((name) => !(name in files)),
  };
}
