// Builds dist/kernels/cuda: entries.json, and with nvcc the PTX of every kernel (kernels/cuda/mvn.cu): moments_f64_d1.75.ptx for devices of compute
// capability 7.5 and later. Where a later one has better instructions for a kernel, there is a file for it too. nvcc compiles a module at a time,
// which takes less than a kernel at a time; the driver compiles a file as a whole, and a call needs two kernels or three.
//
//     node scripts/build-cuda.mjs [folder]      another folder than dist/kernels/cuda
//
// entries.json says what the kernels are called and what they are launched with. It is read off the headers, so that
// it is there without nvcc too: { arguments: { structure: [[field, "pointer" | "i64" | "f64"]…] },
// entries: [{ name, files: [file…] (the oldest first), arguments, team }…] }, the entries in the order that `describe` counts.
//
// PTX is what the driver compiles for the device it finds. It says that it needs the oldest PTX version that holds all its instructions, so
// that an older driver takes it too. A digest of sources and flags, and the compiler, are its first line: a second build has nothing to do.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { textsOfEntries } from "./ptx.mjs";
import { together } from "./together.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
const kernels = `${root}kernels/`;
const target = process.argv[2] ?? `${root}dist/kernels/cuda`;
const flags = [
  "-ptx",
  "-std=c++20",
  "-O3",
  "-fmad=false", // what is written is what is computed, on every engine
  "-allow-unsupported-compiler", // the host's only preprocesses
];
/** Compute capability, times ten. 80: copies to shared memory, float64 matrices; 90: wider ones. */
const capabilitiesFor = (module) => (module.includes("ahead") ? [80, 90] : [75]);
const fileOf = (name, capability) => `${name}.${capability}.ptx`;
const oldestCompiler = 12; // the first with C++20
// PTX versions, oldest first, from the one that brought compute capability 7.5 on.
const versions = "6.3 6.4 6.5 7.0 7.1 7.2 7.3 7.4 7.5 7.6 7.7 7.8 8.0 8.1 8.2 8.3 8.4 8.5 8.6 8.7 8.8".split(
  " ",
);

const read = (path) => readFileSync(kernels + path, "utf8");

/** Structure → its fields [name, kind], from the lines of kernels/cuda/arguments.hpp. */
function readArguments() {
  const structures = {};
  for (const [, name, body] of read("cuda/arguments.hpp").matchAll(/^struct (\w+) \{\n(.*?)^\};/gms)) {
    structures[name] = [...body.matchAll(/^ {2}([\w ]+\*?) (\w+);/gm)].map(([, type, field]) => {
      const kind = type.endsWith("*") ? "pointer" : type;
      if (!["pointer", "i64", "f64"].includes(kind))
        throw new Error(`${name}.${field}: ${type} is not 8 bytes`);
      return [field, kind];
    });
  }
  return structures;
}

/** The lists MVN_ENTRIES_<module> of kernels/cuda/entries.hpp, which stand in the order of MVN_ENTRIES: module → its entries. */
function readModules() {
  const text = read("cuda/entries.hpp");
  const lists = Object.fromEntries(
    [...text.matchAll(/^#define MVN_ENTRIES_([a-z]\w+)\(X\)((?:.*\\\n)*.*)/gm)].map(([, module, list]) => [
      module,
      list,
    ]),
  );
  const entriesOf = (module) =>
    [...lists[module].matchAll(/X\((\w+), (\w+), (\w+),/g)].map(([, name, structure, team]) => ({
      name,
      files: capabilitiesFor(module).map((capability) => fileOf(name, capability)),
      arguments: structure,
      team: team.toLowerCase(),
    }));
  return new Map(Object.keys(lists).map((module) => [module, entriesOf(module)]));
}

/** Whole or not at all: a reader never sees half a file. */
function write(file, text) {
  mkdirSync(target, { recursive: true });
  const partial = join(target, `${file}.${process.pid}`);
  writeFileSync(partial, text);
  renameSync(partial, join(target, file));
}

/** "13.0", or undefined where there is no nvcc. */
async function compilerVersion() {
  try {
    return /release (\d+\.\d+)/.exec((await run("nvcc", ["--version"])).stdout)?.[1];
  } catch {
    return undefined;
  }
}

function digestOfSources() {
  const sources = ["mvn", "cuda"].flatMap((folder) =>
    readdirSync(kernels + folder, { recursive: true })
      .filter((name) => /\.(hpp|cu)$/.test(name))
      .sort()
      .map((name) => [name, read(`${folder}/${name}`)]),
  );
  return createHash("sha256")
    .update(JSON.stringify([flags, versions, readFileSync(`${root}scripts/ptx.mjs`, "utf8"), sources]))
    .digest("hex");
}

/** A file's first line. Without a compiler at hand any will do that has compiled these sources. */
const heading = (digest, compiler = "") => `// mvnfit kernels ${digest} nvcc ${compiler}`;

function isBuilt(file, digest, compiler) {
  try {
    return readFileSync(join(target, file), "utf8").startsWith(heading(digest, compiler));
  } catch {
    return false;
  }
}

/**
 * A kernel's PTX with the oldest version that ptxas assembles; as nvcc wrote it where there is no ptxas to ask. Hints that only newer versions
 * have are left out: which bytes of a load are used (PTX 8.3) changes no result.
 *
 * @throws what ptxas says where it assembles none
 */
async function withOldestVersion(text, capability, scratch) {
  const ptx = text.replace(/^\s*\.pragma "used_bytes_mask[^\n]*\n/gm, "");
  let refusal;
  const file = join(scratch, "versioned.ptx");
  for (const version of versions) {
    const older = ptx.replace(/^\.version .*$/m, `.version ${version}`);
    writeFileSync(file, older);
    try {
      await run("ptxas", ["-O0", `-arch=sm_${capability}`, file, "-o", join(scratch, "versioned.cubin")]);
      return older;
    } catch (error) {
      if (error.code === "ENOENT") return ptx;
      refusal = error;
    }
  }
  throw refusal;
}

/** Every entry is there, and takes as many bytes as its structure has. */
function checkEntries(ptx, wanted) {
  const found = [...ptx.matchAll(/\.entry (\w+)\(\s*\.param \.align 8 \.b8 \w+\[(\d+)\]/g)];
  const bytes = Object.fromEntries(found.map(([, name, size]) => [name, Number(size)]));
  for (const { name, arguments: structure } of wanted) {
    const expected = 8 * structures[structure].length;
    if (bytes[name] !== expected) throw new Error(`${name} takes ${bytes[name]} bytes, not ${expected}`);
  }
  if (found.length !== wanted.length) throw new Error(`${found.length} kernels instead of ${wanted.length}`);
}

async function compile([module, capability], firstLine) {
  const scratch = mkdtempSync(join(tmpdir(), "mvnfit-cuda-"));
  try {
    const choices = [`-arch=compute_${capability}`, `-DMVN_MODULE=${module}`];
    const output = join(scratch, "module.ptx");
    await run("nvcc", [...flags, ...choices, "-I", kernels, `${kernels}cuda/mvn.cu`, "-o", output]);
    const ptx = readFileSync(output, "utf8");
    checkEntries(ptx, modules.get(module));
    const built = [];
    for (const [name, text] of textsOfEntries(ptx)) {
      const older = await withOldestVersion(text, capability, scratch);
      write(fileOf(name, capability), `${firstLine}\n${older}`);
      built.push({ bytes: older.length, version: /^\.version (.*)$/m.exec(older)[1] });
    }
    return built;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const name = relative(process.cwd(), target) || ".";
const [modules, structures] = [readModules(), readArguments()];
const entries = [...modules.values()].flat();
write("entries.json", `${JSON.stringify({ arguments: structures, entries }, null, 1)}\n`);
const compiler = await compilerVersion();
const digest = digestOfSources();
const wanted = new Set(entries.flatMap(({ files }) => files));
for (const file of readdirSync(target)) {
  if (file.endsWith(".ptx") && !wanted.has(file)) rmSync(join(target, file)); // of an earlier list
}
const missing = new Set([...wanted].filter((file) => !isBuilt(file, digest, compiler)));
/** What nvcc is to compile: a module for a capability. */
const stale = [...modules.keys()]
  .flatMap((module) => capabilitiesFor(module).map((capability) => [module, capability]))
  .filter(([module, capability]) =>
    modules.get(module).some(({ name }) => missing.has(fileOf(name, capability))),
  );
if (stale.length === 0) {
  console.log(`${name}: up to date`);
} else if (compiler === undefined || Number.parseInt(compiler, 10) < oldestCompiler) {
  const why = compiler ? `nvcc ${compiler} is older than ${oldestCompiler}.0` : "no nvcc on PATH";
  for (const file of missing) rmSync(join(target, file), { force: true }); // what other sources made must not stay
  console.log(`${name}: not built, the engine cuda will not be available: ${why}`);
} else {
  const started = performance.now();
  try {
    const firstLine = heading(digest, compiler);
    const built = [];
    await together(stale, async (unit) => built.push(...(await compile(unit, firstLine))));
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const kilobytes = Math.ceil(built.reduce((sum, { bytes }) => sum + bytes, 0) / 1024);
    const needed = [...new Set(built.map(({ version }) => version))].join(", ");
    console.log(`${name}: ${built.length} kernels in ${seconds} s, ${kilobytes} KB, PTX ${needed}`);
  } catch (error) {
    console.error(`${name}: not built: ${error.stderr || error.message}`);
    process.exitCode = 1;
  }
}
