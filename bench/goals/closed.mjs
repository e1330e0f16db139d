// The closed form, batched: against NumPy, PyTorch, JAX and Numba in float64 and float32, and groups of unequal size against
// loops and group-bys.
import { bench } from "../../dist/bench.js";

const SHAPES = ["standard", "wide"];
const BATCHED = ["numpy", "torch", "jax"];

/** The goals by d: over the best centred form from the engine's memory and from a plain array, and over a Numba kernel. */
const GOALS = [
  { dims: 4, own: 10, plain: 4, numba: 3 },
  { dims: 8, own: 6, plain: 4, numba: 2.5 },
  { dims: 16, own: 4, plain: 3, numba: 1.5 },
  { dims: 32, own: 3, plain: 2.5, numba: 1.5 },
  { dims: 64, own: 2.5, plain: 2 },
  { dims: 128, own: 2, plain: 2 },
];
/** Over the best uncentred form: twice as fast up to this d, ahead beyond it. */
const UNCENTRED = { dims: 8, small: 2, large: 1 };

/** Of the one engine that was measured. */
const ownMedian = ({ entries }, rowsIn) =>
  entries.find(({ kind, form }) => kind === "engine" && form === rowsIn)?.total?.median;

const median = ({ entries }, name, form) =>
  entries.find((entry) => entry.name === name && entry.form === form)?.total?.median;

/** The quickest of some peers: its time and its name, or undefined where none was timed. */
function best(one, names, form) {
  const times = names.flatMap((name) => {
    const ms = median(one, name, form);
    return ms === undefined ? [] : [{ ms, name }];
  });
  return times.toSorted((a, b) => a.ms - b.ms)[0];
}

function line(one, goal, least, peer, rowsIn) {
  const own = ownMedian(one, rowsIn);
  const got = peer && own ? peer.ms / own : null;
  const note = peer && own ? `${peer.name} ${peer.ms.toFixed(1)} ms, mvnfit ${own.toFixed(1)} ms` : "";
  return { what: `${one.shape} ${one.precision}`, goal, least, got, note };
}

function linesOf(one) {
  const goal = GOALS.find(({ dims }) => one.dims <= dims);
  const lines = [
    line(one, "best centred, rows in the engine", goal.own, best(one, BATCHED, "centred"), "engine"),
    line(one, "best centred, plain array", goal.plain, best(one, BATCHED, "centred"), "plain"),
    line(
      one,
      "best uncentred, rows in the engine",
      one.dims <= UNCENTRED.dims ? UNCENTRED.small : UNCENTRED.large,
      best(one, BATCHED, "uncentred"),
      "engine",
    ),
  ];
  if (goal.numba)
    lines.push(line(one, "Numba kernel", goal.numba, best(one, ["numba"], "centred"), "engine"));
  return lines;
}

const run = ({ engine, threads, runs, python, signal, note }, more) =>
  bench({ engines: [engine], threads, runs, python, signal, onNote: note, ...more });

export async function closed(settings) {
  const against = [...BATCHED, "numba"];
  const result = await run(settings, { shapes: SHAPES, against, rowsIn: ["engine", "shared", "plain"] });
  return { lines: result.cases.flatMap(linesOf), measured: { result } };
}

export async function float32(settings) {
  const against = [...BATCHED, "numba"];
  const precisions = ["float32"];
  const rowsIn = ["engine", "plain"];
  const result = await run(settings, { shapes: SHAPES, precisions, against, rowsIn });
  return { lines: result.cases.flatMap(linesOf), measured: { result } };
}

export async function ragged(settings) {
  const against = ["sklearn", "duckdb", "polars", "numpy", "torch", "jax", "numba"];
  const result = await run(settings, { shapes: ["ragged"], against, rowsIn: ["engine", "plain"] });
  const lines = result.cases.flatMap((one) => [
    line(one, "a loop over scikit-learn", 50, best(one, ["sklearn"], "centred"), "engine"),
    line(one, "one group-by, DuckDB or polars", 5, best(one, ["duckdb", "polars"], "centred"), "engine"),
  ]);
  return { lines, measured: { result } };
}
