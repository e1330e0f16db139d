import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Batch } from "../../../src/batch.js";
import type { ThreadsEngine } from "../../../src/engines/threads/engine.js";
import { fit } from "../../../src/fit.js";
import type { Fits } from "../../../src/fits.js";
import { gaussianBatch } from "../../support/gaussians.js";
import { Random } from "../../support/random.js";
import { closedForm, ENGINES, inEngine, openWasm, uniforms } from "./support.js";

const batch = gaussianBatch(new Random(3), { dims: 3, sizes: Array(64).fill(25), weighted: true });

describe.each(ENGINES)("$name: memory that the engine lends", ({ open }) => {
  let engine: ThreadsEngine;
  beforeAll(async () => {
    engine = await open();
  });
  afterAll(() => engine.close());

  const layout = { offsets: [0, 50_000], dims: 4 };

  it("is lent again once it is released", () => {
    const first = engine.allocate(layout);
    const { byteOffset } = first.x;
    first.release();
    first.release();
    const second = engine.allocate(layout);
    const third = engine.allocate(layout);
    expect(second.x.byteOffset).toBe(byteOffset);
    expect(third.x.byteOffset).not.toBe(byteOffset);
    second.release();
    third.release();
  });

  it("stays readable by views made before it grew", async () => {
    const own = inEngine(engine, batch);
    const large = engine.allocate({ offsets: [0, 4_000_000], dims: 4 });
    expect(Array.from(own.x)).toEqual(Array.from(batch.x));
    await using session = await engine.open(own);
    expect((await session.fit(closedForm)).counts).toEqual({ converged: 64 });
    own.release();
    large.release();
  });

  it("stays while a call reads it", async () => {
    // So many operations that the call outlasts a turn of the event loop by far.
    const layout = { offsets: [0, 200_000], dims: 64 };
    const own = engine.allocate(layout);
    own.x.fill(1);
    await using session = await engine.open(own);
    const running = session.statistics();
    await new Promise(setImmediate);
    own.release();
    const other = engine.allocate(layout);
    expect(other.x.byteOffset).not.toBe(own.x.byteOffset);
    other.x.fill(2);
    expect((await running).mean.every((value) => value === 1)).toBe(true);
    const after = engine.allocate(layout);
    expect(after.x.byteOffset).toBe(own.x.byteOffset);
    other.release();
    after.release();
  });

  it("of another engine is read as any shared memory, also once that engine is closed", async () => {
    const other = await open();
    const foreign = inEngine(other, batch);
    await using session = await engine.open(foreign);
    expect((await session.fit(closedForm)).counts).toEqual({ converged: 64 });
    await other.close();
    await using again = await engine.open(foreign);
    expect((await again.statistics()).count[63]).toBeGreaterThan(0);
    foreign.release();
  });

  it("needs a layout that is one", () => {
    expect(() => engine.allocate({ offsets: [0, 5, 3], dims: 2 })).toThrow(
      /allocate: offsets must not decrease/,
    );
    expect(() => engine.allocate({ offsets: [0, 5], dims: 0 })).toThrow(/allocate: dims must be/);
    expect(() => engine.allocate({ offsets: [0, 5], dims: 1, dtype: "int8" as "float32" })).toThrow(
      /allocate: dtype must be one of/,
    );
  });

  it("does not grow from call to call", async () => {
    const call = async () => {
      const own = inEngine(engine, batch);
      await using session = await engine.open(own);
      await session.fit(closedForm);
      own.release();
    };
    await call();
    const size = engine.allocate({ offsets: [0], dims: 1 }).x.buffer.byteLength;
    for (let i = 0; i < 50; i++) await call();
    expect(engine.allocate({ offsets: [0], dims: 1 }).x.buffer.byteLength).toBe(size);
  });
});

describe.each(ENGINES)("$name: memory of results", ({ open }) => {
  let engine: ThreadsEngine;
  beforeAll(async () => {
    engine = await open();
  });
  afterAll(() => engine.close());

  const arrays = (fits: Fits): Float64Array[] =>
    Object.values(fits).filter((value) => ArrayBuffer.isView(value) as boolean);
  const copied = (fits: Fits) => arrays(fits).map((array) => Array.from(array));
  const buffersOf = (fits: Fits) => new Set(arrays(fits).map((array) => array.buffer));

  it("is written again once they are released, and not before", async () => {
    const first = await fit(batch, { engine });
    const before = copied(first);
    const second = await fit(batch, { engine });
    expect(copied(first)).toEqual(before);
    expect([...buffersOf(second)].filter((buffer) => buffersOf(first).has(buffer))).toEqual([]);
    const freed = buffersOf(first);
    first.release();
    first.release();
    const third = await fit(batch, { engine });
    const fourth = await fit(batch, { engine });
    expect([...buffersOf(third)].filter((buffer) => !freed.has(buffer))).toEqual([]);
    expect([...buffersOf(fourth)].filter((buffer) => freed.has(buffer))).toEqual([]);
    expect(copied(third)).toEqual(before);
  });

  it("leaves count and weight to a session that is kept, whose other results show them", async () => {
    await using session = await engine.open(batch);
    const first = await session.fit(closedForm);
    const second = await session.fit(closedForm);
    const before = copied(second);
    first.release();
    const other = await fit(gaussianBatch(new Random(4), { dims: 3, sizes: Array(64).fill(9) }), { engine });
    expect(Array.from(other.count)).toEqual(Array(64).fill(9));
    expect(copied(second)).toEqual(before);
    expect(Array.from((await session.statistics()).count)).toEqual(Array.from(second.count));
  });

  it("of a session for one call can be asked for again all the same", async () => {
    await using kept = await engine.open(batch);
    await using once = await engine.open(batch, { once: true });
    const fits = await once.fit(closedForm);
    const statistics = await once.statistics();
    expect(copied(fits)).toEqual(copied(await kept.fit(closedForm)));
    expect(statistics).toEqual(await kept.statistics());
    expect(copied(await once.fit(closedForm))).toEqual(copied(fits));
  });
});

describe.each(ENGINES)("$name: sessions", ({ open }) => {
  it("many at once, on rows and on statistics, keep apart", async () => {
    await using engine = await open();
    const batches = Array.from({ length: 40 }, (_, i) =>
      Batch.fromDense(new Float64Array(60).fill(i), { groups: 5, rows: 4, dims: 3 }),
    );
    const sessions = await Promise.all(batches.map((one) => engine.open(one)));
    const statistics = await Promise.all(sessions.map((session) => session.statistics()));
    await Promise.all(sessions.map((session) => session.close()));
    statistics.forEach((one, i) => {
      expect(Array.from(one.mean)).toEqual(Array(15).fill(i));
    });
  });

  it("hand out statistics that later sessions do not write over", async () => {
    await using engine = await open();
    const meanOf = async (value: number) => {
      const rows = new Float64Array(60).fill(value);
      await using session = await engine.open(Batch.fromDense(rows, { groups: 5, rows: 4, dims: 3 }));
      await session.fit(closedForm);
      return (await session.statistics()).mean;
    };
    const first = await meanOf(1);
    await meanOf(2);
    expect(Array.from(first)).toEqual(Array(15).fill(1));
  });

  it("finish the calls that run when they are closed", async () => {
    await using engine = await open();
    const session = await engine.open(batch);
    const running = session.fit(closedForm);
    await session.close();
    expect((await running).counts).toEqual({ converged: 64 });
    await expect(session.fit(closedForm)).rejects.toThrow(/fit: the session is closed/);
  });
});

it("wasm says what it runs on", async () => {
  await using engine = await openWasm({ threads: 1 });
  expect(engine.device).toMatch(/^WebAssembly SIMD, 1 thread, \S/);
});

describe.each(ENGINES)("$name: an engine", ({ name }) => {
  const script = (body: string): string => `
    const { openEngine } = await import(process.argv[1] + "engines.js");
    const { Batch } = await import(process.argv[1] + "batch.js");
    const engine = await openEngine("${name}", { threads: 2 });
    const batch = Batch.fromDense(new Float64Array(60_000).map((_, i) => Math.sin(i)), { groups: 100, rows: 200, dims: 3 });
    ${body}`;
  const run = async (body: string) => {
    const dist = new URL("../../../dist/", import.meta.url).href;
    const call = ["--input-type=module", "--eval", script(body), dist];
    return (await promisify(execFile)(process.execPath, call, { timeout: 20_000 })).stdout;
  };

  it("that nobody closes does not keep the process", async () => {
    const body = `const session = await engine.open(batch);
      console.log(JSON.stringify((await session.statistics()).groups));`;
    expect(await run(body)).toBe("100\n");
  });

  it("keeps the process while a call runs", async () => {
    const body = `engine.open(batch).then((session) => session.statistics()).then((s) => console.log(s.groups));`;
    expect(await run(body)).toBe("100\n");
  });

  it("leaves no worker behind", async () => {
    const body = `const workers = () => process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;
      await engine.close();
      await new Promise(setImmediate);
      console.log(workers());`;
    expect(await run(body)).toBe("0\n");
  });
});

it.each(ENGINES)(
  "$name: a batch of weights that lie elsewhere than its rows is read all the same",
  async ({ open }) => {
    await using engine = await open();
    const x = new Float64Array(new SharedArrayBuffer(4000 * 8));
    x.set(uniforms(4000));
    const mixed = Batch.fromDense(x, {
      groups: 10,
      rows: 100,
      dims: 4,
      weights: new Float64Array(1000).fill(2),
    });
    await using session = await engine.open(mixed);
    expect(Array.from((await session.statistics()).weight)).toEqual(Array(10).fill(200));
  },
);
