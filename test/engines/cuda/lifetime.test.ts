import { execFile } from "node:child_process";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CudaEngine } from "../../../src/engines/cuda/engine.js";
import { fit } from "../../../src/fit.js";
import { Statistics } from "../../../src/statistics.js";
import { gaussianBatch } from "../../support/gaussians.js";
import { Random } from "../../support/random.js";
import { closedForm, inEngine, LONG_GROUPS, long, longBatch } from "../threads/support.js";
import { openOn, standIn, withStandIn } from "./stand-in.js";

/** Enough that copying them takes a while. */
function statisticsOfMany(): Statistics {
  const [groups, dims] = [40_000, 8];
  const count = new Float64Array(groups).fill(50);
  return Statistics.from({
    ...{ groups, dims, dtype: "float64", count, weight: count.slice() },
    mean: new Float64Array(groups * dims),
    scatter: new Float64Array(groups * dims * dims).map((_, i) => i),
  });
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const batch = gaussianBatch(new Random(3), { dims: 3, sizes: Array(64).fill(25), weighted: true });

withStandIn("an engine on the stand-in", () => {
  let engine: CudaEngine;
  beforeEach(async () => {
    engine = await openOn("");
  });
  afterEach(async () => {
    await engine.close();
    expect(standIn.live()).toBe(0);
  });

  describe("memory that it lends", () => {
    const layout = { offsets: [0, 50_000], dims: 4 };

    it("is locked in place, and lent again once it is released", async () => {
      const first = engine.allocate(layout);
      const { buffer } = first.x;
      first.release();
      first.release();
      const [second, third] = [engine.allocate(layout), engine.allocate(layout)];
      expect(second.x.buffer).toBe(buffer);
      expect(third.x.buffer).not.toBe(buffer);
      await using session = await engine.open(third);
      await session.statistics();
      expect(standIn.calls("cuMemHostRegister_v2")).toBe(3); // two blocks and the control page
    });

    it("is read by the device itself", async () => {
      const own = inEngine(engine, batch);
      await using session = await engine.open(own);
      standIn.set("");
      await session.statistics();
      // Rows, weights and three columns of items; nothing went through the ring in pieces.
      expect(standIn.calls("cuMemcpyHtoDAsync_v2")).toBe(5);
      own.release();
    });

    it("stays readable, and can be filled, once the engine is closed", async () => {
      const own = inEngine(engine, batch);
      await engine.close();
      own.x.fill(1);
      expect(own.x.every((value) => value === 1)).toBe(true);
      own.release();
      expect(() => engine.allocate(layout)).toThrow(/allocate: the engine is closed/);
    });
  });

  it("writes results over those that were released, and over no others", async () => {
    const first = await fit(batch, { engine });
    const second = await fit(batch, { engine });
    const [mean, kept] = [first.mean.slice(), first.mean.buffer];
    expect(second.mean.buffer).not.toBe(kept);
    first.release();
    first.release();
    const [third, fourth] = [await fit(batch, { engine }), await fit(batch, { engine })];
    expect(third.mean.buffer).toBe(kept);
    expect(fourth.mean.buffer).not.toBe(kept);
    expect(third.mean).toEqual(mean);
  });

  describe("a long call", () => {
    it("leaves the event loop to turn, reports how far it is, and ends soon when it is aborted", async () => {
      await using session = await engine.open(longBatch());
      const controller = new AbortController();
      let turns = 0;
      const timer = setInterval(() => {
        if (++turns === 20) controller.abort(new Error("enough"));
      }, 5);
      const started = performance.now();
      const onProgress = (done: number, total: number) => expect(done).toBeLessThanOrEqual(total);
      const control = { signal: controller.signal, onProgress };
      await expect(session.fit(long, control)).rejects.toThrow("enough");
      clearInterval(timer);
      expect(turns).toBeGreaterThanOrEqual(20);
      expect(performance.now() - started).toBeLessThan(5000);
      expect((await session.fit(closedForm)).groups).toBe(LONG_GROUPS);
    });

    it("ends with the error of a callback that throws", async () => {
      await using session = await engine.open(longBatch());
      const onProgress = () => {
        throw new Error("from the callback");
      };
      await expect(session.fit(long, { onProgress })).rejects.toThrow("from the callback");
    });
  });

  it("has done what it is doing before it lends memory, forgets another session, or is closed", async () => {
    const statistics = statisticsOfMany();
    const [session, other] = [await engine.open(statistics), await engine.open(batch)];
    await other.statistics();
    const call = session.statistics();
    await setImmediate(); // it is with the device
    const lent = engine.allocate({ offsets: [0, 50_000], dims: 4 });
    const forgotten = other.close();
    expect(Buffer.compare(bytesOf((await call).scatter), bytesOf(statistics.scatter))).toBe(0);
    await forgotten;
    lent.release();
    const ended = session.statistics();
    await Promise.all([expect(ended).rejects.toThrow(/the engine is closed/), engine.close()]);
  });

  it("hands out results that later calls do not write over", async () => {
    await using session = await engine.open(batch);
    const first = await session.statistics();
    const { mean, count } = { mean: first.mean.slice(), count: first.count.slice() };
    first.count.fill(-1);
    const fits = await session.fit(closedForm);
    expect(fits.count).toEqual(count);
    fits.count.fill(-1);
    expect((await session.statistics()).count).toEqual(count);
    expect(first.mean).toEqual(mean);
  });

  it("can be opened beside another, and again after it is closed", async () => {
    const other = await openOn("devices=2", [1]);
    for (const one of [engine, other]) {
      await using session = await one.open(batch);
      expect((await session.fit(closedForm)).counts).toEqual({ converged: 64 });
    }
    await other.close();
    const again = await openOn("");
    await using session = await again.open(batch);
    expect((await session.fit(closedForm)).counts).toEqual({ converged: 64 });
    await again.close();
  });

  it.each([
    [-1, /device must be a whole number of at least 0, got -1/],
    [[], /device must name at least one device/],
    [[0, 0], /must name each device once, got 0 twice/],
  ])("refuses device %s", async (device, message) => {
    await expect(openOn("", device)).rejects.toThrow(message);
  });

  describe("and the process", () => {
    const run = async (body: string) => {
      const dist = new URL("../../../dist/", import.meta.url).href;
      const script = `
        const { CudaEngine } = await import(process.argv[1] + "engines/cuda/engine.js");
        const { Batch } = await import(process.argv[1] + "batch.js");
        const engine = await CudaEngine.start({});
        const batch = Batch.fromDense(new Float64Array(60_000).map((_, i) => Math.sin(i)), { groups: 100, rows: 200, dims: 3 });
        ${body}`;
      const call = ["--input-type=module", "--eval", script, dist];
      return (await promisify(execFile)(process.execPath, call, { timeout: 20_000 })).stdout;
    };

    it("ends where nobody closes the engine", async () => {
      const body = `const session = await engine.open(batch);
        console.log((await session.statistics()).groups);`;
      expect(await run(body)).toBe("100\n");
    });

    it("stays while a call runs", async () => {
      const body = `engine.open(batch).then((session) => session.statistics()).then((s) => console.log(s.groups));`;
      expect(await run(body)).toBe("100\n");
    });
  });
});
