import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openEngine } from "../src/engines.js";
import { EngineError, InputError } from "../src/errors.js";
import { type FitOptions, fit } from "../src/fit.js";
import { Parameters } from "../src/parameters.js";
import { Statistics } from "../src/statistics.js";
import { expectFits } from "./conformance/fit.js";
import { expectHonest } from "./conformance/methods.js";
import { gaussianBatch } from "./support/gaussians.js";
import { Random } from "./support/random.js";

const batch = gaussianBatch(new Random(1), { dims: 2, sizes: [9, 12] });

describe("fit", () => {
  it.each<[FitOptions, string]>([
    [
      { method: "em" as never },
      'fit: method must be one of closed-form, newton, lbfgs, cg, bb, gradient-descent, momentum, got "em"',
    ],
    [{ precision: "float16" as never }, 'fit: precision must be one of float64, float32, got "float16"'],
    [{ ddof: 2 as never }, "fit: ddof must be one of 0, 1, got 2"],
    [
      { ddof: 1, method: "newton" },
      "fit: ddof 1 goes with the method closed-form only, got newton, which maximises the likelihood",
    ],
    [{ tolerance: 0 }, "fit: tolerance must be a positive number, got 0"],
    [{ tolerance: Number.NaN }, "fit: tolerance must be a positive number, got NaN"],
    [{ tolerance: Infinity }, "fit: tolerance must be a positive number, got Infinity"],
    [{ maxIterations: -1 }, "fit: maxIterations must be a whole number of at least 0, got -1"],
    [{ maxIterations: 1.5 }, "fit: maxIterations must be a whole number of at least 0, got 1.5"],
    [{ maxIterations: 2 ** 31 }, "fit: maxIterations must be at most 2147483647, got 2147483648"],
    [{ init: "zero" as never }, 'fit: init must be one of default, identity, got "zero"'],
    [
      { init: { mean: [0, 0, 0], factor: [1, 0, 0, 1] } },
      "fit: init: mean must have length 4 (2 groups of 2, or 2 for all), got 3",
    ],
    [
      { init: { mean: [0, 0], factor: [1, 0, 0] } },
      "fit: init: factor must have length 8 (2 groups of 4, or 4 for all), got 3",
    ],
    [
      { init: { mean: [0, Number.NaN], factor: [1, 0, 0, 1] } },
      "fit: init: mean must be finite numbers, got NaN at index 1",
    ],
    [
      { engine: "gpu" as never },
      'openEngine: engine must be one of auto, reference, native, wasm, cuda, tensorflow, got "gpu"',
    ],
  ])("refuses wrong options: %#", async (options, message) => {
    await expect(fit(batch, options)).rejects.toThrow(new InputError(message));
  });

  it("refuses float32 arithmetic on the reference, with a remedy", async () => {
    const call = fit(batch, { engine: "reference", precision: "float32" });
    await expect(call).rejects.toThrow(EngineError);
    await expect(call).rejects.toThrow(/float64 only.*engine wasm/);
  });

  it("leaves an engine open that it was given, and closes its own", async () => {
    await using engine = await openEngine("reference");
    await fit(batch, { engine });
    await fit(batch, { engine });
    await expect(fit(batch, { engine: "reference" })).resolves.toBeDefined();
  });

  it("agrees with the reference on any ragged batch", async () => {
    await using wasm = await openEngine("wasm", { threads: 2 });
    const sizes = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 12 });
    const cases = fc.record({
      seed: fc.nat(),
      dims: fc.integer({ min: 1, max: 10 }),
      sizes,
      weighted: fc.boolean(),
      dtype: fc.constantFrom("float64" as const, "float32" as const),
    });
    const property = fc.asyncProperty(cases, async ({ seed, ...options }) => {
      const source = gaussianBatch(new Random(seed), options);
      expectFits(await fit(source, { engine: wasm }), await fit(source, { engine: "reference" }));
    });
    await fc.assert(property, { numRuns: 60, seed: 1 });
  });

  it("is honest about every method on any batch", async () => {
    await using wasm = await openEngine("wasm", { threads: 2 });
    const cases = fc.record({
      seed: fc.nat(),
      dims: fc.integer({ min: 1, max: 9 }),
      condition: fc.constantFrom(1, 1e2, 1e6, 1e10),
      offset: fc.constantFrom(0, 1, 1e8),
      method: fc.constantFrom("newton", "lbfgs", "cg", "bb", "gradient-descent", "momentum"),
      precision: fc.constantFrom("float64", "float32"),
      maxIterations: fc.integer({ min: 0, max: 200 }),
    });
    const property = fc.asyncProperty(cases, async ({ seed, method, precision, maxIterations, ...of }) => {
      const source = gaussianBatch(new Random(seed), { ...of, sizes: [0, of.dims, 40, 60] });
      const options = { engine: wasm, method, precision, maxIterations } as FitOptions;
      const fits = await fit(source, options);
      expectHonest(fits, maxIterations);
      fits.status.forEach((status, g) => {
        const has = status === "converged" || status === "max-iterations";
        if (status !== "stalled") expect(Number.isFinite(fits.logLikelihood[g]), status).toBe(has);
        else expect(Number.isNaN(fits.logLikelihood[g])).toBe(Number.isNaN(fits.residual[g]));
        expect(fits.describe(g)).toMatch(/^\S.*\S$/);
      });
    });
    await fc.assert(property, { numRuns: 150, seed: 1 });
  });
});

describe("Parameters", () => {
  it("takes one set for every group", () => {
    const all = Parameters.from({ mean: [1, 2], factor: [1, 2, 3, 4] }, { groups: 2, dims: 2 });
    expect([...all.mean]).toEqual([1, 2, 1, 2]);
    expect([...all.factor]).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
  });

  it.each<[Parameters["mean"], number, string]>([
    [new Float64Array(3), 2, "Parameters.from: mean must have length 4 (2 groups of 2, or 2 for all), got 3"],
    [
      Float64Array.of(0, Infinity),
      2,
      "Parameters.from: mean must be finite numbers, got Infinity at index 1",
    ],
    [new Float64Array(2), 0, "Parameters.from: dims must be a whole number of at least 1, got 0"],
  ])("refuses wrong values: %#", (mean, dims, message) => {
    const call = () => Parameters.from({ mean, factor: new Float64Array(4) }, { groups: 2, dims });
    expect(call).toThrow(new InputError(message));
  });
});

describe("statistics of the wrong kind", () => {
  it("with a negative diagonal, as subtraction may leave, are singular, not an error", async () => {
    const source = Statistics.from({
      ...Statistics.empty(1, 2),
      count: Float64Array.of(9),
      weight: Float64Array.of(9),
      mean: new Float64Array(2),
      scatter: Float64Array.of(1, 0, 0, -1e-20),
    });
    for (const engine of ["reference", "wasm"] as const) {
      expect((await fit(source, { engine })).status).toEqual(["singular"]);
    }
  });
});
