import { libraryDatabase } from "../io/duckdb/database.js";
import type { LibraryDatabase } from "../io/duckdb/shared.js";

/**
 * A part in the process's database, if these words begin a command that reads and writes by it: DuckDB opens in another thread while the
 * words are looked at.
 */
export async function openAhead(words: readonly string[]): Promise<LibraryDatabase | undefined> {
  const [command, ...others] = words;
  const isAsking = others.some((word) => word === "--help" || word === "-h");
  return command === "fit" && !isAsking ? libraryDatabase() : undefined;
}
