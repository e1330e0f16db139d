import { beforeAll, describe, expect, it } from "vitest";
import { Autograd } from "../../src/autograd/autograd.js";
import { FLOAT64, registerFloat64 } from "../../src/autograd/float64.js";
import { differentiate } from "../../src/autograd/gradients.js";
import { pieces } from "../../src/autograd/segments.js";
import * as tf from "../../src/autograd/tfjs.js";
import { Batch } from "../../src/batch.js";
import { openEngine } from "../../src/engines.js";
import { EQUATIONS, type Gradients } from "../../src/gradients.js";
import { Parameters } from "../../src/parameters.js";
import { expectRelative } from "../support/close.js";
import { gaussianBatch, generalParameters } from "../support/gaussians.js";
import { Random } from "../support/random.js";

/** ε·κ(S) at κ = 100 is 2e-14; relative to the largest entry. */
const AGREEMENT = 1e-12;

beforeAll(() => {
  tf.enableProdMode();
  registerFloat64();
});

function problem(dims: number, sizes: readonly number[], weighted = false) {
  const random = new Random(dims * 100 + sizes.length);
  const batch = gaussianBatch(random, { dims, sizes, weighted });
  return { batch, parameters: Parameters.from(generalParameters(random, sizes.length, dims), batch) };
}

async function expectAgreesWithReference(
  batch: Batch,
  parameters: Parameters,
  gradients: Gradients,
  within: number,
) {
  await using engine = await openEngine("reference");
  await using session = await engine.open(batch);
  const { dJ1dFactor, dJ2dMean, dJ2dFactor } = await session.evaluate(parameters);
  const whole = dJ1dFactor.map((slope, e) => (slope + dJ2dFactor[e]) / 2);
  expectRelative(gradients["7"]?.factor ?? [], dJ1dFactor, within, "(7)");
  expectRelative(gradients["9"]?.mean ?? [], dJ2dMean, within, "(9)");
  expectRelative(gradients["14"]?.factor ?? [], dJ2dFactor, within, "(14)");
  expectRelative(
    gradients.J?.mean ?? [],
    dJ2dMean.map((slope) => slope / 2),
    within,
    "∂J/∂μ",
  );
  expectRelative(gradients.J?.factor ?? [], whole, within, "∂J/∂Λ");
}

const RAGGED = [1, 40, 2, 0, 7, 7, 33, 100, 3];

describe.each(["float64", "cpu"])("automatic differentiation on tfjs's backend %s", (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });
  const within = backend === FLOAT64 ? AGREEMENT : 1e-3; // float32, κ = 100

  it.each([1, 2, 3, 8])(
    "gives the paper's gradients of ragged groups and leaves no tensor (d = %i)",
    async (d) => {
      const { batch, parameters } = problem(d, RAGGED);
      const before = tf.memory().numTensors;
      const gradients = differentiate(batch, parameters, EQUATIONS);
      expect(tf.memory().numTensors).toBe(before);
      await expectAgreesWithReference(batch, parameters, gradients, within);
    },
  );

  it("heeds weights", async () => {
    const { batch, parameters } = problem(3, RAGGED, true);
    await expectAgreesWithReference(batch, parameters, differentiate(batch, parameters, EQUATIONS), within);
  });
});

describe("automatic differentiation", () => {
  beforeAll(async () => {
    await tf.setBackend(FLOAT64);
  });

  it("adds up the segments of a long group", async () => {
    const { batch, parameters } = problem(2, [5000, 10]);
    expect([...pieces(batch, parameters)].flatMap(({ groups }) => groups)).toEqual([1, 0, 0, 0]);
    await expectAgreesWithReference(
      batch,
      parameters,
      differentiate(batch, parameters, EQUATIONS),
      AGREEMENT,
    );
  });

  it("leaves rows of weight 0 out, whatever they hold", () => {
    const x = [1, 2, Number.NaN, 4];
    const parameters = { mean: [0.5], factor: [2] };
    const weighted = Batch.fromOffsets(x, [0, 4], { dims: 1, weights: [1, 2, 0, 0.5] });
    const without = Batch.fromOffsets([1, 2, 4], [0, 3], { dims: 1, weights: [1, 2, 0.5] });
    const gradientsOf = (batch: Batch) => differentiate(batch, Parameters.from(parameters, batch), ["J"]);
    expect(gradientsOf(weighted)).toEqual(gradientsOf(without));
  });

  it("keeps one group's trouble out of the others", () => {
    const { batch, parameters } = problem(2, [6, 6, 6]);
    const right = differentiate(batch, parameters, ["J"]).J?.factor as Float64Array;
    const x = batch.x.slice() as Float64Array;
    x[13] = Number.NaN; // a row of group 1
    const broken = Batch.fromOffsets(x, batch.offsets, { dims: 2 });
    const factor = differentiate(broken, parameters, ["J"]).J?.factor as Float64Array;
    expect(factor.subarray(0, 4)).toEqual(right.subarray(0, 4));
    expect(factor.subarray(8)).toEqual(right.subarray(8));
    expect(factor.subarray(4, 8).every(Number.isNaN)).toBe(true);
  });

  it("fills pieces without much padding", () => {
    const { batch, parameters } = problem(
      2,
      Array.from({ length: 200 }, (_, g) => 1 + ((g * 37) % 150)),
    );
    let [slots, rows] = [0, 0];
    for (const piece of pieces(batch, parameters)) {
      slots += piece.weights.length;
      rows += piece.weights.reduce((sum, weight) => sum + weight, 0);
    }
    expect(rows).toBe(batch.rows);
    expect(slots).toBeLessThan(1.25 * rows);
  });
});

describe("the thread of automatic differentiation", () => {
  it("gives what this thread gives, call after call", async () => {
    await tf.setBackend(FLOAT64);
    const autograd = new Autograd();
    try {
      for (const d of [2, 3]) {
        const { batch, parameters } = problem(d, RAGGED);
        const steps: number[] = [];
        const watch = { timeout: 20, onStep: (rows: number) => steps.push(rows) };
        const gradients = await autograd.gradients(batch, parameters, EQUATIONS, watch);
        expect(gradients).toEqual(differentiate(batch, parameters, EQUATIONS));
        for (const rows of steps) expect(rows).toBeLessThanOrEqual(batch.rows);
      }
    } finally {
      await autograd.close();
    }
  });

  it("ends at a time limit", async () => {
    const { batch, parameters } = problem(
      8,
      Array.from({ length: 2000 }, () => 60),
    );
    const autograd = new Autograd();
    await expect(autograd.gradients(batch, parameters, EQUATIONS, { timeout: 1e-3 })).rejects.toThrow(
      /autograd: made no progress within 0\.001 s after \d+ of 120000 rows/,
    );
  });

  it("ends at the signal, with its reason", async () => {
    const { batch, parameters } = problem(
      8,
      Array.from({ length: 2000 }, () => 60),
    );
    const autograd = new Autograd();
    const signal = AbortSignal.timeout(100);
    const running = autograd.gradients(batch, parameters, EQUATIONS, { timeout: 60, signal });
    await expect(running).rejects.toHaveProperty("name", "TimeoutError");
  });
});
