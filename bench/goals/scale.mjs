// Ten times the rows, or ten times the groups, cost at most eleven times the time.
import { bench } from "../../dist/bench.js";

const STEPS = [
  { goal: "10 × the rows of each group", shapes: ["2000x100x8", "2000x1000x8"] },
  { goal: "10 × the groups", shapes: ["2000x100x8", "20000x100x8"] },
];

const MOST = 11;

export async function scale({ engine, threads, runs, signal, note }) {
  const lines = [];
  const measured = [];
  for (const { goal, shapes } of STEPS) {
    const { cases } = await bench({
      engines: [engine],
      shapes,
      rowsIn: ["engine"],
      threads,
      runs,
      signal,
      onNote: note,
    });
    measured.push(...cases);
    const [small, large] = cases.map(({ entries }) => entries[0].total?.median);
    const note_ = `${small?.toFixed(1)} ms, ${large?.toFixed(1)} ms`;
    lines.push({
      what: shapes.join(", "),
      goal,
      most: MOST,
      got: small && large ? large / small : null,
      note: note_,
    });
  }
  return { lines, measured };
}
