import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Batch } from "../../../src/batch.js";
import type { Engine } from "../../../src/engine.js";
import { evaluate } from "../../../src/evaluate.js";
import { fit } from "../../../src/fit.js";
import { statisticsOf } from "../../conformance/subject.js";
import { expectRelative, expectSameBits } from "../../support/close.js";
import { gaussianBatch, generalParameters } from "../../support/gaussians.js";
import { Random } from "../../support/random.js";
import { inEngine, inSharedMemory } from "../threads/support.js";
import { openOn, standIn, withStandIn } from "./stand-in.js";

/** Little enough memory that statistics, rows and results of the batches below go through it in slices. */
const SMALL = "memory=400000";

const random = new Random(31);
const BATCHES: readonly (readonly [string, Batch])[] = [
  [
    "many small groups",
    gaussianBatch(random, { dims: 3, sizes: Array.from({ length: 3000 }, (_, g) => (g * 7) % 23) }),
  ],
  [
    "weighted rows, stored as float32",
    gaussianBatch(random, { dims: 5, sizes: Array(700).fill(31), weighted: true, dtype: "float32" }),
  ],
  [
    "a group of many parts between small ones",
    gaussianBatch(random, { dims: 2, sizes: [5, 70_000, 0, 9], weighted: true }),
  ],
  ["wide rows", gaussianBatch(random, { dims: 33, sizes: [90, 400, 1, 35, 36, 60] })],
];

interface Answers {
  readonly [name: string]: Float64Array | Int32Array | Uint8Array;
}

/** Everything an engine says about a batch. */
async function answers(engine: Engine, batch: Batch): Promise<Answers> {
  const { mean, scatter, weight, count } = await statisticsOf(engine, batch);
  const newton = await fit(batch, { engine, method: "newton" });
  const start = generalParameters(new Random(2), batch.groups, batch.dims);
  const given = await fit(batch, { engine, method: "lbfgs", init: start, maxIterations: 4 });
  const at = await evaluate(batch, start, { engine });
  return {
    mean,
    scatter,
    weight,
    count,
    factor: newton.factor,
    covariance: newton.covariance,
    residual: newton.residual,
    iterations: newton.iterations,
    status: newton.statusCode,
    givenFactor: given.factor,
    objective: at.objective,
    dJ2dFactor: at.dJ2dFactor,
    dJ2dMean: at.dJ2dMean,
  };
}

function expectSameAnswers(got: Answers, want: Answers, what: string): void {
  for (const [name, values] of Object.entries(want)) {
    expectSameBits(Float64Array.from(got[name]), Float64Array.from(values), `${what}: ${name}`);
  }
}

withStandIn("the same bits", () => {
  afterAll(() => expect(standIn.live()).toBe(0));

  describe.each(BATCHES)("of %s", (_, batch) => {
    let want: Answers;
    // Not at the same time as other tests: what the stand-in is told holds for every engine on it.
    beforeAll(async () => {
      await using engine = await openOn("");
      want = await answers(engine, batch);
    });

    it.each([
      ["in slices through little memory", SMALL, [0]],
      ["on two devices", "devices=2", [0, 1]],
      ["on three, in slices", `devices=3 ${SMALL}`, [2, 0, 1]],
      ["where copies are done as early as they can be", "order=early", [0]],
      ["in slices, where copies are done early", `order=early ${SMALL}`, [0]],
    ])("%s", async (what, words, devices) => {
      await using engine = await openOn(words, devices);
      expectSameAnswers(await answers(engine, batch), want, what);
    });

    it("from ordinary memory, shared memory and the engine's own", async () => {
      await using engine = await openOn("order=early");
      const { dims, offsets, weights } = batch;
      const shared = Batch.fromOffsets(
        inSharedMemory(batch.x),
        offsets,
        weights ? { dims, weights } : { dims },
      );
      expectSameAnswers(await answers(engine, shared), want, "shared");
      const own = inEngine(engine, batch);
      expectSameAnswers(await answers(engine, own), want, "own");
      own.release();
    });
  });
});

withStandIn("matrix units for float64", () => {
  const batch = gaussianBatch(random, { dims: 9, sizes: [700, 300, 12] });
  const scatterOn = async (words: string): Promise<Float64Array> => {
    await using engine = await openOn(words);
    return (await statisticsOf(engine, batch)).scatter;
  };

  it("sum where they are fast, and give what others give", async () => {
    const found = await scatterOn("capability=80 doubles=2");
    for (const words of ["capability=75 doubles=2", "capability=89 doubles=64"]) {
      const other = await scatterOn(words);
      expectRelative(found, other, 1e-14, words);
      expect(
        found.some((value, i) => value !== other[i]),
        `${words}: sums in another order`,
      ).toBe(true);
    }
  });
});

withStandIn("device memory", () => {
  afterEach(() => expect(standIn.live()).toBe(0));

  it("too little for a single group is an error that says what to do, and leaves nothing", async () => {
    const engine = await openOn("memory=100000");
    const batch = gaussianBatch(new Random(1), { dims: 100, sizes: [120] });
    await expect(fit(batch, { engine })).rejects.toThrow(
      /^cuda: .* could not have 1 MiB of device memory\. Close other programs .* or use --engine wasm$/,
    );
    expect(standIn.blocks()).toBe(0);
    const small = gaussianBatch(new Random(1), { dims: 2, sizes: [20] });
    expect((await fit(small, { engine })).counts).toEqual({ converged: 1 });
    await engine.close();
  });

  it("holds a session's statistics between calls: rows travel once", async () => {
    const engine = await openOn("");
    const batch = gaussianBatch(new Random(1), { dims: 4, sizes: Array(50).fill(60) });
    const session = await engine.open(batch);
    await session.statistics();
    standIn.set("");
    batch.x.fill(Number.NaN);
    const solve = { ddof: 0, start: "default", tolerance: 1e-8, maxIterations: 99 } as const;
    expect((await session.fit({ ...solve, method: "newton" })).counts).toEqual({ converged: 50 });
    expect(standIn.calls("cuMemcpyHtoDAsync_v2")).toBe(0);
    await session.close();
    await engine.close();
  });

  it("does not grow from call to call, nor from session to session", async () => {
    const engine = await openOn("");
    const batch = gaussianBatch(new Random(1), { dims: 4, sizes: Array(50).fill(60) });
    await fit(batch, { engine, method: "lbfgs" });
    const blocks = standIn.blocks();
    for (let i = 0; i < 5; i++) await fit(batch, { engine, method: "lbfgs" });
    expect(standIn.blocks()).toBe(blocks);
    await engine.close();
  });
});
