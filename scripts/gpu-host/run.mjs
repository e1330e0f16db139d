// See run.sh. Each step's outcome is written down as soon as it is there, also where it failed or could not be run, beside what earlier runs of
// the same commit on that day have found; exits with 1 where one failed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PEER_SHAPES } from "./measure.mjs";
import { summaryOf } from "./summary.mjs";

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

/** Programs of others on the same device, with the interpreter that has them (MVNFIT_PYTHON, or python3). */
function peers() {
  const python = process.env.MVNFIT_PYTHON || "python3";
  if (standIn || run(python, ["--version"]).code !== 0) return { notRun: "no Python with peers here" };
  return parsed(run(python, [join(here, "peers.py"), JSON.stringify(PEER_SHAPES)]));
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

function steps() {
  const scale = standIn ? "0.0005" : "1";
  const verify = (precision) => ["verify", "--engine", "cuda", "--precision", precision, "--format", "json"];
  const script = (name, ...words) => parsed(node(join(here, name), ...words));
  return {
    conformance: () => script("suite/conformance.mjs"),
    moments: () => script("resident.mjs", "moments", scale),
    "closed-form": () => script("resident.mjs", "closed-form", scale),
    peers,
    iterations: () => script("resident.mjs", "iterations", scale),
    calls: () => script("calls.mjs", scale),
    "verify-float64": () => parsed(node(main, ...verify("float64"))),
    "verify-float32": () => parsed(node(main, ...verify("float32"))),
    memcheck: () => sanitizer("memcheck"),
    racecheck: () => sanitizer("racecheck"),
    bench,
  };
}

const { engines } = JSON.parse(node(main, "engines", "--json").stdout);
const cuda = engines.find(({ name }) => name === "cuda");
if (!cuda.available) {
  console.error(`run.mjs: ${cuda.reason}. ${cuda.remedy}`);
  process.exit(2);
}
const standIn = cuda.device.includes("stand-in");
// A rehearsal on the stand-in is no measurement, and is not filed among them.
const [folder = standIn ? here : "bench/results", ...named] = process.argv.slice(2);
const all = steps();
const unknown = named.find((name) => !(name in all));
if (unknown) {
  console.error(`run.mjs: no step ${unknown}; there are ${Object.keys(all).join(", ")}`);
  process.exit(2);
}
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
};
const slug = standIn
  ? "stand-in"
  : name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "");
mkdirSync(folder, { recursive: true });
const file = join(folder, `cuda-${slug}-${date}`);

let failed = false;
const before = existsSync(`${file}.json`) ? JSON.parse(readFileSync(`${file}.json`, "utf8")) : undefined;
if (before?.commit === result.commit) Object.assign(result, { ...before, ...result });
for (const name of named.length > 0 ? named : Object.keys(all)) {
  result[name] = all[name]();
  const { passed, notRun, seconds } = result[name];
  const outcome = notRun ?? (passed ? "passed" : "FAILED");
  console.log(`${name}: ${outcome}${seconds === undefined ? "" : ` (${seconds} s)`}`);
  failed ||= passed === false;
  writeFileSync(`${file}.json`, `${JSON.stringify(result, null, 1)}\n`);
  writeFileSync(`${file}.md`, summaryOf(result, Object.keys(all), standIn));
}
console.log(`${file}.json`);
process.exitCode = failed ? 1 : 0;
