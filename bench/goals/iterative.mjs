// Iterative fits on the statistics, from the default start to r ≤ 1e-8, against L-BFGS in PyTorch and JAX.
import { bench } from "../../dist/bench.js";

/** optax's L-BFGS under vmap takes minutes for 10,000 groups: it runs on a tenth of them, and so does mvnfit beside it. */
const TASKS = [
  { shape: "10000x50x8", peer: "torch" },
  { shape: "1000x50x8", peer: "jax" },
];

/** Over L-BFGS of the peer. */
const GOALS = { lbfgs: 50, newton: 500 };

export async function iterative({ engine, threads, runs, python, signal, note }) {
  const lines = [];
  const measured = [];
  for (const { shape, peer } of TASKS) {
    const common = {
      shapes: [shape],
      engines: [engine],
      rowsIn: ["engine"],
      condition: 100,
      threads,
      runs,
      signal,
      onNote: note,
    };
    const [fitted] = (await bench({ ...common, methods: ["lbfgs"], against: [peer], python })).cases;
    const [newton] = (await bench({ ...common, methods: ["newton"] })).cases;
    measured.push(fitted, newton);
    const theirs = fitted.entries.find(({ kind }) => kind === "peer")?.total?.median ?? null;
    for (const [method, one] of Object.entries({ lbfgs: fitted, newton })) {
      const { solve, counts } = one.entries.find(({ kind }) => kind === "engine");
      const known = theirs !== null && solve !== null;
      lines.push({
        what: `${shape} ${method}`,
        goal: `L-BFGS of ${peer}`,
        least: GOALS[method],
        got: known ? theirs / solve.median : null,
        note: known
          ? `${peer} ${theirs.toFixed(0)} ms, mvnfit ${solve.median.toFixed(1)} ms; ${JSON.stringify(counts)}`
          : "",
      });
    }
  }
  return { lines, measured };
}
