// Against 50-digit arithmetic: the golden values of test/golden (mpmath), rows near the origin and at 1e8.
import { readFileSync } from "node:fs";
import { Batch, evaluate, openEngine } from "../../dist/index.js";

/** Relative to √n times the size of the value. */
const MOMENTS = 1e-14;
/** Relative to the size of the term, for condition ≤ 1e3. */
const GRADIENTS = 1e-13;

/** The rounding unit of float64. */
const UNIT = 2 ** -53;

const GRADIENT_NAMES = [
  ["dJ1dFactor", "(7)"],
  ["dJ2dMean", "(9)"],
  ["dJ2dFactor", "(14)"],
];

const norm = (values) => Math.hypot(...values);
const difference = (a, b) => norm(a.map((value, i) => value - b[i]));

export async function accuracy({ engine: name }) {
  const cases = JSON.parse(readFileSync(new URL("../../test/golden/cases.json", import.meta.url), "utf8"));
  const engine = await openEngine(name);
  const lines = [];
  for (const golden of cases) {
    const { name, dims: d, offsets, weights, dtype, at, groups } = golden;
    const x = dtype === "float32" ? Float32Array.from(golden.x) : Float64Array.from(golden.x);
    const batch = Batch.fromOffsets(x, offsets, weights ? { dims: d, weights } : { dims: d });
    const session = await engine.open(batch);
    const statistics = await session.statistics();
    await session.close();
    const evaluation = await evaluate(batch, at, { engine });
    const worst = { moments: 0, "(7)": 0, "(9)": 0, "(14)": 0 };
    groups.forEach((group, g) => {
      if (group.count === 0) return;
      const part = (values, size) => [...values.subarray(g * size, (g + 1) * size)];
      const mean = difference(part(statistics.mean, d), group.mean) / norm(group.mean);
      const size = norm(group.scatter);
      const scatter = size === 0 ? 0 : difference(part(statistics.scatter, d * d), group.scatter) / size;
      worst.moments = Math.max(worst.moments, Math.max(mean, scatter) / Math.sqrt(group.count));
      const { equations, weight } = group;
      // What the rounding of x̄ itself, to a float64 of its size, changes in (9), and through it in (14).
      const rounding = UNIT * norm(group.mean) * equations.dJ2dMeanSlope;
      const own = at.mean.slice(g * d, (g + 1) * d);
      const reach = (rounding * difference(own, group.mean) * norm(equations.dJ1dFactor)) / weight;
      const scales = {
        dJ1dFactor: norm(equations.dJ1dFactor),
        // (9) cancels: the size of its terms stands for its own.
        dJ2dMean: equations.dJ2dMeanScale + rounding / GRADIENTS,
        dJ2dFactor: norm(equations.dJ2dFactor) + reach / GRADIENTS,
      };
      for (const [key, equation] of GRADIENT_NAMES) {
        const exact = equations[key];
        const error = difference(part(evaluation[key], exact.length), exact) / scales[key];
        worst[equation] = Math.max(worst[equation], error);
      }
    });
    const gradients = Math.max(...GRADIENT_NAMES.map(([, equation]) => worst[equation]));
    lines.push(
      { what: name, goal: "moments, over √n", most: MOMENTS, got: worst.moments, unit: "" },
      { what: name, goal: "gradients (7), (9), (14)", most: GRADIENTS, got: gradients, unit: "" },
    );
  }
  await engine.close();
  return { lines, measured: null };
}
