// See run.sh. Each step's outcome is written down, also where it failed or could not be run; exits with 1 where one failed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const main = join(here, "dist/cli/main.js");

function run(command, words, minutes = 5) {
  const since = performance.now();
  const done = spawnSync(command, words, {
    encoding: "utf8",
    timeout: minutes * 60_000,
    maxBuffer: 2 ** 28,
  });
  return {
    code: done.status ?? -1,
    seconds: Math.round((performance.now() - since) / 100) / 10,
    stdout: done.stdout ?? "",
    stderr: (done.stderr ?? "").slice(-4000) || (done.error?.message ?? ""),
  };
}
const node = (...words) => run(process.execPath, words);

/** The step's own JSON, or what it said in place of it. */
function parsed({ code, seconds, stdout, stderr }) {
  try {
    return { passed: code === 0, seconds, ...JSON.parse(stdout) };
  } catch {
    return { passed: false, seconds, code, said: stderr || stdout.slice(-4000) };
  }
}

function smi() {
  const fields = [
    "name",
    "driver_version",
    "memory.total",
    "pcie.link.gen.max",
    "pcie.link.width.max",
    "clocks.max.sm",
  ];
  const { code, stdout } = run("nvidia-smi", [`--query-gpu=${fields.join(",")}`, "--format=csv,noheader"]);
  if (code !== 0) return { notRun: "nvidia-smi is not there" };
  return stdout
    .trim()
    .split("\n")
    .map((line) => {
      const values = line.split(", ");
      return Object.fromEntries(fields.map((field, i) => [field, values[i]]));
    });
}

/**
 * memcheck and racecheck on a small case. By NVIDIA's manual --error-exitcode only speaks where the program itself ended with 0, and what
 * racecheck counts as an error has changed: so the last line of the report must say that nothing was found, too.
 */
function sanitizer(tool) {
  const toolkits = [process.env.CUDA_HOME, process.env.CUDA_PATH, "/usr/local/cuda"].filter(Boolean);
  const where = ["compute-sanitizer", ...toolkits.map((folder) => join(folder, "bin/compute-sanitizer"))];
  const found = where.find((one) => run(one, ["--version"]).code === 0);
  if (!found) return { notRun: "compute-sanitizer is not there" };
  const words = ["--tool", tool, "--error-exitcode", "9", "--target-processes", "all"];
  const done = run(found, [...words, process.execPath, join(here, "small-case.mjs")], 10);
  const lines = `${done.stdout}\n${done.stderr}`.split("\n");
  const summary = lines.findLast((line) => line.includes("SUMMARY"));
  const clean = summary !== undefined && /SUMMARY: 0 (errors|hazards)/.test(summary);
  return {
    passed: done.code === 0 && clean,
    seconds: done.seconds,
    code: done.code,
    summary: summary ?? (lines.slice(-20).join("\n").trim() || "no report"),
  };
}

function bench() {
  if (run(process.execPath, [main, "bench", "--help"]).code !== 0)
    return { notRun: "this version has no bench" };
  const file = join(here, "bench.json");
  rmSync(file, { force: true }); // of an earlier run
  const shapes = standIn ? "50x20x3" : "standard";
  const words = [
    "bench",
    "--engine",
    "cuda,native,wasm",
    "--shapes",
    shapes,
    "--precision",
    "float64,float32",
  ];
  const done = run(process.execPath, [main, ...words, "--quiet", "-o", file], 10);
  if (!existsSync(file)) return { passed: false, seconds: done.seconds, said: done.stderr };
  return { passed: done.code === 0, seconds: done.seconds, ...JSON.parse(readFileSync(file, "utf8")) };
}

const { engines } = JSON.parse(node(main, "engines", "--json").stdout);
const cuda = engines.find(({ name }) => name === "cuda");
if (!cuda.available) {
  console.error(`run.mjs: ${cuda.reason}. ${cuda.remedy}`);
  process.exit(2);
}
const standIn = cuda.device.includes("stand-in");
// A rehearsal on the stand-in is no measurement, and is not filed among them.
const folder = process.argv[2] ?? (standIn ? here : "bench/results");
const steps = {};
const step = (name, work) => {
  steps[name] = work();
  const { passed, notRun, seconds } = steps[name];
  console.log(
    `${name}: ${notRun ?? (passed ? "passed" : "FAILED")}${seconds === undefined ? "" : ` (${seconds} s)`}`,
  );
};
step("conformance", () => parsed(node(join(here, "suite/conformance.mjs"))));
for (const precision of ["float64", "float32"]) {
  const words = ["verify", "--engine", "cuda", "--precision", precision, "--format", "json"];
  step(`verify ${precision}`, () => parsed(node(main, ...words)));
}
for (const tool of ["memcheck", "racecheck"]) step(tool, () => sanitizer(tool));
step("rates", () => parsed(node(join(here, "rates.mjs"), standIn ? "0.001" : "1")));
step("bench", bench);

const date = new Date().toISOString().slice(0, 10);
const [, name] = /^0: (.*?)(, 1: .*)?$/.exec(cuda.device);
const result = {
  schema: "mvnfit/gpu-host@1",
  device: cuda.device,
  driver: cuda.version,
  gpus: smi(),
  date,
  commit: readFileSync(join(here, "commit"), "utf8").trim(),
  node: process.version,
  cpu: cpus()[0]?.model,
  cpus: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  ...steps,
};
const slug = standIn
  ? "stand-in"
  : name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "");
mkdirSync(folder, { recursive: true });
const file = join(folder, `cuda-${slug}-${date}`);
writeFileSync(`${file}.json`, `${JSON.stringify(result, null, 1)}\n`);
writeFileSync(`${file}.md`, summary());
console.log(`${file}.json`);
const failed = Object.values(steps).some(({ passed }) => passed === false);
process.exitCode = failed ? 1 : 0;

function summary() {
  const outcome = ({ passed, notRun }) => notRun ?? (passed ? "passed" : "**failed**");
  const lines = Object.entries(steps).map(([name, one]) => `| ${name} | ${outcome(one)} |`);
  const { alone, uploads, solvers, start } = steps.rates;
  const giga = (bytes) => `${(bytes / 1e9).toFixed(1)} GB/s`;
  const rows = alone?.moments?.map(
    ({ rowType, dims, bandwidth, ofCopy }) =>
      `| ${["float64", "float32, summed in float64", "float32"][rowType]} | ${dims} | ${giga(bandwidth)} | ${(100 * ofCopy).toFixed(0)} % |`,
  );
  const measured = uploads
    ? [
        "",
        `Start ${start.first.toFixed(2)} s, later ${start.later.toFixed(2)} s. Rows to fits: ${giga(uploads.ordinary)} from ordinary memory, ${giga(uploads.pinned)} from the engine's.`,
        `${solvers.groups} groups, d = ${solvers.dims}, from statistics in memory to results in memory: ${Object.entries(
          solvers.seconds,
        )
          .map(([method, seconds]) => `${method} ${(1000 * seconds).toFixed(0)} ms`)
          .join(", ")}.`,
      ]
    : [];
  const device = rows
    ? [
        "",
        `Copy on the device: ${giga(alone.copyBandwidth)}.`,
        "",
        "| rows | d | moments read | of copy |",
        "| --- | --- | --- | --- |",
        ...rows,
      ]
    : [];
  const standing = standIn ? ["", "**A rehearsal on the CPU stand-in: no figure here is a GPU's.**"] : [];
  return `${[
    `# ${cuda.device}, ${cuda.version}, ${date}`,
    ...standing,
    "",
    `Commit ${result.commit.slice(0, 12)}, Node ${result.node}, ${result.cpus} × ${result.cpu}.`,
    "",
    "| step | outcome |",
    "| --- | --- |",
    ...lines,
    ...measured,
    ...device,
  ].join("\n")}\n`;
}
