// The engine `tensorflow` on TensorFlow itself: builds the addon by `mvnfit setup tensorflow` (again only where something is missing), runs
// the conformance suite on it in float64 and float32, and checks its gradients.
//
//     node scripts/test-tensorflow.mjs
//
// It builds in build/tensorflow, or where MVNFIT_TENSORFLOW says. Where the wheel of TensorFlow is not to be had, it says so and fails
// nothing.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const command = join(root, "dist/cli/main.js");
const results = join(root, "build/test-results.json"); // where vitest.config.ts has the counts written
const env = {
  ...process.env,
  MVNFIT_TENSORFLOW: process.env.MVNFIT_TENSORFLOW ?? join(root, "build/tensorflow"),
};
const minutes = 60_000;
const counts = { passed: 0, failed: 0 };

const node = (words, limit) =>
  spawnSync(process.execPath, words, {
    cwd: root,
    env,
    encoding: "utf8",
    timeout: limit,
    maxBuffer: 2 ** 28,
  });
const mvnfit = (...words) => node([command, ...words], 5 * minutes);

/** Counts a check by what `work` throws, and says what it returns. */
function check(name, work) {
  try {
    const note = work();
    counts.passed++;
    console.log(`ok   ${name}: ${note}`);
  } catch (error) {
    counts.failed++;
    console.log(`FAIL ${name}: ${error.message}`);
  }
}

function end() {
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  process.exit(counts.failed ? 1 : 0);
}

function succeeded({ status, signal, stdout, stderr }) {
  if (status !== 0)
    throw new Error(`ended with ${status ?? signal}\n${stdout.slice(-4000)}${stderr.slice(-4000)}`);
  return stdout;
}

/** vitest's own counts are added. */
function conformance() {
  rmSync(results, { force: true });
  const words = [
    "run",
    "test/engines/tensorflow-native.test.ts",
    "test/kernels/tensor",
    "--coverage.enabled=false",
    "--testTimeout=120000",
  ];
  const run = node(["node_modules/vitest/vitest.mjs", ...words], 15 * minutes);
  if (!existsSync(results)) succeeded(run);
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(results, "utf8"));
  counts.passed += numPassedTests;
  counts.failed += numFailedTests;
  succeeded(run);
  if (numPassedTests === 0) throw new Error(`no test ran\n${run.stdout}`);
  return `${numPassedTests} tests`;
}

if (!existsSync(command)) {
  console.error("test-tensorflow: dist is not there; run npm ci or npm run build");
  process.exit(2);
}
const setup = mvnfit("setup", "tensorflow");
process.stderr.write(setup.stderr);
if (/No matching distribution|Could not find a version|builds on Linux/.test(setup.stderr)) {
  console.log(`skipped, because the wheel of TensorFlow is not to be had here`);
  end();
}
check("setup", () => succeeded(setup).trim());
if (counts.failed > 0) end();
check("setup, a second time", () => {
  const again = mvnfit("setup", "tensorflow");
  const done = again.stderr.match(/\(is done\)/g) ?? [];
  succeeded(again);
  if (done.length !== 3) throw new Error(`3 steps should be done already\n${again.stderr}`);
  return "nothing is fetched or compiled";
});
check("engines", () => {
  const { engines } = JSON.parse(succeeded(mvnfit("engines", "--json")));
  const { device } = engines.find(({ name }) => name === "tensorflow");
  if (!device?.startsWith("TensorFlow ")) throw new Error(`got ${device}`);
  return device;
});
check("conformance", conformance);
for (const precision of ["float64", "float32"]) {
  check(`verify in ${precision}`, () => {
    const words = ["--engine", "tensorflow", "--precision", precision, "--groups", "20", "--format", "json"];
    const { passed, checks } = JSON.parse(succeeded(mvnfit("verify", ...words)));
    if (!passed || checks.length === 0) throw new Error("no check holds");
    return `${checks.length} checks hold`;
  });
}
end();
