import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { Database, literal } from "../../src/io/duckdb/database.js";

/** A temporary folder that goes when the test file is done. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "mvnfit-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const path = (name: string) => join(folder, name);
  return {
    folder,
    path,
    /** Writes a file and gives its path. */
    write(name: string, content: string | Uint8Array): string {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), content);
      return path(name);
    },
    /** Writes what a query gives as Parquet and gives the path. */
    async parquet(name: string, query: string): Promise<string> {
      const database = await Database.open();
      await database.query(`COPY (${query}) TO ${literal(path(name))} (FORMAT parquet)`);
      await database.close();
      return path(name);
    },
  };
}
