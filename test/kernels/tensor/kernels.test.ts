import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import {
  dJ1dFactor,
  dJ2dFactorOfScatter,
  inverseCovariance,
} from "../../../src/engines/reference/equations.js";
import * as reference from "../../../src/engines/reference/matrix.js";
import { type Tensor, TensorBackend } from "../../../src/engines/tensorflow/backend.js";
import { registerFloat64 } from "../../../src/engines/tensorflow/float64/backend.js";
import { cholesky } from "../../../src/engines/tensorflow/kernels/cholesky.js";
import { gradient } from "../../../src/engines/tensorflow/kernels/gradient.js";
import { lowerFactor } from "../../../src/engines/tensorflow/kernels/lq.js";
import { inverseOfLower } from "../../../src/engines/tensorflow/kernels/triangular.js";
import { openBackends } from "../../../src/engines/tensorflow/load.js";
import { expectClose, expectSameBits, norm } from "../../support/close.js";
import { generalFactor } from "../../support/gaussians.js";
import { matrixOf } from "../../support/matrices.js";
import { Random } from "../../support/random.js";

const DIMENSIONS = [1, 2, 3, 8, 9, 17];
const GROUPS = 5;
const CONDITION = 100;

/** A factorisation of a matrix of condition 100 in this arithmetic, d ≤ 17: its unit, times the condition, times a few. */
const toleranceOf = (on: TensorBackend): number => 8 * CONDITION * on.unit;

/** The same backend without factorisations of its own: what is unrolled is then what runs. */
class Unrolled extends TensorBackend {
  override has(): boolean {
    return false;
  }
}

const backends = new Map<string, TensorBackend>();
const names = ["float64", "float64, unrolled", "cpu"];
// TensorFlow's own operations, where the addon is there (scripts/test-tensorflow.mjs).
const native = await openBackends(["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"]).catch(
  () => undefined,
);
if (native) names.push("TensorFlow, float64", "TensorFlow, float32");
beforeAll(() => {
  const float64 = registerFloat64(tf);
  backends.set("float64", new TensorBackend(tf, float64, "float64"));
  backends.set("float64, unrolled", new Unrolled(tf, float64, "float64"));
  backends.set("cpu", new TensorBackend(tf, "cpu", "float32"));
  if (!native) return;
  backends.set("TensorFlow, float64", native.float64);
  backends.set("TensorFlow, float32", native.float32);
});

function compute(on: TensorBackend, work: () => Tensor): Float64Array {
  let values = new Float64Array();
  on.scope(() => {
    values = Float64Array.from(on.read(work()));
    return [];
  });
  return values;
}

describe.each(names)("on %s", (name) => {
  const matrices = (d: number, make: (random: Random) => Float64Array) => {
    const random = new Random(d);
    const all = new Float64Array(GROUPS * d * d);
    for (let g = 0; g < GROUPS; g++) all.set(make(random), g * d * d);
    return all;
  };
  const factors = (d: number) => matrices(d, (random) => generalFactor(random, d, CONDITION));
  const each = (d: number, check: (g: number) => void) => {
    for (let g = 0; g < GROUPS; g++) check(g);
    return d;
  };

  it.each(DIMENSIONS)("cholesky gives A = LLᵀ (d = %i)", (d) => {
    const on = backends.get(name) as TensorBackend;
    const shape = [GROUPS, d, d];
    const factor = factors(d);
    const A = matrices(d, () => new Float64Array(d * d));
    each(d, (g) => {
      const own = matrixOf(factor, g, d);
      A.set(reference.multiply(own, reference.transpose(own, d), d), g * d * d);
    });
    const lower = compute(on, () => cholesky(on, on.tensor(A, shape)));
    each(d, (g) => {
      const want = reference.cholesky(matrixOf(A, g, d), d) as Float64Array;
      expectClose(matrixOf(lower, g, d), want, toleranceOf(on) * norm(want), `L of group ${g}`);
    });
  });

  it.each(DIMENSIONS)("lowerFactor gives the L of ΛΛᵀ, and inverseOfLower its inverse (d = %i)", (d) => {
    const on = backends.get(name) as TensorBackend;
    const factor = factors(d);
    const lower = compute(on, () => lowerFactor(on, on.tensor(factor, [GROUPS, d, d])));
    const inverse = compute(on, () => inverseOfLower(on, on.tensor(lower, [GROUPS, d, d])));
    each(d, (g) => {
      const want = reference.triangularise(matrixOf(factor, g, d), d);
      expectClose(matrixOf(lower, g, d), want, toleranceOf(on) * norm(want), `L of group ${g}`);
      const whole = reference.invert(matrixOf(lower, g, d), d)?.inverse as Float64Array;
      expectClose(matrixOf(inverse, g, d), whole, toleranceOf(on) * norm(whole), `L⁻¹ of group ${g}`);
    });
  });

  it.each(DIMENSIONS)("gradient gives (7) and (14) as they are printed (d = %i)", (d) => {
    const on = backends.get(name) as TensorBackend;
    const random = new Random(50 + d);
    const factor = factors(d);
    const scatter = matrices(d, () => {
      const root = generalFactor(random, d, 10);
      return reference.multiply(root, reference.transpose(root, d), d);
    });
    const deviation = random.normals(GROUPS * d);
    const of = (field: "dJ1dFactor" | "dJ2dFactor" | "dJ2dMean") =>
      compute(
        on,
        () =>
          gradient(
            on,
            on.tensor(factor, [GROUPS, d, d]),
            on.tensor(deviation, [GROUPS, 1, d]),
            on.tensor(scatter, [GROUPS, d, d]),
          )[field],
      );
    const [seven, nine, fourteen] = [of("dJ1dFactor"), of("dJ2dMean"), of("dJ2dFactor")];
    each(d, (g) => {
      const own = matrixOf(factor, g, d);
      const { inverse } = reference.invert(own, d) as reference.Inverse;
      const S = inverseCovariance(inverse, d);
      const close = (got: Float64Array, want: Float64Array, what: string) =>
        expectClose(got, want, toleranceOf(on) * norm(want), `${what} of group ${g}`);
      close(matrixOf(seven, g, d), dJ1dFactor(1, S, own, d), "(7)");
      const want = dJ2dFactorOfScatter(matrixOf(scatter, g, d), S, own, d);
      close(matrixOf(fourteen, g, d), want, "(14)");
      const mean = reference.apply(S, deviation.subarray(g * d, (g + 1) * d), d).map((value) => -2 * value);
      close(nine.subarray(g * d, (g + 1) * d), mean, "(9)");
    });
  });

  it("a matrix that is not positive definite is NaN, and changes no bit of the others", () => {
    const on = backends.get(name) as TensorBackend;
    const good = [4, 2, 2, 3];
    const run = (second: number[]) =>
      compute(on, () => cholesky(on, on.tensor(Float64Array.of(...good, ...second, ...good), [3, 2, 2])));
    const [with_, without] = [run([1, 2, 2, 1]), run([5, 1, 1, 7])];
    expect(with_[7]).toBeNaN();
    expect(with_[5]).toBe(0); // above the diagonal, where TensorFlow leaves what was in memory
    for (const g of [0, 2]) expectSameBits(matrixOf(with_, g, 2), matrixOf(without, g, 2), `group ${g}`);
  });
});
