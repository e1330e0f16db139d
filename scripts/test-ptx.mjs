// Tests what nvcc made of the kernels, without a GPU: the PTX becomes C++ (ptx-to-cpp.mjs), g++ makes a library of it, and the stand-in for the
// driver plays that in place of the kernels as written. The conformance suite of the engine `cuda` and the tests of its command must pass, and
// results must have the same bits.
//
//     node scripts/test-ptx.mjs        needs g++, and nvcc for the PTX (npm run build:cuda)
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Kernels } from "../dist/engines/cuda/kernels.js";
import { FMA_FLAGS } from "./fma.mjs";
import { cppOf } from "./ptx-to-cpp.mjs";
import { together } from "./together.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "build/ptx");
const library = join(folder, "kernels.so");
const results = join(root, "build/test-results.json");
const suites = ["test/engines/cuda.test.ts", "test/engines/cuda/compiled.test.ts", "test/cli/cuda.test.ts"];

// Products that the kernels sum in one instruction are one here; g++ makes none of its own.
const flags = ["-std=c++20", "-O1", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off", "-w", ...FMA_FLAGS];

async function compile(source, object) {
  const words = [...flags, "-I", join(root, "kernels"), "-c", source, "-o", object];
  await run("g++", words, { maxBuffer: 1 << 26 });
  return object;
}

async function compileAll({ folder: ptx }, files) {
  const objects = [await compile(join(root, "kernels/native/ptx/block.cpp"), join(folder, "block.o"))];
  await together(files, async (file) => {
    const [name, capability] = file.split(".");
    const symbol = `${name}_${capability}`;
    const source = join(folder, `${symbol}.cpp`);
    writeFileSync(source, cppOf(readFileSync(join(ptx, file), "utf8"), symbol));
    objects.push(await compile(source, `${source}.o`));
  });
  execFileSync("g++", ["-shared", "-o", library, ...objects]);
}

/** The kernels, or undefined where they are not built. */
function builtKernels() {
  try {
    return new Kernels();
  } catch (error) {
    console.log(`test-ptx: there is no PTX to test: ${error.message}`);
  }
}

const kernels = builtKernels();
if (!kernels) {
  console.log("0 passed, 0 failed");
  process.exit();
}
const files = kernels.listing.entries.flatMap((entry) => entry.files);
const started = performance.now();
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
await compileAll(kernels, files);
console.log(`test-ptx: ${files.length} kernels in ${((performance.now() - started) / 1000).toFixed(1)} s`);
rmSync(results, { force: true });
const { status } = spawnSync(
  process.execPath,
  [join(root, "node_modules/vitest/vitest.mjs"), "run", ...suites],
  { cwd: root, stdio: "inherit", env: { ...process.env, MVNFIT_STAND_IN_PTX: library } },
);
const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(results, "utf8"));
console.log(`${numPassedTests} passed, ${numFailedTests} failed`);
process.exitCode = status ?? 1;
