// What ptxas makes of the CUDA kernels: registers, spills and how many warps fit on a multiprocessor.
//
//     node scripts/ptxas-report.mjs [--arch sm_75,sm_90] [--markdown]
//
// Reads dist/kernels/cuda (npm run build:cuda) and needs ptxas, not a GPU. Ends with 1 where a kernel, or a function
// that it calls, spills registers to memory.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

const run = promisify(execFile);
const folder = fileURLToPath(new URL("../dist/kernels/cuda", import.meta.url));
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

/** Entry → { registers, stack, spilled }, spills of called functions included, from the words of `ptxas -v`. */
function readingsIn(text) {
  const readings = {};
  let entry;
  for (const line of text.split("\n")) {
    const [, name] = /Compiling entry function '(\w+)'/.exec(line) ?? [];
    if (name) entry = readings[name] = { registers: 0, stack: 0, spilled: 0 };
    const [, stack, stores, loads] =
      /(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line) ?? [];
    if (stack) entry.spilled += Number(stores) + Number(loads);
    const [, registers] = /Used (\d+) registers/.exec(line) ?? [];
    if (registers) entry.registers = Number(registers);
    const [, cumulative] = /(\d+) bytes cumulative stack size/.exec(line) ?? [];
    if (cumulative) entry.stack = Number(cumulative);
  }
  return readings;
}

/** The files that a device of this architecture takes: of each module the newest that it can (src/engines/cuda/kernels.ts). */
function filesFor(arch, files) {
  const best = new Map();
  for (const file of files) {
    const [module, capability] = file.split(".");
    if (Number(capability) <= Number(arch.replace("sm_", ""))) best.set(module, file);
  }
  return [...best.values()];
}

const { modules } = JSON.parse(readFileSync(join(folder, "entries.json"), "utf8"));
let spilling = 0;
for (const arch of options.arch.split(",")) {
  const started = performance.now();
  const outputs = await Promise.all(
    filesFor(arch, modules).map((file) =>
      run("ptxas", ["-v", `-arch=${arch}`, join(folder, file), "-o", "/dev/null"], { maxBuffer: 1 << 26 }),
    ),
  );
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const readings = outputs.flatMap(({ stderr }) => Object.entries(readingsIn(stderr)));
  console.log(`${arch}: ${readings.length} kernels assembled in ${seconds} s\n`);
  if (options.markdown)
    console.log("| kernel | registers | stack | spilled | warps |\n| --- | --- | --- | --- | --- |");
  for (const [name, { registers, stack, spilled }] of readings.sort()) {
    if (spilled > 0) ++spilling;
    const cells = [name, registers, stack, spilled, warpsFor(arch, registers)];
    console.log(
      options.markdown
        ? `| ${cells.join(" | ")} |`
        : `${name.padEnd(32)} ${registers} registers, ${stack} B stack, ${spilled} B spilled, ${cells[4]} warps`,
    );
  }
  console.log();
}
if (spilling > 0) {
  console.error(`${spilling} kernels spill registers`);
  process.exitCode = 1;
}
