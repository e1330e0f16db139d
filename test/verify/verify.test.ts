import { createRequire } from "node:module";
import type * as Tfjs from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";
import { Batch } from "../../src/batch.js";
import type { EngineName } from "../../src/engine.js";
import { PROVIDERS } from "../../src/engines.js";
import { simulate } from "../../src/simulate.js";
import { verify } from "../../src/verify.js";
import { engineOf } from "./engine-of.js";
import { gradientsWith } from "./formula.js";

/** Every engine that can be had here. */
async function availableEngines(): Promise<EngineName[]> {
  const probed = await Promise.all(PROVIDERS.map(async (one) => ({ one, probe: await one.probe() })));
  return probed.filter(({ probe }) => probe.available).map(({ one }) => one.name);
}

const ENGINES = await availableEngines();
const right = engineOf((group) => gradientsWith({}, group));

describe("verify", () => {
  it.each(ENGINES)("finds the gradients of %s right, d = 1 … 16", async (engine) => {
    const dims = Array.from({ length: 16 }, (_, i) => i + 1);
    const verification = await verify({ groups: 48, rows: [1, 40], dims }, { engine, condition: 100 });
    expect(verification).toMatchObject({ passed: true, subject: engine, groups: 48 });
    for (const { undecided } of verification.checks) expect(undecided).toBe(0);
  });

  it("resolves condition numbers up to 1e6", async () => {
    const verification = await verify({ groups: 60, dims: [2, 4, 8, 16] }, { condition: 1e6, seed: 5 });
    expect(verification.passed).toBe(true);
    for (const { undecided } of verification.checks) expect(undecided).toBe(0);
  });

  it("verifies d = 32", async () => {
    const options = { condition: 1e6, at: "random" } as const;
    expect((await verify({ groups: 2, dims: 32, rows: [20, 50] }, options)).passed).toBe(true);
  });

  it("heeds weights: those of 0 as absent, whatever their rows hold", async () => {
    const { batch } = simulate({ groups: 6, rows: 12, dims: 2 });
    const weights = Float64Array.from({ length: batch.rows }, (_, row) => (row % 5) / 2);
    const x = batch.x.map((value, e) => (weights[Math.floor(e / 2)] === 0 ? Number.NaN : value));
    const verification = await verify(Batch.fromOffsets(x, batch.offsets, { dims: 2, weights }));
    expect(verification).toMatchObject({ passed: true, skipped: [] });
  });

  it("holds in any units, and far from the origin", async () => {
    const { batch } = simulate({ groups: 20, rows: [5, 30], dims: 3 });
    const units = [1e-9, 1, 1e9];
    const scaled = batch.x.map((value, e) => value * units[e % 3]);
    const shifted = batch.x.map((value) => value + 1e8);
    for (const x of [scaled, shifted]) {
      const verification = await verify(Batch.fromOffsets(x, batch.offsets, { dims: 3 }));
      expect(verification.passed).toBe(true);
      for (const { groups } of verification.checks) expect(groups).toBe(20);
    }
  });

  it("finds a wrong entry of a variable in large units", async () => {
    const { batch } = simulate({ groups: 4, rows: 20, dims: 2 });
    const x = batch.x.map((value, e) => value * (e % 2 === 0 ? 1 : 1e9));
    const engine = engineOf((group) => {
      const gradients = gradientsWith({}, group);
      gradients.dJ1dFactor[3] *= 1.01; // 1e-11 of the norm, had units a say
      return gradients;
    });
    const own = Batch.fromOffsets(x, batch.offsets, { dims: 2 });
    const { checks } = await verify(own, { engine, at: "random", against: ["reference"] });
    expect(checks.find(({ equation }) => equation === "7")).toMatchObject({
      failed: 4,
      worst: { entry: [1, 1] },
    });
  });

  it("counts groups that cannot be compared, by reason and place", async () => {
    const x = [1, 2, 3, 5, 4, 4, Number.NaN, 1, 2, 2, 1, 1, 2, 2, 3, 3];
    const batch = Batch.fromOffsets(x, [0, 3, 3, 4, 5, 8], { dims: 2 });
    const { skipped, groups, checks } = await verify(batch);
    expect(groups).toBe(5);
    expect(skipped).toContainEqual({ at: "random", reason: "empty", groups: 1 });
    expect(skipped).toContainEqual({ at: "random", reason: "non-finite", groups: 1 });
    expect(skipped).toContainEqual({ at: "optimum", reason: "too-few-rows", groups: 1 });
    expect(skipped).toContainEqual({ at: "optimum", reason: "singular", groups: 1 });
    for (const check of checks) expect(check.groups).toBe(3);
  });

  it("takes parameters of the caller's own, and counts a singular Λ", async () => {
    const { batch, truth } = simulate({ groups: 3, rows: 9, dims: 2 });
    const factor = truth.factor.slice();
    factor.set([1, 2, 2, 4], 4);
    const verification = await verify(batch, { at: { mean: truth.mean, factor } });
    expect(verification).toMatchObject({
      passed: true,
      places: ["given"],
      skipped: [{ at: "given", reason: "singular", groups: 1 }],
    });
    expect(verification.checks[0].worst?.group).not.toBe(1);
  });

  it("does not pass where nothing could be compared", async () => {
    const batch = Batch.fromDense(new Float64Array(6), { groups: 3, rows: 1, dims: 2 });
    const { passed, checks } = await verify(batch, { at: "optimum" });
    expect(passed).toBe(false);
    for (const check of checks) expect(check).toMatchObject({ groups: 0, worst: null, tolerance: null });
  });

  it("leaves groups undecided that no tolerance could judge", async () => {
    const { batch, truth } = simulate({ groups: 2, rows: 9, dims: 2 });
    const factor = truth.factor.slice();
    factor.set([1, 1, 1, 1 + 1e-7], 0); // κ(S) about 1e15
    const { checks, passed } = await verify(batch, { at: { mean: truth.mean, factor }, engine: right });
    expect(passed).toBe(true);
    for (const check of checks) expect(check).toMatchObject({ groups: 1, undecided: 1 });
  });

  it("judges float32 by float32's rounding", async () => {
    const options = { engine: "wasm", precision: "float32", condition: 100 } as const;
    const { passed, checks, precision } = await verify({ groups: 20, dims: 3 }, options);
    expect({ passed, precision }).toEqual({ passed: true, precision: "float32" });
    for (const { tolerance, worst } of checks) {
      expect(tolerance).toBeGreaterThanOrEqual(5e-4);
      expect(worst?.error).toBeGreaterThan(1e-10); // it was float32
    }
  });

  it("runs on tfjs's own CPU backend in float32", async () => {
    const options = { autograd: "cpu", against: ["autograd"], condition: 10 } as const;
    const { passed, checks } = await verify({ groups: 20, dims: 3 }, options);
    expect(passed).toBe(true);
    for (const { worst } of checks) expect(worst?.error).toBeGreaterThan(1e-9);
  });

  it("fails a NaN, and names its entry", async () => {
    const engine = engineOf((group) => {
      const gradients = gradientsWith({}, group);
      if (group.g === 2) gradients.dJ2dFactor[1] = Number.NaN;
      return gradients;
    });
    const { checks } = await verify({ groups: 5, dims: 2 }, { engine });
    const check = checks.find(({ equation }) => equation === "14");
    expect(check).toMatchObject({ failed: 1, worst: { group: 2, entry: [0, 1], analytic: Number.NaN } });
  });

  it("takes a tolerance of the caller's own", async () => {
    const strict = await verify({ groups: 5, dims: 2 }, { engine: right, tolerance: 1e-17 });
    expect(strict.passed).toBe(false);
    const loose = await verify({ groups: 5, dims: 2 }, { engine: right, tolerance: 1e-6 });
    expect(loose.passed).toBe(true);
    for (const { tolerance } of loose.checks) expect(tolerance).toBe(1e-6);
  });

  it("gives the same result for the same seed, and another for another", async () => {
    const run = (seed: number) => verify({ groups: 6 }, { engine: "reference", seed });
    const [first, again, other] = [await run(3), await run(3), await run(4)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it("leaves the caller's TensorFlow.js as it was", async () => {
    const tf = createRequire(import.meta.url)("@tensorflow/tfjs") as typeof Tfjs;
    tf.enableProdMode(); // it advertises otherwise
    await tf.setBackend("cpu");
    const tensor = tf.tensor([1, 2, 3]);
    const before = tf.memory().numTensors;
    await verify({ groups: 4 }, { against: ["autograd"] });
    expect(tf.getBackend()).toBe("cpu");
    expect(tf.memory().numTensors).toBe(before);
    expect(Array.from(tensor.dataSync())).toEqual([1, 2, 3]);
    tensor.dispose();
  });

  it("reports progress that grows to its end", async () => {
    const seen: [number, number][] = [];
    await verify({ groups: 40 }, { onProgress: (done, total) => seen.push([done, total]) });
    const dones = seen.map(([done]) => done);
    expect(dones).toEqual([...dones].sort((a, b) => a - b));
    expect(seen.at(-1)).toEqual([400, 400]);
    expect(new Set(seen.map(([, total]) => total)).size).toBe(1);
  });

  it("ends at the signal, with its reason", async () => {
    const controller = new AbortController();
    const running = verify({ groups: 20_000, dims: 4 }, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 500);
    await expect(running).rejects.toThrow("enough");
  });

  it.each([
    ["an unknown partner", { against: ["mpmath"] }, /against must be one of autograd, .* got "mpmath"/],
    ["an engine against itself", { engine: "reference", against: ["reference"] }, /against itself/],
    ["an unknown place", { at: "minimum" }, /at must be one of random, optimum, both/],
    ["a tolerance of 0", { tolerance: 0 }, /tolerance must be auto or a positive number, got 0/],
    ["a condition below 1", { condition: 0.5 }, /condition must be a number of at least 1, got 0.5/],
    ["parameters without rows", { at: { mean: [0], factor: [1] } }, /parameters of your own/],
    ["both a gradient and an engine", { gradient: () => 0, engine: "wasm" }, /only one is checked/],
    ["a module that is not there", { module: "no-such.mjs" }, /no-such\.mjs: no such file/],
  ])("refuses %s", async (_, options, message) => {
    await expect(verify({ groups: 2 }, options as object)).rejects.toThrow(message);
    await expect(verify({ groups: 2 }, options as object)).rejects.toHaveProperty("name", "InputError");
  });
});
