// Compiles kernels/cpu/*.cpp into one WebAssembly module, dist/kernels/mvn.wasm, with clang from npm.
//
// The module imports nothing but its memory, which is shared. A digest of the sources, flags and compiler is kept in a
// custom section of the module, so that a second build of the same sources has nothing to do.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const kernels = `${root}kernels/`;
const target = `${root}dist/kernels/mvn.wasm`;
const digestSection = "mvnfit.sources";

const flags = [
  "--target=wasm32-wasip1",
  "-std=c++20",
  "-O3",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-msimd128",
  "-matomics",
  "-mbulk-memory",
  "-mmutable-globals",
  "-mnontrapping-fptoint",
  "-msign-ext",
  "-fno-exceptions",
  "-fno-rtti",
  "-fno-math-errno",
  "-mllvm",
  "-disable-lsr", // it rewrites addresses so that their constant part no longer fits in the load: 10 % of a tile's time
  "-ffp-contract=off", // what is written is what is computed, on every engine
  "-nostdlib",
  "-nostartfiles",
  "-lc", // log
  "-Wl,--no-entry",
  "-Wl,--import-memory",
  "-Wl,--shared-memory",
  "-Wl,--max-memory=4294967296",
  "-Wl,--stack-first",
  "-Wl,-z,stack-size=65536",
  "-Wl,--export=__stack_pointer", // each worker sets its own stack
  "-Wl,--export=__heap_base", // below it lies the module's static data
  "-Wl,--gc-sections",
  "-Wl,--strip-all",
];

/** What only code that reaches all of the process is for. */
const LIBRARIES_ONLY = ["cpu/accumulate.cpp", "cpu/supported.cpp"];

/** Path below kernels/ → text, of every source that the module may include. */
function readSources() {
  const sources = {};
  for (const folder of ["mvn", "cpu"]) {
    for (const name of readdirSync(kernels + folder, { recursive: true }).sort()) {
      if (/\.[ch]pp$/.test(name))
        sources[`${folder}/${name}`] = readFileSync(`${kernels}${folder}/${name}`, "utf8");
    }
  }
  return sources;
}

function digestOf(sources) {
  const compiler = JSON.parse(readFileSync(`${root}package.json`, "utf8")).devDependencies["@yowasp/clang"];
  return createHash("sha256")
    .update(JSON.stringify([compiler, flags, sources]))
    .digest("hex");
}

/** The digest that the module was built from, or undefined where there is none. */
function digestIn(file) {
  try {
    const [section] = WebAssembly.Module.customSections(
      new WebAssembly.Module(readFileSync(file)),
      digestSection,
    );
    return section && Buffer.from(section).toString();
  } catch {
    return undefined; // not built yet, or not a module: build it
  }
}

/** A custom section: id 0, length of the rest, length of the name, name, content. All lengths here are below 128. */
function customSection(name, content) {
  const body = Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from(content)]);
  return Buffer.concat([Buffer.from([0, body.length]), body]);
}

async function compile(sources) {
  const { runClang } = await import("@yowasp/clang");
  const units = Object.keys(sources).filter(
    (path) => path.endsWith(".cpp") && !LIBRARIES_ONLY.includes(path),
  );
  const tree = {};
  for (const [path, text] of Object.entries(sources)) {
    const names = path.split("/");
    const file = names.pop();
    let folder = tree;
    for (const name of names) folder = folder[name] ??= {};
    folder[file] = text;
  }
  await runClang(null, {}, { fetchProgress: () => {} }); // loads the compiler without a word
  const files = await runClang(["clang++", ...flags, "-I.", ...units, "-o", "mvn.wasm"], tree, {
    stderr: (bytes) => bytes && process.stderr.write(bytes),
  });
  return Buffer.from(files["mvn.wasm"]);
}

/** Whole or not at all: a reader never sees half a module. */
function write(file, bytes) {
  mkdirSync(dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, bytes);
  renameSync(partial, file);
}

const sources = readSources();
const digest = digestOf(sources);
const name = relative(process.cwd(), target);
if (digestIn(target) === digest) {
  console.log(`${name}: up to date`);
} else {
  const started = performance.now();
  try {
    const module = Buffer.concat([await compile(sources), customSection(digestSection, digest)]);
    const exported = WebAssembly.Module.exports(new WebAssembly.Module(module)).length;
    write(target, module);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `${name}: compiled in ${seconds} s, ${Math.ceil(module.length / 1024)} KB, ${exported} exports`,
    );
  } catch (error) {
    console.error(`${name}: not built: ${error.message}`);
    process.exitCode = 1;
  }
}
