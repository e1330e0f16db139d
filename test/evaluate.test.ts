import { describe, expect, it } from "vitest";
import { Batch } from "../src/batch.js";
import { openEngine } from "../src/engines.js";
import { InputError } from "../src/errors.js";
import { evaluate } from "../src/evaluate.js";
import { expectClose, magnitude } from "./support/close.js";
import { gaussianBatch, generalParameters } from "./support/gaussians.js";
import { Random } from "./support/random.js";

describe("evaluate", () => {
  it("gives, for one row and d = 1, what the definitions give by hand", async () => {
    // x = 3, μ = 1, Λ = 2: S = 4, J₁ = log 4, J₂ = 4/4, J = ½ log 2π + ½(log 4 + 1)
    const got = await evaluate(
      Batch.fromOffsets([3], [0, 1], { dims: 1 }),
      { mean: [1], factor: [2] },
      { engine: "reference" },
    );
    expect(got.j1[0]).toBeCloseTo(Math.log(4), 15);
    expect(got.j2[0]).toBe(1);
    expect(got.objective[0]).toBeCloseTo((Math.log(2 * Math.PI) + Math.log(4) + 1) / 2, 15);
    expect(got.dJ1dFactor[0]).toBe(1); // 2/Λ
    expect(got.dJ2dMean[0]).toBe(-1); // −2 (x−μ)/S
    expect(got.dJ2dFactor[0]).toBe(-1); // −2 (x−μ)²/Λ³ = −8/8
  });

  it("has the gradients that central differences of J find", async () => {
    const random = new Random(5);
    const d = 3;
    const batch = gaussianBatch(random, { dims: d, sizes: [25], condition: 10 });
    const at = generalParameters(random, 1, d, 10);
    await using engine = await openEngine("reference");
    const j = async (mean: Float64Array, factor: Float64Array) =>
      (await evaluate(batch, { mean, factor }, { engine })).objective[0];
    // Error h² f‴/6 + ε f/h: at h = ∛ε about 1e-10 of the third derivative's size.
    const h = 6e-6;
    const difference = async (name: "mean" | "factor", e: number) => {
      const [up, down] = [h, -h].map((step) => {
        const moved = { mean: at.mean.slice(), factor: at.factor.slice() };
        moved[name][e] += step;
        return moved;
      });
      return ((await j(up.mean, up.factor)) - (await j(down.mean, down.factor))) / (2 * h);
    };
    const got = await evaluate(batch, at, { engine });
    const byMean = await Promise.all(Array.from({ length: d }, (_, e) => difference("mean", e)));
    const byFactor = await Promise.all(Array.from({ length: d * d }, (_, e) => difference("factor", e)));
    const gradient = got.dJ1dFactor.map((entry, e) => (entry + got.dJ2dFactor[e]) / 2);
    expectClose(
      byMean,
      got.dJ2dMean.map((entry) => entry / 2),
      1e-7 * magnitude(got.dJ2dMean),
      "∂J/∂μ",
    );
    expectClose(byFactor, gradient, 1e-7 * magnitude(got.dJ2dFactor), "∂J/∂Λ");
  });

  it("refuses parameters that do not fit, before any work", async () => {
    const batch = gaussianBatch(new Random(6), { dims: 2, sizes: [4, 4, 4] });
    const call = evaluate(batch, { mean: new Float64Array(4), factor: new Float64Array(4) });
    await expect(call).rejects.toThrow(
      new InputError("evaluate: mean must have length 6 (3 groups of 2, or 2 for all), got 4"),
    );
  });
});
