import { describe, expect, it } from "vitest";
import { nativeProvider, openNative } from "../../../src/engines/native/provider.js";
import { referenceProvider } from "../../../src/engines/reference/provider.js";
import { expectSameBits } from "../../support/close.js";
import { gaussianBatch } from "../../support/gaussians.js";
import { Random } from "../../support/random.js";
import { closedForm } from "./support.js";

const { available } = await nativeProvider.probe();

const FIELDS = ["mean", "covariance", "factor", "logLikelihood", "residual", "gap"] as const;

async function statisticsOf(dims: number, groups: number) {
  const sizes = Array.from({ length: groups }, (_, g) => (g * 7) % 29);
  const reference = await referenceProvider.create({});
  await using session = await reference.open(gaussianBatch(new Random(dims), { dims, sizes }));
  return session.statistics();
}

/** An engine whose workers fail as soon as they are started. */
const openWithoutWorkers = (threads: number) =>
  openNative({ threads, workerScript: new URL("./no_such_worker.mjs", import.meta.url) });

describe.runIf(available)("a closed form of few statistics", () => {
  it.each([1, 3, 8, 20])("starts no worker, and has the bits that workers give (d = %i)", async (dims) => {
    const statistics = await statisticsOf(dims, 101);
    await using started = await openNative({ threads: 2 });
    await using newton = await started.open(statistics);
    await newton.fit({ ...closedForm, method: "newton" });
    const want = await newton.fit(closedForm);
    for (const threads of [1, 2, 5]) {
      await using engine = await openWithoutWorkers(threads);
      await using session = await engine.open(statistics);
      const got = await session.fit(closedForm);
      for (const field of FIELDS) expectSameBits(got[field], want[field], `${field}, ${threads} threads`);
      expect(got.counts).toEqual(want.counts);
    }
  });

  it("of fewer groups than threads, and of none, is done too", async () => {
    for (const groups of [0, 1, 2]) {
      await using engine = await openWithoutWorkers(4);
      await using session = await engine.open(await statisticsOf(3, groups));
      const seen: number[] = [];
      const fits = await session.fit(closedForm, { onProgress: (done) => seen.push(done) });
      expect(fits.groups).toBe(groups);
      expect(seen).toEqual([groups]);
    }
  });

  it("is left to workers where there is much of it, or the method iterates", async () => {
    await using engine = await openWithoutWorkers(2);
    await using small = await engine.open(await statisticsOf(2, 20));
    await small.fit(closedForm);
    await expect(small.fit({ ...closedForm, method: "newton" })).rejects.toThrow("worker 1 stopped");
    await using other = await openWithoutWorkers(2);
    await using large = await other.open(await statisticsOf(64, 257));
    await expect(large.fit(closedForm)).rejects.toThrow("worker 1 stopped");
  });

  it("rejects when it is aborted or the engine is closed", async () => {
    const engine = await openWithoutWorkers(2);
    const session = await engine.open(await statisticsOf(8, 200));
    const signal = AbortSignal.abort(new Error("too late"));
    await expect(session.fit(closedForm, { signal })).rejects.toThrow("too late");
    const running = session.fit(closedForm);
    const closing = engine.close();
    await expect(running).rejects.toThrow("the call was ended");
    await closing;
  });
});
