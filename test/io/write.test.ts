import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InputError } from "../../src/errors.js";
import { csvPieces } from "../../src/io/write/csv.js";
import { FitsFile } from "../../src/io/write/fits.js";
import { jsonPieces, ndjsonPieces } from "../../src/io/write/json.js";
import { writeByBinding, writeParquet } from "../../src/io/write/parquet.js";
import type { FitsResult } from "../../src/io/write/result.js";
import { writeWhole } from "../../src/io/write/whole.js";
import { AWKWARD_KEYS, AWKWARD_TYPES, manyKeys, resultOf } from "./write.support.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mvnfit-write-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const awkward = resultOf(AWKWARD_KEYS, AWKWARD_TYPES, 2);

describe("JSON", () => {
  const document = JSON.parse([...jsonPieces(awkward)].join(""));

  it("keeps every bit of every number, and says null where there is none", () => {
    const { fits } = awkward;
    document.groups.forEach((group: Record<string, number[] & number[][] & number>, g: number) => {
      const numbers = [
        ...group.mean,
        ...group.covariance.flat(),
        group.logLikelihood,
        group.residual,
        group.gap,
      ];
      const held = [
        ...fits.mean.subarray(g * 2, g * 2 + 2),
        ...fits.covariance.subarray(g * 4, g * 4 + 4),
        fits.logLikelihood[g],
        fits.residual[g],
        fits.gap[g],
      ];
      expect(numbers).toEqual(held.map((value) => (Number.isNaN(value) ? null : value)));
      expect(group.factor).toEqual(
        g === 2 ? null : [[fits.factor[g * 4], 0], [...fits.factor.subarray(g * 4 + 2, g * 4 + 4)]],
      );
    });
  });

  it("keeps group columns and values as they are, in their order", () => {
    expect(document.groups.map(({ group }: { group: object }) => Object.entries(group))).toEqual(
      AWKWARD_KEYS.map(([a, b]) => [
        ["__proto__", a],
        ['say "k"', typeof b === "bigint" ? Number(b) : b],
      ]),
    );
    expect([...ndjsonPieces(awkward)][1]).toContain(String(2n ** 60n));
  });

  it("gives a message to groups without a fit, and to no other", () => {
    const messages = document.groups.map(({ message }: { message: string | null }) => message);
    expect(messages.map((message: string | null) => message !== null)).toEqual([
      false,
      false,
      true,
      false,
      false,
    ]);
  });

  it("of no group is a document still", () => {
    expect(JSON.parse([...jsonPieces(resultOf([], AWKWARD_TYPES, 2))].join("")).groups).toEqual([]);
  });

  it("lines are the document's groups", () => {
    const lines = [...ndjsonPieces(awkward)].map((line) => JSON.parse(line));
    expect(lines).toEqual(document.groups);
  });
});

describe("CSV", () => {
  const text = [...csvPieces(awkward)].join("");

  it("has the columns of the contract", () => {
    expect(text.split("\n")[0]).toBe(
      '__proto__,"say ""k""",n,status,log_likelihood,aic,bic,iterations,residual,gap,' +
        'mean_x0,"mean_a,b",cov_x0_x0,"cov_a,b_x0","cov_a,b_a,b"',
    );
  });

  it("tells a missing key from an empty one, and leaves empty what is not defined", () => {
    const [, , rest] = text.split(/("quo""te, comma\nand line",1152921504606846976,11,.*\n)/);
    const [none, missing] = rest.split("\n");
    expect(none).toBe('"",-0.5,12,empty,,,,2,,,,,,,');
    expect(missing).toMatch(/^,,13,converged,/);
  });

  it("keeps every bit of every number", () => {
    const fields = text.split("\n")[1].split(",");
    const { mean, covariance, logLikelihood } = awkward.fits;
    expect(Number(fields[4])).toBe(logLikelihood[0]);
    expect(fields.slice(10).map(Number)).toEqual([
      mean[0],
      mean[1],
      covariance[0],
      covariance[2],
      covariance[3],
    ]);
  });
});

/** The ways by which it is written: by DuckDB's C interface, where that can be had, and by its binding. */
const WAYS = {
  "as a file of fits is": async (result: FitsResult, path: string) =>
    (await FitsFile.at(path, [])).write(result),
  "by the binding": writeByBinding,
};

describe.each(Object.entries(WAYS))("Parquet, %s,", (_, write) => {
  /** What DuckDB, which knows nothing of how it was made, reads from the file. */
  async function read(file: string, what: string): Promise<unknown[][]> {
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    const reader = await connection.runAndReadAll(`SELECT ${what} FROM read_parquet($file)`, { file });
    connection.closeSync();
    return reader.getRowsJS() as unknown[][];
  }

  // One chunk of DuckDB holds 2048 rows; its validity masks have 64 to the word.
  it.each([0, 1, 63, 65, 2047, 2048, 2049, 5000])("holds all of %i groups", async (groups) => {
    const result = resultOf(manyKeys(groups), [{ name: "g", type: "VARCHAR" }], 3);
    const path = join(folder, "fits.parquet");
    await write(result, path);
    const rows = await read(path, "*");
    const orNull = (values: Iterable<number>) =>
      Array.from(values, (value) => (Number.isNaN(value) ? null : value));
    const { fits } = result;
    expect(rows.length).toBe(groups);
    rows.forEach((row, g) => {
      expect(row).toEqual([
        `g${g}`,
        BigInt(fits.count[g]),
        fits.status[g],
        ...orNull([fits.logLikelihood[g], fits.aic[g], fits.bic[g]]),
        fits.iterations[g],
        ...orNull([fits.residual[g], fits.gap[g]]),
        orNull(fits.mean.subarray(g * 3, g * 3 + 3)),
        orNull(fits.covariance.subarray(g * 9, g * 9 + 9)),
      ]);
    });
  });

  it("restores the types of group columns, and leaves text what it cannot restore", async () => {
    const types = [
      "BIGINT",
      "DATE",
      "DOUBLE",
      "BOOLEAN",
      "ENUM('a', 'b')",
      'STRUCT("); DROP TABLE fits; --" INTEGER)',
    ];
    const keys = [["9007199254740993", "2024-02-29", 0.1, true, "a", "{}"], types.map(() => null)];
    const result = resultOf(
      keys,
      types.map((type, i) => ({ name: `k${i} "; --`, type })),
      1,
    );
    const path = join(folder, "fits.parquet");
    await write(result, path);
    const columns = types.map((_, i) => `"k${i} ""; --"`);
    const [first, second] = await read(
      path,
      columns.map((name) => `typeof(${name}), ${name}::VARCHAR`).join(", "),
    );
    expect(first).toEqual(
      ["BIGINT", "9007199254740993", "DATE", "2024-02-29", "DOUBLE", "0.1"].concat([
        "BOOLEAN",
        "true",
        "VARCHAR",
        "a",
        "VARCHAR",
        "{}",
      ]),
    );
    expect(second.filter((_, i) => i % 2 === 1)).toEqual(types.map(() => null));
  });

  it("keeps whole keys to the last digit: numbers, null, and a column with one beyond 2^53", async () => {
    const small = [null, 0, -128, 127];
    const large = [null, Number.MIN_SAFE_INTEGER, 2 ** 31, Number.MAX_SAFE_INTEGER];
    const larger = [null, 1, -(2n ** 63n), 2n ** 63n - 1n];
    const types = ["TINYINT", "BIGINT", "BIGINT"].map((type, i) => ({ name: `k${i}`, type }));
    const keys = small.map((key, g) => [key, large[g], larger[g]]);
    const path = join(folder, "fits.parquet");
    await write(resultOf(keys, types, 1), path);
    expect(await read(path, "DISTINCT typeof(k0), typeof(k1), typeof(k2)")).toEqual([
      types.map(({ type }) => type),
    ]);
    const texts = keys.map((key) => key.map((value) => (value === null ? null : String(value))));
    expect(await read(path, "k0::VARCHAR, k1::VARCHAR, k2::VARCHAR")).toEqual(texts);
  });

  it("keeps keys that writers stumble over, and reads arrays in shared memory where they lie", async () => {
    const keys = [...AWKWARD_KEYS.map(([key]) => [key]), ["long ".repeat(1000)]];
    const plain = resultOf(keys, [{ name: "k", type: "VARCHAR" }], 2);
    const mean = new Float64Array(new SharedArrayBuffer(plain.fits.mean.byteLength + 8), 8);
    mean.set(plain.fits.mean);
    Object.assign(plain.fits, { mean });
    const path = join(folder, "fits.parquet");
    await write(plain, path);
    const rows = await read(path, "k, mean");
    expect(rows.map(([key]) => key)).toEqual(keys.map(([key]) => key));
    expect(rows[1][1]).toEqual([1, 1 + 1 / 3]);
  });

  it("by several at a time and one after the other has each its own", async () => {
    const paths = [1, 2, 3].map((n) => join(folder, `${n}.parquet`));
    const groups = (n: number) => resultOf(manyKeys(n), [{ name: "g", type: "VARCHAR" }], 2);
    await Promise.all([write(groups(1), paths[0]), write(groups(2), paths[1])]);
    await write(groups(3), paths[2]);
    const counts = await Promise.all(paths.map((path) => read(path, "count(*)")));
    expect(counts.flat(2)).toEqual([1n, 2n, 3n]);
  });

  it("fails with DuckDB's words where the file cannot be made", async () => {
    const path = join(folder, "no", "fits.parquet");
    const result = resultOf(manyKeys(2), [{ name: "g", type: "VARCHAR" }], 1);
    await expect(writeParquet(result, path)).rejects.toThrow(/Cannot open file|No such file/);
  });
});

describe("a file is written whole or not at all", () => {
  const failing = async (temporary: string): Promise<void> => {
    await writeFile(temporary, "half");
    throw new Error("disk full");
  };

  it("leaves what was there, and nothing else, on an error", async () => {
    const path = join(folder, "fits.csv");
    await writeFile(path, "before");
    await expect(writeWhole(path, failing)).rejects.toThrow("disk full");
    expect(await readFile(path, "utf8")).toBe("before");
    expect(await readdir(folder)).toEqual(["fits.csv"]);
  });

  it.each(["json", "parquet"])("leaves nothing on an abort (%s)", async (format) => {
    const controller = new AbortController();
    const file = await FitsFile.at(join(folder, `fits.${format}`), []);
    const writing = file.write(
      resultOf(manyKeys(20_000), [{ name: "g", type: "VARCHAR" }], 8),
      controller.signal,
    );
    setTimeout(() => controller.abort(new Error("enough")), 20);
    await expect(writing).rejects.toThrow("enough");
    expect(await readdir(folder)).toEqual([]);
  });

  it("keeps a symbolic link and the permissions of its target", async () => {
    const [path, link] = [join(folder, "fits.csv"), join(folder, "link.csv")];
    await writeFile(path, "before");
    await chmod(path, 0o640);
    await symlink(path, link);
    await writeWhole(link, (temporary) => writeFile(temporary, "after"));
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readFile(path, "utf8")).toBe("after");
    expect((await stat(path)).mode & 0o777).toBe(0o640);
  });
});

describe("before any work", () => {
  it("refuses names that would stand twice, by the format's own measure", async () => {
    const csv = await FitsFile.at(join(folder, "fits.csv"), []);
    const parquet = await FitsFile.at(join(folder, "fits.parquet"), []);
    const json = await FitsFile.at(join(folder, "fits.json"), []);
    expect(() => csv.checkNames(["status"], ["x"])).toThrow(InputError);
    expect(() => csv.checkNames([], ["c", "b_c", "a", "a_b"])).toThrow(/two columns "cov_a_b_c"/);
    expect(() => csv.checkNames(["N"], ["x"])).not.toThrow();
    expect(() => parquet.checkNames(["N"], ["x"])).toThrow(/two columns "n"/);
    expect(() => parquet.checkNames(["g"], ["c", "b_c", "a", "a_b"])).not.toThrow();
    expect(() => json.checkNames(["status", "n"], ["x"])).not.toThrow();
  });

  it("refuses a folder where a file should be", async () => {
    await expect(FitsFile.at(join(folder, "none", "fits.csv"), [])).rejects.toThrow(/no folder/);
    await expect(FitsFile.at(`${folder}/fits`, [])).rejects.toThrow(/ending/);
  });
});
