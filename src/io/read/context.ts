import { InputError } from "../../errors.js";
import type { RowDatabase } from "../duckdb/database.js";

/** What the readers of one source share. */
export interface ReadContext {
  /** Opened when it is first asked for. */
  database(): Promise<RowDatabase>;
  readonly signal: AbortSignal | undefined;
}

/** A failure to make sense of a file, with the first line of the cause: the rest is a dump of settings. */
export const unreadable = (file: string, format: string, error: unknown): InputError => {
  const cause = error instanceof Error ? error.message : String(error);
  return new InputError(`${file}: cannot be read as ${format}: ${cause.split("\n", 1)[0]}`);
};
