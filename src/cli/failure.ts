import { EngineError, InputError } from "../errors.js";
import { Interrupted } from "./interrupt.js";
import type { Terminal } from "./terminal.js";

/** 1: the work failed; 2: the call or the input is wrong. */
export const FAILED = 1;
const MISTAKEN = 2;

/**
 * Says what went wrong, as much of it as a person can use, and gives the exit code. What a person can mend has no stack trace; what
 * they cannot has one with MVNFIT_DEBUG set.
 */
export function reportFailure(error: unknown, terminal: Terminal): number {
  if (error instanceof Interrupted) {
    terminal.error("interrupted");
    return error.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof InputError || isUsage(error)) {
    terminal.error(message);
    return MISTAKEN;
  }
  if (error instanceof EngineError || isFileSystem(error)) terminal.error(message);
  else
    terminal.error(
      `${message}\nThis was not foreseen: set MVNFIT_DEBUG=1 to see where it happened, and please report it.`,
    );
  if (process.env.MVNFIT_DEBUG && error instanceof Error) terminal.error(error.stack ?? "");
  return FAILED;
}

/** yargs' own complaint, about an option without its value. */
const isUsage = (error: unknown): boolean => error instanceof Error && error.name === "YError";

/** Node's errors of files and pipes: a full disk, a folder that went away. */
const isFileSystem = (error: unknown): boolean =>
  error instanceof Error && "syscall" in error && typeof (error as NodeJS.ErrnoException).code === "string";
