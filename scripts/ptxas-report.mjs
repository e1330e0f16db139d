// What ptxas makes of the CUDA kernels: registers, spills, how many warps fit on a multiprocessor, and how long the compiler takes.
//
//     node scripts/ptxas-report.mjs [--arch sm_75,sm_90] [--markdown]
//
// Reads dist (npm run build) and needs ptxas, not a GPU. Ends with 1 where a kernel, or a function that it calls, spills registers to memory.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { Kernels } from "../dist/engines/cuda/kernels.js";
import { together } from "./together.mjs";

const run = promisify(execFile);
const { values: options } = parseArgs({
  options: {
    arch: { type: "string", default: "sm_75,sm_90" },
    markdown: { type: "boolean", default: false },
  },
});

/** Per multiprocessor: 65,536 registers, given out to a warp by 256; and the most warps that it holds. */
const REGISTERS = 65536;
const REGISTER_UNIT = 256;
const MOST_WARPS = { sm_75: 32, sm_86: 48, sm_89: 48, sm_120: 48 };
const warpsFor = (arch, registers) => {
  const perWarp = Math.ceil((registers * 32) / REGISTER_UNIT) * REGISTER_UNIT;
  return Math.min(MOST_WARPS[arch] ?? 64, Math.floor(REGISTERS / perWarp / 4) * 4);
};

/** { registers, stack, spilled } of a kernel, spills of called functions included, from the words of `ptxas -v`. */
function readingIn(text) {
  const reading = { registers: 0, stack: 0, spilled: 0 };
  for (const line of text.split("\n")) {
    const [, stores, loads] = /(\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line) ?? [];
    if (stores) reading.spilled += Number(stores) + Number(loads);
    const [, registers] = /Used (\d+) registers/.exec(line) ?? [];
    if (registers) reading.registers = Number(registers);
    const [, cumulative] = /(\d+) bytes cumulative stack size/.exec(line) ?? [];
    if (cumulative) reading.stack = Number(cumulative);
  }
  return reading;
}

const kernels = new Kernels();

/** Readings of all kernels that a device of this architecture can have. */
async function readingsFor(arch) {
  const capability = Number(arch.replace("sm_", ""));
  const entries = kernels.listing.entries.filter(({ files }) => Number(files[0].split(".")[1]) <= capability);
  const readings = [];
  await together(entries, async (entry) => {
    const file = join(kernels.folder, kernels.fileFor(entry, capability));
    const since = performance.now();
    const { stderr } = await run("ptxas", ["-v", `-arch=${arch}`, file, "-o", "/dev/null"]);
    readings.push({ name: entry.name, seconds: (performance.now() - since) / 1000, ...readingIn(stderr) });
  });
  return readings.sort((a, b) => (a.name < b.name ? -1 : 1));
}

let spilling = 0;
for (const arch of options.arch.split(",")) {
  const started = performance.now();
  const readings = await readingsFor(arch);
  const total = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${arch}: ${readings.length} kernels assembled in ${total} s\n`);
  if (options.markdown)
    console.log(
      "| kernel | registers | stack | spilled | warps | seconds |\n| --- | --- | --- | --- | --- | --- |",
    );
  for (const { name, registers, stack, spilled, seconds } of readings) {
    if (spilled > 0) ++spilling;
    const [warps, time] = [warpsFor(arch, registers), seconds.toFixed(2)];
    console.log(
      options.markdown
        ? `| ${[name, registers, stack, spilled, warps, time].join(" | ")} |`
        : `${name.padEnd(32)} ${registers} registers, ${stack} B stack, ${spilled} B spilled, ${warps} warps, ${time} s`,
    );
  }
  console.log();
}
if (spilling > 0) {
  console.error(`${spilling} kernels spill registers`);
  process.exitCode = 1;
}
