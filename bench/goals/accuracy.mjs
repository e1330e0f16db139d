// Against 50-digit arithmetic: the golden values of test/golden (mpmath), rows near the origin and at 1e8.
import { readFileSync } from "node:fs";
import { Batch, evaluate, openEngine } from "../../dist/index.js";

/** Relative to √n times the size of the value. */
const MOMENTS = 1e-14;
/** Relative to the size of the term, for condition ≤ 1e3. */
const GRADIENTS = 1e-13;

const GRADIENT_NAMES = [
  ["dJ1dFactor", "(7)"],
  ["dJ2dMean", "(9)"],
  ["dJ2dFactor", "(14)"],
];

const norm = (values) => Math.hypot(...values);
const difference = (a, b) => norm(a.map((value, i) => value - b[i]));

export async function accuracy() {
  const cases = JSON.parse(readFileSync(new URL("../../test/golden/cases.json", import.meta.url), "utf8"));
  const engine = await openEngine("wasm");
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
      for (const [key, equation] of GRADIENT_NAMES) {
        const exact = group.equations[key];
        // (9) cancels: its terms' size stands for its own.
        const scale = key === "dJ2dMean" ? group.equations.dJ2dMeanScale : norm(exact);
        const error = difference(part(evaluation[key], exact.length), exact) / scale;
        worst[equation] = Math.max(worst[equation], error);
      }
    });
    for (const [what, got] of Object.entries(worst)) {
      const moments = what === "moments";
      lines.push({
        what: name,
        goal: moments ? "moments, over √n" : `gradient ${what}`,
        most: moments ? MOMENTS : GRADIENTS,
        got,
        unit: "",
      });
    }
  }
  await engine.close();
  return { lines, measured: null };
}
