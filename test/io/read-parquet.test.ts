import { truncateSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openRows } from "../../src/io/read.js";
import { temporaryFolder } from "../support/files.js";
import { READ, readAll, refusal } from "./rows.js";

const files = temporaryFolder();

describe("a Parquet file", () => {
  it.each([
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL(9,2)",
    "DECIMAL(38,5)",
    "BOOLEAN",
  ])("reads variables of type %s as numbers", async (type) => {
    const file = await files.parquet("numbers.parquet", `SELECT 1::${type} AS x UNION ALL SELECT 0::${type}`);
    expect((await readAll(file)).x.flat().sort()).toEqual([0, 1]);
  });

  it.each([
    ["VARCHAR", "'é, ''x'' and more'", "VARCHAR", "é, 'x' and more"],
    ["VARCHAR", "''", "VARCHAR", ""],
    ["TINYINT", "-7", "TINYINT", -7],
    ["INTEGER", "-2147483648", "INTEGER", -2147483648],
    ["BIGINT", "9007199254740991", "BIGINT", 9007199254740991],
    ["BIGINT", "-9223372036854775807", "BIGINT", -9223372036854775807n],
    ["UBIGINT", "18446744073709551615", "UBIGINT", 18446744073709551615n],
    ["UBIGINT", "5", "UBIGINT", 5],
    ["FLOAT", "0.5", "FLOAT", 0.5],
    ["DOUBLE", "0.1", "DOUBLE", 0.1],
    ["DOUBLE", "-0.0", "DOUBLE", 0],
    ["DECIMAL(9,2)", "1.50", "DECIMAL(9,2)", 1.5],
    ["DECIMAL(30,20)", "0.10000000000000000001", "DECIMAL(30,20)", "0.10000000000000000001"],
    ["BOOLEAN", "true", "BOOLEAN", true],
    ["BOOLEAN", "false", "BOOLEAN", false],
    ["DATE", "'2024-02-29'", "DATE", "2024-02-29"],
    ["TIMESTAMP", "'2024-02-29 12:30:00.5'", "TIMESTAMP", "2024-02-29T12:30:00.5"],
    ["TIMESTAMPTZ", "'2024-02-29 12:30:00+02'", "TIMESTAMP WITH TIME ZONE", "2024-02-29T10:30:00Z"],
    ["TIME", "'12:30:01'", "TIME", "12:30:01"],
    ["UUID", "'6ccd780c-baba-1026-9564-5b8c656024db'", "UUID", "6ccd780c-baba-1026-9564-5b8c656024db"],
    ["ENUM('a', 'b')", "'b'", "VARCHAR", "b"],
  ])("names groups by %s %s", async (type, value, named, key) => {
    const file = await files.parquet("keys.parquet", `SELECT (${value})::${type} AS g, 1.0 AS x`);
    const read = await readAll(file, { groupBy: ["g"] });
    expect(read.types).toEqual([{ name: "g", type: named }]);
    expect(read.keys).toEqual([[key]]);
  });

  it.each(["g", "g, h", "h, g", "s", "s, g, h"])(
    "gives each key of (%s) one group, null among them",
    async (by) => {
      const file = await files.parquet(
        "tuples.parquet",
        `SELECT i::DOUBLE AS x, nullif(i % 7, 3) AS g, (nullif(i % 5, 1) / 4)::DOUBLE AS h,
         CASE i % 3 WHEN 0 THEN 'short' WHEN 1 THEN 'longer than twelve bytes' END AS s
       FROM range(10000) t(i) ORDER BY i`,
      );
      const groupBy = by.split(", ");
      const read = await readAll(file, { groupBy, columns: ["x"] });
      const value = {
        g: (i: number) => (i % 7 === 3 ? null : i % 7),
        h: (i: number) => (i % 5 === 1 ? null : (i % 5) / 4),
        s: (i: number) => ["short", "longer than twelve bytes", null][i % 3],
      };
      const keyOf = (i: number) => groupBy.map((name) => value[name as keyof typeof value](i));
      expect(new Set(read.keys.map((key) => JSON.stringify(key))).size).toBe(read.keys.length);
      for (let i = 0; i < 10_000; i++) expect(read.keys[read.codes[i]]).toEqual(keyOf(i));
      for (let g = 1; g < read.keys.length; g++) {
        expect(read.codes.indexOf(g)).toBeGreaterThan(read.codes.indexOf(g - 1));
      }
    },
  );

  it("holds 0 and −0 for one key, and every NaN", async () => {
    const values = "['0', '-0', 'NaN', '-NaN', '0']::DOUBLE[]";
    const file = await files.parquet("zeros.parquet", `SELECT unnest(${values}) AS g, 1 AS x`);
    const read = await readAll(file, { groupBy: ["g"] });
    expect(read.keys).toEqual([[0], [Number.NaN]]);
    expect(read.codes).toEqual([0, 0, 1, 1, 0]);
  });

  it("keeps many long names apart", async () => {
    const name = "'a rather long name, number ' || (i * 7919 % 50000)";
    const file = await files.parquet(
      "long.parquet",
      `SELECT ${name} AS g, i AS x FROM range(100000) t(i) ORDER BY i`,
    );
    const read = await readAll(file, { groupBy: ["g"] });
    expect(read.keys.length).toBe(50_000);
    for (let i = 0; i < 100_000; i += 97) {
      expect(read.keys[read.codes[i]]).toEqual([`a rather long name, number ${(i * 7919) % 50_000}`]);
    }
  });

  it("takes column names as they are", async () => {
    const file = await files.parquet(
      "names.parquet",
      `SELECT 1 AS "a,b", 2 AS "q""q", 3 AS "__proto__", 'k' AS "constructor"`,
    );
    const read = await readAll(file, { groupBy: ["constructor"] });
    expect(read).toMatchObject({ columns: ["a,b", 'q"q', "__proto__"], x: [[1, 2, 3]], keys: [["k"]] });
  });

  it("says in advance how many rows there are, and keeps their order", async () => {
    const query = "SELECT i AS x FROM range(300000) t(i) ORDER BY i";
    const file = await files.parquet("many.parquet", query);
    const source = await openRows([file, file], READ);
    expect(source.expectedRows).toBe(600_000);
    await source.close();
    const { x } = await readAll([file, file]);
    expect(x.findIndex(([value], i) => value !== i % 300_000)).toBe(-1);
    expect(x.length).toBe(600_000);
  });

  it("drops rows with a null on request, and names the first otherwise", async () => {
    const query =
      "SELECT i AS x, CASE WHEN i % 5000 = 4999 THEN NULL ELSE 1.5 END AS y FROM range(20000) t(i) ORDER BY i";
    const file = await files.parquet("gaps.parquet", query);
    const read = await readAll(file, { missing: "drop" });
    expect([read.rows, read.dropped, read.x.length]).toEqual([20_000, 4, 19_996]);
    expect(read.x[4999]).toEqual([5000, 1.5]);
    expect(await refusal(file)).toBe(
      `${file}: row 5000: column "y": expected a number, got null; 4 rows have a missing value (use --missing drop to leave such rows out)`,
    );
  });

  it("reads weights and names a wrong one by its row", async () => {
    const file = await files.parquet("weights.parquet", "SELECT 1 AS x, unnest([1.5, 0, 2]) AS w");
    expect((await readAll(file, { weights: "w" })).weights).toEqual([1.5, 0, 2]);
    const wrong = await files.parquet("wrong.parquet", "SELECT 1 AS x, unnest([1.5, -2]) AS w");
    expect(await refusal(wrong, { weights: "w" })).toBe(
      `${wrong}: row 2: column "w": weights must not be negative, got -2`,
    );
  });

  it("reads NaN and infinite values as values", async () => {
    const file = await files.parquet(
      "wild.parquet",
      "SELECT unnest(['NaN', 'Infinity', '1']::DOUBLE[]) AS x",
    );
    expect((await readAll(file)).x.flat()).toEqual([Number.NaN, Infinity, 1]);
  });
});

describe("a Parquet file that cannot be read", () => {
  it("for its bytes is named", async () => {
    expect(await refusal(files.write("text.parquet", "neither here nor there"))).toMatch(
      /text\.parquet: cannot be read as Parquet: /,
    );
    const file = await files.parquet("cut.parquet", "SELECT i AS x FROM range(100000) t(i)");
    truncateSync(file, 10_000);
    expect(await refusal(file)).toMatch(/cut\.parquet: cannot be read as Parquet: [^\n]+$/);
  });

  it("for want of rows is named", async () => {
    const file = await files.parquet("none.parquet", "SELECT 1 AS x WHERE false");
    expect(await refusal(file)).toBe(`${file}: no rows, only the names of columns`);
  });

  it.each([
    ["VARCHAR", "'a'"],
    ["DATE", "'2024-01-01'"],
    ["TIMESTAMP", "'2024-01-01'"],
    ["BLOB", "'a'"],
    ["DOUBLE[]", "[1, 2]"],
    ["STRUCT(a INTEGER)", "{a: 1}"],
  ])("as numbers where a variable is %s is named with the type", async (type, value) => {
    const file = await files.parquet("types.parquet", `SELECT 1 AS x, (${value})::${type} AS y`);
    expect(await refusal(file, { columns: ["y"] })).toBe(
      `${file}: column "y" is ${type}; variables must be numbers`,
    );
    expect((await readAll(file)).columns).toEqual(["x"]);
  });

  it.each(["BLOB", "DOUBLE[]"])("by groups of type %s is named with the type", async (type) => {
    const file = await files.parquet("types.parquet", `SELECT 1 AS x, NULL::${type} AS y`);
    expect(await refusal(file, { groupBy: ["y"] })).toContain(
      `${file}: column "y" is ${type}, which cannot name a group`,
    );
  });
});
