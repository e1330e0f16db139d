// The command from file to file: against scripts of pandas and polars that do the same, its start, its memory, and ten times the rows.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { timing } from "../../dist/bench/contender.js";
import { removeAtExit } from "../../dist/io/write/whole.js";
import { runProgram } from "./process.mjs";

const ROWS = 2_000_000;
const GROUPS = 10_000;
const DIMS = 8;
const RUNS = 7;
const HELP_RUNS = 9;

const GOALS = { help: 300, pandas: 5, polars: 2, memory: 2, growth: 11 };

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const script = (name) => fileURLToPath(new URL(`${name}.py`, import.meta.url));
const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;

export async function command({ python, threads, signal }) {
  const folder = mkdtempSync(join(tmpdir(), "mvnfit-goals-"));
  removeAtExit(folder);
  const file = (name) => join(folder, name);
  const run = (program, ...args) => runProgram(program, args, { threads, signal });
  const ours = (source, target) =>
    run(
      process.execPath,
      MAIN,
      "fit",
      source,
      "--group-by",
      "group",
      "--threads",
      String(threads),
      "-o",
      target,
      "--quiet",
    );
  const lines = [];
  const measured = {};
  try {
    const help = [];
    for (let i = 0; i < HELP_RUNS; i++) help.push((await run(process.execPath, MAIN, "--help")).ms);
    measured.help = timing(help);
    lines.push({
      what: "mvnfit --help",
      goal: "start",
      most: GOALS.help,
      got: measured.help.median,
      unit: "ms",
    });

    const sources = [file("rows.parquet"), file("rows.csv")];
    await run(python, script("make_rows"), String(ROWS), String(GROUPS), String(DIMS), ...sources);
    let peak = 0;
    for (const source of sources) {
      const kind = source.split(".").at(-1);
      const times = { mvnfit: [], pandas: [], polars: [] };
      for (let i = 0; i < RUNS; i++) {
        const own = await ours(source, file("mvnfit.parquet"));
        peak = Math.max(peak, own.peak);
        times.mvnfit.push(own.ms);
        for (const name of ["pandas", "polars"]) {
          times[name].push((await run(python, script(`${name}_fit`), source, file(`${name}.parquet`))).ms);
          if (i === 0) await run(python, script("compare"), file("mvnfit.parquet"), file(`${name}.parquet`));
        }
      }
      const medians = Object.fromEntries(
        Object.entries(times).map(([name, runs]) => [name, timing(runs).median]),
      );
      measured[kind] = times;
      for (const name of ["pandas", "polars"])
        lines.push({
          what: `fit ${ROWS / 1e6} M rows, ${GROUPS} groups, d ${DIMS}, from ${kind}`,
          goal: `the ${name} script`,
          least: GOALS[name],
          got: medians[name] / medians.mvnfit,
          note: `${name} ${(medians[name] / 1e3).toFixed(2)} s, mvnfit ${(medians.mvnfit / 1e3).toFixed(2)} s`,
        });
      if (kind === "parquet") measured.small = { ms: medians.mvnfit };
    }
    const numbers = ROWS * DIMS * 8;
    lines.push({
      what: "its peak memory",
      goal: "over the size of the numbers",
      most: GOALS.memory,
      got: peak === 0 ? null : peak / numbers,
      note: `${megabytes(peak)} for ${megabytes(numbers)}`,
    });
    rmSync(file("rows.csv"));

    await run(
      python,
      script("make_rows"),
      String(10 * ROWS),
      String(GROUPS),
      String(DIMS),
      file("large.parquet"),
    );
    const large = await ours(file("large.parquet"), file("large-fits.parquet"));
    measured.large = large;
    lines.push(
      {
        what: `fit ${(10 * ROWS) / 1e6} M rows from parquet`,
        goal: "10 × the rows, time",
        most: GOALS.growth,
        got: large.ms / measured.small.ms,
        note: `${(large.ms / 1e3).toFixed(1)} s`,
      },
      {
        what: "its peak memory",
        goal: "over the size of the numbers",
        most: GOALS.memory,
        got: large.peak === 0 ? null : large.peak / (10 * numbers),
        note: `${megabytes(large.peak)} for ${megabytes(10 * numbers)}`,
      },
    );
    return { lines, measured };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
