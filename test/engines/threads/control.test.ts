import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Batch } from "../../../src/batch.js";
import type { ThreadsEngine } from "../../../src/engines/threads/engine.js";
import { gaussianBatch } from "../../support/gaussians.js";
import { Random } from "../../support/random.js";
import { closedForm, ENGINES, LONG_GROUPS, long, longBatch, uniforms } from "./support.js";

/**
 * The largest share of a call that may pass between two turns of the event loop; one that blocks it takes nearly all. Workers and this thread
 * share the cores, so that a turn of 8 ms may last twice as long, of a call of 50 ms.
 */
const LONGEST_STINT = 0.5;
/** How soon a running call ends once it is aborted. */
const SOON_MS = 2000;

describe.each(ENGINES)("$name: a running call", ({ open }) => {
  let engine: ThreadsEngine;
  beforeAll(async () => {
    engine = await open();
  });
  afterAll(() => engine.close());

  const seeded = (groups: number, dims = 3) =>
    gaussianBatch(new Random(9), { dims, sizes: Array(groups).fill(20), condition: 1e4 });

  it("reports progress while it works", async () => {
    await using session = await engine.open(longBatch());
    const controller = new AbortController();
    const reports: number[] = [];
    const onProgress = (done: number, total: number) => {
      expect(total).toBe(LONG_GROUPS);
      if (reports.push(done) >= 4 && done > reports[0]) controller.abort();
    };
    await expect(session.fit(long, { onProgress, signal: controller.signal })).rejects.toThrow();
    expect(reports).toEqual(reports.toSorted((a, b) => a - b));
    expect(reports.at(-1)).toBeGreaterThan(reports[0]);
    expect(reports.at(-1)).toBeLessThan(LONG_GROUPS);
  });

  it("ends with the last report at the total", async () => {
    await using session = await engine.open(seeded(77));
    const reports: number[][] = [];
    await session.fit(closedForm, { onProgress: (...report) => reports.push(report) });
    expect(reports.at(-1)).toEqual([77, 77]);
  });

  it("fails with what its progress callback throws, and the engine goes on", async () => {
    await using session = await engine.open(longBatch());
    const fault = new Error("no");
    const onProgress = () => {
      throw fault;
    };
    await expect(session.fit(long, { onProgress })).rejects.toBe(fault);
    expect((await session.fit(closedForm)).counts).toEqual({ converged: LONG_GROUPS });
  });

  it.each(["fit", "statistics"] as const)(
    "of %s ends soon when it is aborted while rows are copied",
    async (call) => {
      const n = 2_000_000;
      await using session = await engine.open(
        Batch.fromDense(uniforms(n * 8), { groups: n / 50, rows: 50, dims: 8 }),
      );
      const reason = new Error("enough");
      const controller = new AbortController();
      setTimeout(() => controller.abort(reason), 2); // read in place, all rows take 20 ms
      const { signal } = controller;
      const running = call === "fit" ? session.fit(long, { signal }) : session.statistics({ signal });
      const started = performance.now();
      await expect(running).rejects.toBe(reason);
      expect(performance.now() - started).toBeLessThan(SOON_MS);
      expect((await session.fit(closedForm)).counts).toEqual({ converged: n / 50 });
    },
  );

  it("fails soon when the engine is closed", async () => {
    const own = await open();
    const session = await own.open(longBatch());
    const running = session.fit(long);
    running.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 100));
    const started = performance.now();
    await own.close();
    await expect(running).rejects.toThrow(/: the call was ended: the engine is closed/);
    expect(performance.now() - started).toBeLessThan(SOON_MS);
  });

  it("fails where the engine is closed while its threads are still starting", async () => {
    const batch = longBatch();
    // From threads that have not begun to ones that are at work: loading a library takes some 20 ms.
    for (let late = 0; late < 30; late += 2) {
      const own = await open();
      const session = await own.open(batch);
      const ended = expect(session.fit(long)).rejects.toThrow(/: the call was ended: the engine is closed/);
      await new Promise((resolve) => setTimeout(resolve, late));
      await own.close();
      await ended;
    }
  });

  it("leaves the queue at once when it is aborted while it waits, and the next waits on", async () => {
    await using session = await engine.open(longBatch());
    const first = new AbortController();
    const second = new AbortController();
    const running = session.fit(long, { signal: first.signal });
    const waiting = session.fit(closedForm, { signal: second.signal });
    const last = session.fit(closedForm);
    second.abort();
    await expect(waiting).rejects.toThrow();
    first.abort();
    await expect(running).rejects.toThrow();
    expect((await last).counts).toEqual({ converged: LONG_GROUPS });
  });

  it("leaves the event loop turning while a large plain array is fitted", async () => {
    const n = 4_000_000;
    const batch = Batch.fromDense(uniforms(n * 8), { groups: n / 400, rows: 400, dims: 8 });
    // The machine may hold up any one call: the best of a few is judged, each on a session of its own, which has yet to read the rows.
    let share = 1;
    for (let call = 0; call < 5; call++) {
      await using session = await engine.open(batch);
      share = Math.min(share, await longestStint(() => session.fit(closedForm)));
    }
    expect(share).toBeLessThan(LONGEST_STINT);
  });
});

/** The longest time between two turns of the event loop while `call` runs, as a share of all of it. */
async function longestStint(call: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  let [last, longest] = [started, 0];
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(turn, 1);
  await call();
  clearInterval(timer);
  turn();
  return longest / (last - started);
}
