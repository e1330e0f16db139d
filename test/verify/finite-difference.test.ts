import { describe, expect, it } from "vitest";
import { Batch } from "../../src/batch.js";
import { openEngine } from "../../src/engines.js";
import { EQUATIONS } from "../../src/gradients.js";
import { Parameters } from "../../src/parameters.js";
import {
  CENTRAL,
  type DifferenceRule,
  finiteDifferences,
  RICHARDSON,
} from "../../src/verify/finite-difference.js";
import { magnitude } from "../support/close.js";
import { gaussianBatch, generalParameters } from "../support/gaussians.js";
import { Random } from "../support/random.js";

const random = new Random(11);
const batch = gaussianBatch(random, { dims: 3, sizes: [9, 20], weighted: true });
const parameters = Parameters.from(generalParameters(random, 2, 3, 10), batch);

/** The largest error of (7), (9) and (14), each relative to its largest entry. */
async function errorOf(
  rule: DifferenceRule,
  of: Batch = batch,
  at: Parameters = parameters,
): Promise<number> {
  await using engine = await openEngine("reference");
  await using session = await engine.open(of);
  const exact = await session.evaluate(at);
  const gradients = await finiteDifferences(of, at, EQUATIONS, rule, {});
  const errors = [
    [gradients["7"]?.factor, exact.dJ1dFactor],
    [gradients["9"]?.mean, exact.dJ2dMean],
    [gradients["14"]?.factor, exact.dJ2dFactor],
  ].map(([got, want]) => magnitude(got!.map((value, e) => value - want![e])) / magnitude(want!));
  return Math.max(...errors);
}

describe("finite differences", () => {
  it("come as near as their steps allow", async () => {
    expect(await errorOf(CENTRAL)).toBeLessThan(1e-8);
    expect(await errorOf(RICHARDSON)).toBeLessThan(1e-10);
  });

  it.each([
    ["central", 2, 4],
    ["Richardson", 4, 16],
  ] as const)("converge with their order: %s", async (_, order, factor) => {
    const [coarse, fine] = [await errorOf({ h: 0.04, order }), await errorOf({ h: 0.02, order })];
    expect(coarse / fine / factor).toBeGreaterThan(0.8);
    expect(coarse / fine / factor).toBeLessThan(1.25);
  });

  it("lose nothing in other units", async () => {
    const units = [1e-8, 1, 1e8];
    const x = batch.x.map((value, e) => value * units[e % 3]) as Float64Array;
    const scaled = Batch.fromOffsets(x, batch.offsets, { dims: 3, weights: batch.weights! });
    const mean = parameters.mean.map((value, e) => value * units[e % 3]);
    const factor = parameters.factor.map((value, e) => value * units[Math.floor(e / 3) % 3]);
    const at = Parameters.from({ mean, factor }, scaled);
    const slopes = async (of: Batch, where: Parameters) =>
      finiteDifferences(of, where, EQUATIONS, CENTRAL, {});
    const [own, other] = [await slopes(batch, parameters), await slopes(scaled, at)];
    const back = other["14"]!.factor!.map((value, e) => value * units[Math.floor(e / 3) % 3]);
    const want = own["14"]!.factor!;
    expect(magnitude(back.map((value, e) => value - want[e])) / magnitude(want)).toBeLessThan(1e-8);
  });

  it("see μ far from the origin", async () => {
    const x = batch.x.map((value) => value + 2 ** 40) as Float64Array;
    const far = Batch.fromOffsets(x, batch.offsets, { dims: 3, weights: batch.weights! });
    const at = Parameters.from(
      { mean: parameters.mean.map((m) => m + 2 ** 40), factor: parameters.factor },
      far,
    );
    expect(await errorOf(CENTRAL, far, at)).toBeLessThan(1e-8);
  });

  it("are of J: half of J₁ and J₂ together", async () => {
    const { "7": ofJ1, "14": ofJ2, J } = await finiteDifferences(batch, parameters, EQUATIONS, CENTRAL, {});
    const half = ofJ1!.factor!.map((slope, e) => (slope + ofJ2!.factor![e]) / 2);
    expect(magnitude(J!.factor!.map((slope, e) => slope - half[e]))).toBeLessThan(1e-12 * magnitude(half));
  });
});
