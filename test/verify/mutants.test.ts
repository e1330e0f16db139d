import { describe, expect, it } from "vitest";
import { multiply, transpose } from "../../src/engines/reference/matrix.js";
import type { Equation } from "../../src/gradients.js";
import { simulate } from "../../src/simulate.js";
import type { Partner, Verification } from "../../src/verification.js";
import { verify } from "../../src/verify.js";
import { engineOf, type GroupAt, type GroupGradients } from "./engine-of.js";
import { type Fault, gradientsWith, identity, lowerTriangle } from "./formula.js";

const PARTNERS: readonly Partner[] = ["autograd", "finite-difference", "reference"];

/** Wrong formulas, and the equations that they get wrong; each does so in group 7 alone. */
const MUTANTS: readonly [title: string, fault: Fault, equations: readonly Equation[]][] = [
  ["(7) without its 2", { two: 1 }, ["7", "J"]],
  ["(9) with the sign flipped", { sign: 1 }, ["9", "J"]],
  ["(14) without the right-hand Λ", { rightFactor: identity }, ["14", "J"]],
  [
    "S⁻¹ as the S⁻¹ᵀ of a wrong S that is not symmetric",
    { covariance: (factor, d) => multiply(factor, factor, d), inverse: transpose },
    ["7", "9", "14", "J"],
  ],
  ["Λ taken as triangular", { factor: lowerTriangle }, ["7", "9", "14", "J"]],
  ["Λᵀ for Λ", { factor: transpose }, ["7", "9", "14", "J"]],
];

const FAULTY = 7;
const { batch } = simulate({ groups: 20, rows: [10, 30], dims: 3, condition: 100 });

const failing = ({ checks }: Verification, against: Partner): Equation[] =>
  checks.filter((check) => check.against === against && check.failed > 0).map(({ equation }) => equation);

describe("verify on wrong gradients", () => {
  it("finds nothing wrong with the formulas as printed", async () => {
    const verification = await verify(batch, { engine: engineOf((group) => gradientsWith({}, group)) });
    expect(verification.passed).toBe(true);
    expect(verification.checks).toHaveLength(12);
    for (const check of verification.checks) expect(check).toMatchObject({ groups: 20, failed: 0 });
  });

  it.each(MUTANTS)("catches %s, by every partner", async (_, fault, equations) => {
    const mutant = (group: GroupAt) => gradientsWith(group.g === FAULTY ? fault : {}, group);
    const verification = await verify(batch, { engine: engineOf(mutant), at: "random" });
    expect(verification.passed).toBe(false);
    for (const partner of PARTNERS) expect(failing(verification, partner), partner).toEqual(equations);
    for (const check of verification.checks.filter(({ failed }) => failed > 0)) {
      expect(check.failed).toBe(1);
      expect(check.worst?.group).toBe(FAULTY);
      expect(check.worst?.error).toBeGreaterThan(1e-3);
    }
  });

  it("catches a sign that only shows away from the optimum, at both places together", async () => {
    const engine = engineOf((group) => gradientsWith({ sign: 1 }, group));
    expect((await verify(batch, { engine, at: "optimum" })).passed).toBe(true);
    expect((await verify(batch, { engine })).passed).toBe(false);
  });

  it("takes a Λ at the optimum that is not triangular either", async () => {
    const engine = engineOf((group) => gradientsWith({ factor: lowerTriangle }, group));
    expect((await verify(batch, { engine, at: "optimum" })).passed).toBe(false);
  });

  const ENTRIES: readonly [Equation, keyof GroupGradients, number, readonly number[]][] = [
    ["7", "dJ1dFactor", 2, [0, 2]],
    ["9", "dJ2dMean", 1, [1]],
    ["14", "dJ2dFactor", 6, [2, 0]],
  ];

  it.each(ENTRIES)("finds a fault of 1e-8 of a single entry of (%s) among 1000 groups", async (...row) => {
    const [equation, field, index, entry] = row;
    const sweep = simulate({ groups: 1000, rows: [5, 20], dims: 3, condition: 10 });
    const engine = engineOf((group) => {
      const gradients = gradientsWith({}, group);
      if (group.g === 613) gradients[field][index] *= 1 + 1e-8;
      return gradients;
    });
    const partners = ["autograd", "reference"] as const;
    const { checks } = await verify(sweep.batch, { engine, against: partners, at: "random", condition: 10 });
    for (const check of checks) {
      const isHit = check.equation === equation || check.equation === "J";
      expect(check.failed, `${check.equation} ${check.against}`).toBe(isHit ? 1 : 0);
      if (isHit) expect(check.worst).toMatchObject({ group: 613, at: "random", entry });
    }
  });
});
