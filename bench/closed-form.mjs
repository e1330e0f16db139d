// Closed-form fits against NumPy, PyTorch and JAX: same data, same run, interleaved, results compared before they are timed.
//
//     node bench/closed-form.mjs [--python python3] [--threads 2] [--runs 7]
//
// Prints medians in milliseconds and the ratio of the best centred peer to mvnfit, for rows that lie in the engine's memory
// (`own`), on a SharedArrayBuffer (`shared`) and in a plain array (`plain`).
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { Batch, fit, openEngine } from "../dist/index.js";

const SHAPES = [
  [100000, 50, 3],
  [10000, 500, 4],
  [10000, 200, 8],
  [5000, 400, 16],
  [2000, 500, 32],
  [500, 1000, 64],
];
const AGREEMENT = 1e-9; // relative, of log-likelihoods: the peers' uncentred form is not held to it

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    threads: { type: "string", default: String(availableParallelism()) },
    runs: { type: "string", default: "7" },
  },
});
const threads = Number(values.threads);
const runs = Number(values.runs);

function startPeers() {
  const child = spawn(values.python, [new URL("peers/closed_form.py", import.meta.url).pathname], {
    env: { ...process.env, PEER_THREADS: String(threads) },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return JSON.parse((await lines.next()).value);
    },
    close: () => child.stdin.end(),
  };
}

/** Seeded rows around a mean of 3, correlated through a shared term. */
function seededRows(length) {
  let state = 12345;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const x = new Float64Array(length);
  for (let i = 0; i < length; i++) x[i] = 3 + next() + next() + next() - next();
  return x;
}

const median = (times) => times.toSorted((a, b) => a - b)[times.length >> 1];

async function timed(work) {
  const start = performance.now();
  const result = await work();
  return { ms: performance.now() - start, result };
}

async function benchShape(engine, peers, folder, [groups, rows, dims]) {
  const x = seededRows(groups * rows * dims);
  const path = join(folder, "rows.f64");
  writeFileSync(path, x);
  const { peers: names } = await peers.ask({ op: "load", path, groups, rows, dims });
  rmSync(path);

  const offsets = Float64Array.from({ length: groups + 1 }, (_, g) => g * rows);
  const own = engine.allocate({ offsets, dims });
  own.x.set(x);
  const shared = new Float64Array(new SharedArrayBuffer(x.byteLength));
  shared.set(x);
  const batches = {
    own,
    shared: Batch.fromDense(shared, { groups, rows, dims }),
    plain: Batch.fromDense(x, { groups, rows, dims }),
  };

  const times = {};
  const record = (name, ms) => {
    times[name] ??= [];
    times[name].push(ms);
  };
  for (let run = -2; run < runs; run++) {
    const ours = {};
    for (const [name, batch] of Object.entries(batches)) {
      const { ms, result } = await timed(() => fit(batch, { engine }));
      ours[name] = result.logLikelihood;
      if (run >= 0) record(name, ms);
    }
    for (const name of names) {
      const { ms, logLikelihood } = await peers.ask({ op: "run", peer: name });
      if (run >= 0) record(name, ms);
      if (run > -2 || name === "torch-uncentred") continue;
      for (const mine of Object.values(ours)) {
        const error = Math.abs(mine[0] - logLikelihood[0]) / Math.abs(mine[0]);
        if (!(error < AGREEMENT)) throw new Error(`${name} disagrees at ${groups}×${rows}×${dims}: ${error}`);
      }
    }
  }
  own.release();
  const medians = Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)]));
  const best = Math.min(...["numpy", "torch", "jax"].flatMap((name) => medians[name] ?? []));
  return { groups, rows, dims, medians, best };
}

const folder = mkdtempSync(join(tmpdir(), "mvnfit-bench-"));
const engine = await openEngine("wasm", { threads });
const peers = startPeers();
try {
  console.log(`${engine.device}; peers with ${threads} threads; medians of ${runs} runs, ms`);
  const table = {};
  for (const shape of SHAPES) {
    const { groups, rows, dims, medians, best } = await benchShape(engine, peers, folder, shape);
    const row = Object.fromEntries(
      Object.entries(medians).map(([name, ms]) => [name, Number(ms.toFixed(1))]),
    );
    for (const name of ["own", "shared", "plain"])
      row[`best/${name}`] = Number((best / medians[name]).toFixed(1));
    table[`${groups}×${rows}×${dims}`] = row;
  }
  console.table(table);
} finally {
  peers.close();
  await engine.close();
  rmSync(folder, { recursive: true });
}
