import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Batch } from "../../src/batch.js";
import type { CodedRows, Engine } from "../../src/engine.js";
import { nativeProvider, openNative } from "../../src/engines/native/provider.js";
import { referenceProvider } from "../../src/engines/reference/provider.js";
import { wasmProvider } from "../../src/engines/wasm/provider.js";
import { openRows } from "../../src/io/read.js";
import type { ReadOptions, RowSource } from "../../src/io/rows.js";
import { type AccumulateOptions, accumulate } from "../../src/stream/accumulate.js";
import { windowsOf } from "../../src/stream/windows.js";
import { expectRelative } from "../support/close.js";
import { temporaryFolder } from "../support/files.js";

/** Up to 300 merges, each of which rounds by some 2^-53 of the largest entry. */
const MERGE_TOLERANCE = 1e-13;

/** Rows of two variables in a group by a key that comes back throughout the file. */
const ROWS = 300_000;
const GROUPS = 97;

const files = temporaryFolder();
const engine = await referenceProvider.create({});

type Options = Partial<ReadOptions> & AccumulateOptions;

async function statisticsOf(file: string | string[], options: Options = {}, on: Engine = engine) {
  const source = await openRows([file].flat(), { groupBy: [], missing: "error", ...options });
  try {
    const statistics = await accumulate(on, source, options);
    return { statistics, keys: Array.from({ length: source.groups.size }, (_, i) => source.groups.key(i)) };
  } finally {
    await source.close();
  }
}

/** The number of rows of each window. */
async function rowsOfWindows(file: string | string[]) {
  const source = await openRows([file].flat(), { groupBy: ["g"], missing: "error" });
  const rows: number[] = [];
  for await (const window of windowsOf(source)) rows.push(window.rows);
  await source.close();
  return rows;
}

/** Engines whose threads share the work: by windows, and by an accumulator where this machine has one. */
const THREADED: readonly { name: string; open: (threads: number) => Promise<Engine> }[] = [
  { name: "wasm", open: (threads) => wasmProvider.create({ threads }) },
  ...((await nativeProvider.probe()).available
    ? [{ name: "native", open: (threads: number) => openNative({ threads }) }]
    : []),
];

/** A source of the blocks given, with as many groups as there are codes. */
function sourceOf(blocks: CodedRows[], groups: number): RowSource {
  return {
    columns: ["x"],
    groupBy: ["g"],
    weighted: false,
    groups: { size: groups, types: [{ name: "g", type: "BIGINT" }], key: (i) => [i] },
    rows: blocks.reduce((sum, block) => sum + block.rows, 0),
    dropped: 0,
    async *blocks() {
      yield* blocks;
    },
    close: async () => undefined,
  };
}

/** An engine that takes its time, and how many of its batches are and were held at once. */
function countingEngine() {
  const held = { now: 0, most: 0 };
  const counting: Engine = {
    ...engine,
    async open(source) {
      await setTimeout(5);
      return engine.open(source);
    },
    allocate(layout) {
      const batch = engine.allocate(layout);
      held.most = Math.max(held.most, ++held.now);
      const giveBack = batch.release.bind(batch);
      const release = () => {
        held.now--;
        giveBack();
      };
      return Object.assign(batch, { release });
    },
  };
  return { counting, held };
}

const many = files.parquet(
  "many.parquet",
  `SELECT (i * 31) % ${GROUPS} AS g, 10 + sin(i) AS x, 3 * cos(i * 0.7) AS y, 1 + i % 3 AS w
   FROM range(${ROWS}) t(i) ORDER BY i`,
);

describe("statistics from a stream of rows", () => {
  it.each([2 ** 14, 2 ** 20])("are those of all rows at once (windows of %i bytes)", async (windowBytes) => {
    const options = { groupBy: ["g"], columns: ["x", "y"], weights: "w" };
    const { statistics, keys } = await statisticsOf(await many, { ...options, windowBytes });
    const whole = await statisticsOf(await many, { ...options, windowBytes: 2 ** 30 });
    expect(keys).toEqual(Array.from({ length: GROUPS }, (_, i) => [(i * 31) % GROUPS]));
    expect(statistics.count).toEqual(whole.statistics.count);
    expect(statistics.weight).toEqual(whole.statistics.weight);
    expectRelative(statistics.mean, whole.statistics.mean, MERGE_TOLERANCE);
    expectRelative(statistics.scatter, whole.statistics.scatter, MERGE_TOLERANCE);
  });

  it("are those of a batch of the same rows", async () => {
    const { statistics } = await statisticsOf(await many, {
      groupBy: ["g"],
      columns: ["x"],
      windowBytes: 2 ** 18,
    });
    const x = Float64Array.from({ length: ROWS }, (_, i) => 10 + Math.sin(i));
    const codes = Array.from({ length: ROWS }, (_, i) => i % GROUPS);
    const session = await engine.open(Batch.fromCodes(x, codes, { dims: 1 }));
    const want = await session.statistics();
    expectRelative(statistics.mean, want.mean, MERGE_TOLERANCE);
    expectRelative(statistics.scatter, want.scatter, MERGE_TOLERANCE);
    await session.close();
  });

  it("are the same bits from CSV and Parquet, and from run to run", async () => {
    const rows = Array.from({ length: 50_000 }, (_, i) => [i % 11, i / 7, 1 / (i + 1)] as const);
    const text = rows.map(([g, x, y]) => `k${g},${x},${y}\n`).join("");
    const csv = files.write("same.csv", `g,x,y\n${text}`);
    const options = { groupBy: ["g"], windowBytes: 2 ** 16 };
    const first = (await statisticsOf(csv, options)).statistics;
    const parquet = await files.parquet("same.parquet", `FROM read_csv('${csv}')`);
    for (const file of [csv, parquet]) {
      const again = (await statisticsOf(file, options)).statistics;
      expect(again.mean).toEqual(first.mean);
      expect(again.scatter).toEqual(first.scatter);
    }
  });

  it.each(THREADED)(
    "are the same bits for any number of threads, and those of all rows at once ($name)",
    async ({ open }) => {
      const options = { groupBy: ["g"], columns: ["x", "y"], weights: "w", windowBytes: 2 ** 18 };
      const whole = (await statisticsOf(await many, options)).statistics;
      let one: typeof whole | undefined;
      for (const threads of [1, 2, 3]) {
        await using own = await open(threads);
        const { statistics } = await statisticsOf(await many, options, own);
        one ??= statistics;
        for (const name of ["count", "weight", "mean", "scatter"] as const) {
          expect(statistics[name]).toEqual(one[name]);
          expectRelative(statistics[name], whole[name], MERGE_TOLERANCE);
        }
      }
    },
  );

  it("come from windows that grow with the groups, and do not depend on how rows are cut into chunks", async () => {
    // The first window has 65,536 rows of eight variables in 4,096 groups: the second is larger.
    const query = `SELECT i // 16 AS g, ${[1, 2, 3, 4, 5, 6, 7, 8].map((k) => `sin(i * ${k}) AS x${k}`)}
      FROM range(${ROWS}) t(i) WHERE i`;
    const whole = await files.parquet("whole.parquet", `${query} >= 0 ORDER BY i`);
    const parts = [
      await files.parquet("head.parquet", `${query} < 1000 ORDER BY i`),
      await files.parquet("tail.parquet", `${query} >= 1000 ORDER BY i`),
    ];
    const rows = await rowsOfWindows(whole);
    expect(rows).toEqual([65_536, 131_072, ROWS - 196_608]);
    expect(await rowsOfWindows(parts)).toEqual(rows);
  });

  it("are the same bits whether or not the rows were sorted by group", async () => {
    const sorted = files.parquet("sorted.parquet", `FROM '${await many}' ORDER BY g, x`);
    const shuffled = files.parquet("shuffled.parquet", `FROM '${await sorted}' ORDER BY x, g`);
    const statistics = async (file: string) => {
      const read = await statisticsOf(file, { groupBy: ["g"], windowBytes: 2 ** 30 });
      return read.keys
        .map(([g], i) => [g, read.statistics.mean[3 * i], read.statistics.scatter[9 * i]])
        .sort();
    };
    expect(await statistics(await shuffled)).toEqual(await statistics(await sorted));
  });

  it("hold two windows at most in the engine's memory: one being read, one being computed", async () => {
    const { counting, held } = countingEngine();
    await statisticsOf(await many, { groupBy: ["g"], windowBytes: 2 ** 18 }, counting);
    expect(held).toEqual({ now: 0, most: 2 });
  });

  it("have groups that first appear late, in their place", async () => {
    const text = Array.from({ length: 1000 }, (_, i) => `${Math.floor(i / 10)},${i}\n`).join("");
    const { statistics, keys } = await statisticsOf(files.write("late.csv", `g,x\n${text}`), {
      groupBy: ["g"],
      windowBytes: 64,
    });
    expect(keys.flat()).toEqual([...Array(100).keys()]);
    expect([...statistics.mean]).toEqual(Array.from({ length: 100 }, (_, g) => g * 10 + 4.5));
    expect([...statistics.count]).toEqual(Array(100).fill(10));
  });

  it("keep a group whose rows were all dropped, empty", async () => {
    const file = files.write("dropped.csv", "g,x\na,\nb,1\nb,3\n");
    const { statistics, keys } = await statisticsOf(file, { groupBy: ["g"], missing: "drop" });
    expect(keys).toEqual([["a"], ["b"]]);
    expect([...statistics.count]).toEqual([0, 2]);
    expect([...statistics.mean]).toEqual([Number.NaN, 2]);
  });

  it("of no rows at all are those of no groups", async () => {
    const statistics = await accumulate(engine, sourceOf([], 0));
    expect([statistics.groups, statistics.dims]).toEqual([0, 1]);
  });

  it("of a group with a value that is not finite leave the others alone", async () => {
    const file = files.write("wild.csv", "g,x\na,1\nb,NaN\na,3\nb,1\nc,inf\n");
    const { statistics } = await statisticsOf(file, { groupBy: ["g"], windowBytes: 16 });
    expect([...statistics.count]).toEqual([2, 2, 1]);
    expect([...statistics.mean]).toEqual([2, Number.NaN, Number.NaN]);
  });
});

describe("a stream that is ended", () => {
  it("rejects with the signal's reason and gives the engine's memory back", async () => {
    const { counting, held } = countingEngine();
    const abort = new AbortController();
    const control = {
      signal: abort.signal,
      onProgress: () => abort.abort(new Error("enough")),
      windowBytes: 2 ** 16,
    };
    const source = await openRows([await many], { groupBy: ["g"], missing: "error", signal: abort.signal });
    await expect(accumulate(counting, source, control)).rejects.toThrow("enough");
    expect(held.now).toBe(0);
    await source.close();
  });

  it("by an engine's failure rejects with it, and no other promise does", async () => {
    const failing: Engine = {
      ...engine,
      allocate: (layout) => engine.allocate(layout),
      open: () => Promise.reject(new Error("out of memory")),
    };
    await expect(statisticsOf(await many, { groupBy: ["g"], windowBytes: 2 ** 16 }, failing)).rejects.toThrow(
      "out of memory",
    );
    await expect(statisticsOf(await many, { groupBy: ["g"] }, failing)).rejects.toThrow("out of memory");
  });

  it("says how far it is", async () => {
    const seen: number[][] = [];
    const source = await openRows([await many], { groupBy: ["g"], missing: "error" });
    await accumulate(engine, source, {
      onProgress: (...progress) => seen.push(progress),
      windowBytes: 2 ** 20,
    });
    await source.close();
    expect(seen.length).toBeGreaterThan(5);
    expect(seen.at(-1)).toEqual([ROWS, ROWS]);
  });
});
