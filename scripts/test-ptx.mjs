// Tests what nvcc made of the kernels, without a GPU: the PTX becomes C++ (ptx-to-cpp.mjs), g++ makes a library of it, and the stand-in for the
// driver plays that in place of the kernels as written. The conformance suite of the engine `cuda` and the tests of its command must pass, and
// results must have the same bits.
//
//     node scripts/test-ptx.mjs        needs g++, and nvcc for the PTX (npm run build:cuda)
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { arch } from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cppOf } from "./ptx-to-cpp.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
const ptx = join(root, "dist/kernels/cuda");
const folder = join(root, "build/ptx");
const library = join(folder, "kernels.so");
const results = join(root, "build/test-results.json");
const suites = ["test/engines/cuda.test.ts", "test/engines/cuda/compiled.test.ts", "test/cli/cuda.test.ts"];

// Products that the kernels sum in one instruction are one here; g++ makes none of its own.
const flags = ["-std=c++20", "-O1", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off", "-w"];
if (arch === "x64" && / fma /.test(readFileSync("/proc/cpuinfo", "utf8"))) flags.push("-mfma");

const compile = (source, object) =>
  run("g++", [...flags, "-I", join(root, "kernels"), "-c", source, "-o", object], { maxBuffer: 1 << 26 });

/** As many at a time as there are cores. */
async function compileAll(files) {
  const objects = [join(folder, "block.o")];
  await compile(join(root, "kernels/native/ptx/block.cpp"), objects[0]);
  const waiting = [...files];
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      for (let file = waiting.shift(); file; file = waiting.shift()) {
        const [name, capability] = file.split(".");
        const source = join(folder, `${name}_${capability}.cpp`);
        writeFileSync(source, cppOf(readFileSync(join(ptx, file), "utf8"), `${name}_${capability}`));
        await compile(source, `${source}.o`);
        objects.push(`${source}.o`);
      }
    }),
  );
  execFileSync("g++", ["-shared", "-o", library, ...objects]);
}

const { entries } = JSON.parse(readFileSync(join(ptx, "entries.json"), "utf8"));
const files = entries.flatMap((entry) => entry.files);
if (!files.every((file) => existsSync(join(ptx, file)))) {
  console.log("test-ptx: there is no PTX to test, since there is no nvcc\n0 passed, 0 failed");
  process.exit();
}
const started = performance.now();
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
await compileAll(files);
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
