import { describe, expect, it } from "vitest";
import { multiply, transpose } from "../../src/engines/reference/matrix.js";
import { type FitOptions, fit } from "../../src/fit.js";
import { Statistics } from "../../src/statistics.js";
import { expectSameBits } from "../support/close.js";
import { gaussianBatch, generalFactor, generalParameters } from "../support/gaussians.js";
import { expectScatter, matrixOf } from "../support/matrices.js";
import { Random } from "../support/random.js";
import { expectHonest, FAST, SLOW } from "./methods.js";
import type { Subject } from "./subject.js";

/** The default tolerance of float32. Rounding R to float32 costs about 6e-8·tr R⁻¹ of it: it is short of κ(S) = 1e4 or so. */
const TOLERANCE = 1e-4;

/**
 * Statistics of one group for each condition number of its covariance. Exact, where rows would lose digits before the solver sees
 * them.
 */
function groupsOf(random: Random, d: number, conditions: readonly number[]): Statistics {
  const n = 20 * d;
  const scatter = conditions.flatMap((condition) => {
    const factor = generalFactor(random, d, condition);
    return Array.from(multiply(factor, transpose(factor, d), d), (entry) => n * entry);
  });
  const groups = conditions.length;
  const count = new Float64Array(groups).fill(n);
  const mean = random.normals(groups * d);
  return Statistics.from({
    dims: d,
    groups,
    count,
    weight: count.slice(),
    mean,
    scatter: Float64Array.from(scatter),
    dtype: "float64",
  });
}

export function float32Conformance(subject: Subject): void {
  const run = (source: Parameters<typeof fit>[0], options: FitOptions) =>
    fit(source, { engine: subject.engine, precision: "float32", ...options });

  describe.runIf(subject.precisions.includes("float32"))("fit in float32", () => {
    it.each([...FAST, ...SLOW])("reaches its tolerance with %s", async (method) => {
      for (const d of [1, 2, 4, 5, 8, 9]) {
        const random = new Random(950 + d);
        const batch = gaussianBatch(random, { dims: d, sizes: [60, 90], condition: 10, dtype: "float32" });
        const got = await run(batch, { method, maxIterations: 5000 });
        expectHonest(got, 5000);
        expect(got.counts, `${method}, d = ${d}`).toEqual({ converged: 2 });
        const best = await run(batch, { precision: "float64" });
        for (const g of [0, 1]) {
          const want = matrixOf(best.covariance, g, d);
          expectScatter(matrixOf(got.covariance, g, d), want, d, 1e-3, "covariance");
        }
      }
    });

    const sideBySide = [
      ["closed-form", [3, 1e5, 30, 1e9, 1e2, 1e3, 1e7]],
      ["newton", [3, 1e5, 30, 1e9, 1e2, 1e3, 1e7]],
      ["lbfgs", [3, 1e5, 30, 1e4, 1e2, 1e3, 10]],
      ["cg", [3, 1e5, 30, 1e2, 1e3]],
      ["bb", [3, 1e4, 30, 1e2, 1e3]],
      // Where it restarts hangs on roundings: at 1e4 it takes a few hundred iterations or more than 5000.
      ["momentum", [3, 3e3, 30, 1e2]],
    ] as const;
    it.each(sideBySide)(
      "also reaches it where groups are too ill-conditioned for float32, with %s",
      async (method, conditions) => {
        const dimensions = subject.large === true ? [2, 3, 5, 9, 33] : [2, 3, 5, 9];
        const gradient = method !== "closed-form" && method !== "newton";
        for (const d of dimensions.slice(0, gradient ? 3 : undefined)) {
          const statistics = groupsOf(new Random(960 + d), d, conditions);
          const budget = { tolerance: TOLERANCE, maxIterations: 5000 };
          const got = await run(statistics, { method, ...budget });
          expectHonest(got, 5000);
          expect(got.counts, `${method}, d = ${d}`).toEqual({ converged: conditions.length });
          const best = await run(statistics, { precision: "float64" });
          for (let g = 0; g < conditions.length; g++) {
            const want = matrixOf(best.covariance, g, d);
            expectScatter(matrixOf(got.covariance, g, d), want, d, 2 * TOLERANCE, `covariance of group ${g}`);
            expect(got.residual[g], `group ${g}`).toBeLessThanOrEqual(TOLERANCE);
          }
        }
      },
    );

    it("ends such groups as float64 does where the budget does not suffice", async () => {
      const statistics = groupsOf(new Random(970), 4, [10, 1e7, 3]);
      const budget = { method: "gradient-descent", tolerance: TOLERANCE, maxIterations: 500 } as const;
      const [single, double] = [
        await run(statistics, budget),
        await run(statistics, { ...budget, precision: "float64" }),
      ];
      expect(single.status).toEqual(["converged", "max-iterations", "converged"]);
      expect(double.status).toEqual(single.status);
      expect(single.iterations[1]).toBe(500);
    });

    it("says stalled where float64 stalls too: from a singular Λ", async () => {
      const statistics = groupsOf(new Random(975), 2, [10, 1e7, 10]);
      const { mean } = statistics;
      const factor = [1, 0, 2, 0, 1, 0, 2, 0, 1, 0, 3, 1];
      for (const method of ["newton", "lbfgs"] as const) {
        const got = await run(statistics, { method, init: { mean, factor } });
        expect(got.status).toEqual(["stalled", "stalled", "converged"]);
        expect(got.describe(0)).toMatch(/cannot start from the Λ that was given/);
      }
    });

    it("starts such groups where the caller says", async () => {
      const random = new Random(980);
      const statistics = groupsOf(random, 3, [10, 1e6, 3, 1e3]);
      const init = generalParameters(random, 4, 3, 10);
      for (const method of ["newton", "lbfgs"] as const) {
        const got = await run(statistics, { method, init, tolerance: TOLERANCE, maxIterations: 5000 });
        expect(got.counts).toEqual({ converged: 4 });
      }
    });

    it("of a group is the same alone as beside one that is too ill-conditioned", async () => {
      for (const d of [2, 4, 9]) {
        const conditions = [10, 1e8, 3, 1e5, 30];
        const all = groupsOf(new Random(990 + d), d, conditions);
        for (const method of ["newton", "lbfgs"] as const) {
          const budget = { method, tolerance: TOLERANCE, maxIterations: 5000 };
          const together = await run(all, budget);
          for (const g of conditions.keys()) {
            const alone = await run(only(all, g), budget);
            const what = `${method}, group ${g}`;
            expectSameBits(alone.factor, matrixOf(together.factor, g, d), what);
            expect(alone.iterations[0], what).toBe(together.iterations[g]);
          }
        }
      }
    });
  });
}

/** Group g alone. */
function only({ dims: d, count, weight, mean, scatter }: Statistics, g: number): Statistics {
  return Statistics.from({
    dims: d,
    groups: 1,
    count: count.slice(g, g + 1),
    weight: weight.slice(g, g + 1),
    mean: mean.slice(g * d, (g + 1) * d),
    scatter: matrixOf(scatter, g, d).slice(),
    dtype: "float64",
  });
}
