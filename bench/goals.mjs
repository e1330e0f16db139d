// Measures every goal for the CPU in one go and says which are reached: closed form, bandwidth, float32, groups of unequal size, iterative fits, the
// command from file to file, scale and accuracy. Needs a clone with `npm ci` done, and for what is compared a Python with
// bench/peers/requirements.txt.
//
//     node bench/goals.mjs --python .venv/bin/python [--only closed,command] [--engine native] [--fresh] [--folder build/goals] [--threads 2]
//
// Each section's result is kept in the folder when it is complete, with what was measured; a second call goes on with the sections
// that are missing (--fresh: with all). Takes about a quarter of an hour on two quiet cores.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { commit, machine, ownVersions } from "../dist/bench/machine.js";
import { accuracy } from "./goals/accuracy.mjs";
import { bandwidth } from "./goals/bandwidth.mjs";
import { closed, float32, ragged } from "./goals/closed.mjs";
import { command } from "./goals/command.mjs";
import { iterative } from "./goals/iterative.mjs";
import { scale } from "./goals/scale.mjs";

const SECTIONS = { closed, bandwidth, float32, ragged, iterative, command, scale, accuracy };

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    only: { type: "string", default: Object.keys(SECTIONS).join(",") },
    fresh: { type: "boolean", default: false },
    folder: { type: "string", default: "build/goals" },
    threads: { type: "string", default: String(availableParallelism()) },
    runs: { type: "string", default: "7" },
    engine: { type: "string", default: "native" },
  },
});
const chosen = values.only.split(",");
for (const name of chosen)
  if (!Object.hasOwn(SECTIONS, name))
    throw new Error(`--only must name some of ${Object.keys(SECTIONS).join(", ")}, got "${name}"`);

const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort(new Error("interrupted")));

const settings = {
  python: values.python,
  threads: Number(values.threads),
  runs: Number(values.runs),
  engine: values.engine,
  signal: interrupt.signal,
  note: (text) => console.error(text),
};

mkdirSync(values.folder, { recursive: true });

/** A section's lines, measured now or kept from an earlier call. */
async function linesOf(name) {
  const file = join(values.folder, `${name}.json`);
  if (!values.fresh && existsSync(file)) return JSON.parse(readFileSync(file, "utf8")).lines;
  console.error(`${name} …`);
  const start = performance.now();
  const { lines, measured } = await SECTIONS[name](settings);
  const seconds = Math.round((performance.now() - start) / 1000);
  console.error(`${name}: ${seconds} s`);
  const origin = {
    date: new Date().toISOString(),
    commit: commit(),
    machine: machine(),
    versions: ownVersions(),
  };
  writeFileSync(`${file}.tmp`, `${JSON.stringify({ ...origin, seconds, lines, measured }, null, 2)}\n`);
  renameSync(`${file}.tmp`, file);
  return lines;
}

const digits = (value) => (value === null ? "–" : String(Number(value.toPrecision(3))));

function print(lines) {
  const cells = lines.map(({ what, goal, least, most, got, unit = "×", note = "" }) => {
    const bound = least === undefined ? `≤ ${digits(most)}` : `≥ ${digits(least)}`;
    const reached =
      got === null ? "not measured" : (least === undefined ? got <= most : got >= least) ? "yes" : "NO";
    return [what, goal, `${bound} ${unit}`, `${digits(got)} ${unit}`, reached, note];
  });
  const table = [["what", "goal", "bound", "measured", "reached", ""], ...cells];
  const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
  for (const row of table)
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join("  ")
        .trimEnd(),
    );
}

const lines = [];
for (const name of chosen) {
  interrupt.signal.throwIfAborted();
  try {
    lines.push(...(await linesOf(name)));
  } catch (error) {
    // The other sections go on; a second call comes back to this one.
    interrupt.signal.throwIfAborted();
    console.error(`${name}: ${error.stack}`);
    process.exitCode = 1;
  }
}
print(lines);
