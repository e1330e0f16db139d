import { spawn } from "node:child_process";
import { EngineError } from "../errors.js";

/** One thing that a setup does. */
export interface Step {
  /** in words, for people who watch */
  readonly what: string;
  /** the commands that it comes to, as one would type them */
  readonly commands: readonly string[];
  /** whether it has been done already */
  done(): boolean;
  run(signal: AbortSignal): Promise<void>;
}

/** A program to run, and what to tell people where it fails. */
export interface Call {
  readonly program: string;
  readonly words: readonly string[];
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly remedy: string;
}

/** What is quoted of a program that failed. */
const QUOTED_LINES = 12;

/**
 * Runs a program to its end.
 *
 * @returns what it wrote to standard output
 * @throws EngineError with the end of what it wrote where it fails or is not there
 */
export function call({ program, words, folder, env, remedy }: Call, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...words], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      signal,
    });
    const written = { stdout: "", all: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      written.stdout += text;
      written.all += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      written.all += text;
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (signal.aborted) reject(signal.reason);
      else
        reject(
          new EngineError(`${program}: ${error.code === "ENOENT" ? "not found" : error.message}`, remedy),
        );
    });
    child.on("close", (code, killed) => {
      if (signal.aborted) reject(signal.reason);
      else if (code === 0) resolve(written.stdout);
      else {
        const end = written.all.trim().split("\n").slice(-QUOTED_LINES).join("\n");
        const line = [program, ...words].join(" ");
        reject(new EngineError(`${line} ended with ${killed ?? code}:\n${end}\n${remedy}`, ""));
      }
    });
  });
}

/** A command as one would type it, in its folder and with its environment. */
export function typed({ program, words, folder, env = {} }: Omit<Call, "remedy">): string {
  const quoted = (word: string) =>
    /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
  const settings = Object.entries(env).map(([name, value]) => `${name}=${quoted(value)}`);
  const line = [...settings, quoted(program), ...words.map(quoted)].join(" ");
  return folder ? `(cd ${quoted(folder)} && ${line})` : line;
}
