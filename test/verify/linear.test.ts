import { describe, expect, it } from "vitest";
import { multiply } from "../../src/engines/reference/matrix.js";
import { rootEigenvalues } from "../../src/simulate.js";
import { conditionOf, Elimination } from "../../src/verify/linear.js";
import { expectClose } from "../support/close.js";
import { generalFactor } from "../support/gaussians.js";
import { Random } from "../support/random.js";

describe("elimination", () => {
  it.each([1, 2, 3, 7, 16])("solves, inverts and gives the determinant (d = %i)", (d) => {
    const matrix = generalFactor(new Random(d), d, 100);
    const elimination = new Elimination(d);
    expect(elimination.factor(matrix)).toBe(true);
    const identity = Float64Array.from({ length: d * d }, (_, e) => (e % (d + 1) === 0 ? 1 : 0));
    expectClose(multiply(matrix, elimination.inverse(), d), identity, 1e-12);
    // The eigenvalues of S multiply to 1 by construction.
    expect(elimination.logAbsDeterminant).toBeCloseTo(0, 12);
  });

  it("says no to a singular matrix", () => {
    expect(new Elimination(2).factor(Float64Array.of(1, 2, 2, 4))).toBe(false);
    expect(new Elimination(2).factor(Float64Array.of(0, 0, 0, 1))).toBe(false);
    expect(new Elimination(1).factor(Float64Array.of(Number.NaN))).toBe(false);
  });
});

describe("the condition number", () => {
  it.each([
    [1, 1],
    [2, 10],
    [3, 1e3],
    [8, 1e6],
    [32, 1e12],
  ])("of Λ is √κ(S) (d = %i, κ = %d)", (d, condition) => {
    expect(conditionOf(generalFactor(new Random(d), d, condition), d) ** 2 / condition).toBeCloseTo(1, 4);
    expect(rootEigenvalues(d, condition)).toHaveLength(d);
  });

  it("of a singular matrix is infinite or beyond all use", () => {
    expect(conditionOf(Float64Array.of(1, 0, 0, 0), 2)).toBe(Infinity);
    expect(conditionOf(Float64Array.of(1, 2, 2, 4), 2)).toBeGreaterThan(1e15);
  });
});
