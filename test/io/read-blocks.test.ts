import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Database, openRowDatabase, type RowDatabase } from "../../src/io/duckdb/database.js";
import { type ChunkLayout, chunksByBinding, streamChunks } from "../../src/io/read/chunks.js";
import type { Chunk, KeyVector, Validity } from "../../src/io/read/table.js";
import { isValid } from "../../src/io/read/vectors.js";
import { ON_PROCESSOR } from "../support/processor.js";

/** Where libraries for the processor are built, this one is as well. */
const BY_LIBRARY = ON_PROCESSOR === "native";

let database: RowDatabase;
let binding: Database;
beforeAll(async () => {
  database = await openRowDatabase();
  binding = await Database.open();
});
afterAll(async () => {
  await database.close();
  await binding.close();
});

const orNull = <T>(validity: Validity, at: number, value: T): T | null =>
  isValid(validity, at) ? value : null;

function keyText({ words, heap, validity }: KeyVector, row: number, chunk: Chunk): string | null {
  const width = words.length / chunk.rows;
  if (!isValid(validity, row)) return null;
  if (width === 2) return new BigInt64Array(words.slice(row * 2, row * 2 + 2).buffer)[0].toString();
  const length = words[row * 4];
  const inline = new Uint8Array(words.slice(row * 4 + 1, row * 4 + 4).buffer).subarray(0, length);
  const long = heap.subarray(words[row * 4 + 2], words[row * 4 + 2] + length);
  return Buffer.from(length <= 12 ? inline : long).toString();
}

/** What each row holds, whatever the chunks that it came in. */
async function rowsOf(chunks: AsyncIterable<Chunk>): Promise<unknown[][]> {
  const rows: unknown[][] = [];
  for await (const chunk of chunks) {
    const { values, weights, keys } = chunk;
    const d = values.values.length / chunk.rows;
    for (let row = 0; row < chunk.rows; row++) {
      rows.push([
        ...Array.from({ length: d }, (_, j) =>
          orNull(values.validity, row * d + j, values.values[row * d + j]),
        ),
        weights && orNull(weights.validity, row, weights.values[row]),
        ...keys.map((key) => keyText(key, row, chunk)),
      ]);
    }
  }
  return rows;
}

const table = (rows: number) => `range(${rows}) AS t(i)`;
const whole = (sql: string) => ({ sql: `CAST(${sql} AS BIGINT)`, storage: "int64" as const });
const text = (sql: string) => ({ sql, storage: "text" as const });
const numbers = (count: number, sql: (j: number) => string) =>
  Array.from({ length: count }, (_, j) => `CAST(${sql(j)} AS DOUBLE)`);

const LAYOUTS: Record<string, [rows: number, layout: ChunkLayout]> = {
  "one variable": [5000, { variables: numbers(1, () => "i / 3"), weights: undefined, keys: [] }],
  "no rows": [0, { variables: numbers(2, () => "i"), weights: undefined, keys: [] }],
  "several blocks": [
    200_000,
    {
      variables: numbers(3, (j) => `i * ${j + 1} / 7`),
      weights: "CAST(i AS DOUBLE)",
      keys: [whole("i % 17")],
    },
  ],
  "more variables than are turned at a time": [
    5000,
    { variables: numbers(130, (j) => `i + ${j / 1000}`), weights: undefined, keys: [whole("i")] },
  ],
  "nulls in every column": [
    10_000,
    {
      variables: numbers(3, (j) => `CASE WHEN (i + ${j}) % 1001 = 0 THEN NULL ELSE i END`),
      weights: "CASE WHEN i % 997 = 1 THEN NULL ELSE CAST(i AS DOUBLE) END",
      keys: [
        whole("CASE WHEN i % 991 = 2 THEN NULL ELSE i END"),
        text("CASE WHEN i % 983 = 3 THEN NULL ELSE 'k' || i END"),
      ],
    },
  ],
  "texts short and long": [
    20_000,
    {
      variables: numbers(2, () => "i"),
      weights: undefined,
      keys: [text("repeat('é', i % 20)"), text("'group ' || i || ' of many'")],
    },
  ],
  "texts longer than the room for them": [
    9000,
    {
      variables: numbers(2, () => "i"),
      weights: undefined,
      keys: [text("repeat('x', i % 3000)"), whole("i")],
    },
  ],
};

describe("small results by DuckDB's library", () => {
  const QUERY = `SELECT i::BIGINT - 1 AS whole, i / 4 AS real, CASE WHEN i % 3 = 2 THEN NULL ELSE repeat('ü', i) END AS text,
    NULL::DOUBLE AS none FROM range(20) t(i) ORDER BY i`;

  it("are those by its binding", async () => {
    const rows = await database.query(QUERY);
    expect(rows.length).toBe(20);
    expect(rows[7]).toEqual({ whole: 6, real: 1.75, text: "ü".repeat(7), none: null });
    expect(rows).toEqual(await binding.query(QUERY));
    expect(await database.query("SELECT 1::BIGINT AS x WHERE false")).toEqual([]);
  });

  it("share a connection with the statements before", async () => {
    const statements = ["CREATE TEMP TABLE own AS SELECT 7::BIGINT AS x", "FROM own"];
    for (const one of [database, binding]) {
      expect(await one.query(...statements)).toEqual([{ x: 7 }]);
      await expect(one.query("FROM own")).rejects.toThrow(/own does not exist/);
    }
  });

  it("of a type that is not known are refused, and the database goes on", async () => {
    for (const one of [database, binding]) {
      await expect(one.query("SELECT DATE '2024-01-01' AS day")).rejects.toThrow(/type/);
      expect(await one.query("SELECT 1::BIGINT AS x")).toEqual([{ x: 1 }]);
    }
  });
});

describe("rows by DuckDB's library", () => {
  it.runIf(BY_LIBRARY)("can be had", () => {
    expect(database).not.toBeInstanceOf(Database);
  });

  it.each(Object.keys(LAYOUTS))("are those by its binding: %s", async (name) => {
    const [rows, layout] = LAYOUTS[name];
    const read = await rowsOf(streamChunks(database, table(rows), layout));
    expect(read.length).toBe(rows);
    expect(read).toEqual(await rowsOf(chunksByBinding(binding, table(rows), layout)));
  });

  const failing = (at: number): ChunkLayout => ({
    variables: [`CAST(CASE WHEN i = ${at} THEN error('boom') ELSE '1' END AS DOUBLE)`],
    weights: undefined,
    keys: [],
  });

  it.each([0, 150_000])("end with DuckDB's message where row %i cannot be computed", async (at) => {
    await expect(rowsOf(streamChunks(database, table(200_000), failing(at)))).rejects.toThrow("boom");
  });

  it("end with DuckDB's message where the query is none", async () => {
    await expect(rowsOf(streamChunks(database, "nowhere", failing(0)))).rejects.toThrow(/nowhere/);
  });

  it("may be left before their end", async () => {
    const layout = { variables: ["CAST(i AS DOUBLE)"], weights: undefined, keys: [] };
    for await (const chunk of streamChunks(database, table(1e9), layout)) {
      expect(chunk.values.values[1]).toBe(1);
      break;
    }
  });

  it.runIf(BY_LIBRARY)("end with their database", async () => {
    const own = await openRowDatabase();
    const layout = { variables: ["CAST(i AS DOUBLE)"], weights: undefined, keys: [] };
    const reading = (async () => {
      for await (const _ of streamChunks(own, table(1e12), layout)) if (!own.closed) void own.close();
    })();
    await expect(reading).rejects.toThrow();
  });
});
