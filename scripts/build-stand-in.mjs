// Builds the stand-in for NVIDIA's driver that tests use where there is no GPU: kernels/native/driver/ → build/stand-in/.
//
//     node scripts/build-stand-in.mjs
//
// Beside the library there is a folder of kernels for it: entries.json, and for each kernel its name in place of PTX, so that
// tests run where nvcc is not. Nothing is done where all is newer than its sources. Needs entries.json of build:cuda.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FMA_FLAGS } from "./fma.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const target = join(root, "build/stand-in");
const library = join(target, "libcuda-stand-in.so");
const kernels = join(root, "kernels");
const entries = join(root, "dist/kernels/cuda/entries.json");

const flags = ["-std=c++20", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-ffp-contract=off"];

const sources = ["mvn", "mvn/methods", "cuda", "native", "native/driver", "native/ptx"].flatMap((folder) =>
  readdirSync(join(kernels, folder))
    .filter((name) => /\.[ch]pp$/.test(name) && !name.endsWith("_test.cpp"))
    .map((name) => join(kernels, folder, name)),
);
const newest = Math.max(...sources.map((path) => statSync(path).mtimeMs));

mkdirSync(join(target, "kernels"), { recursive: true });
if (!existsSync(library) || statSync(library).mtimeMs < newest) {
  const fresh = `${library}.${process.pid}`;
  const source = join(kernels, "native/driver/driver.cpp");
  execFileSync("g++", [...flags, ...FMA_FLAGS, "-I", kernels, source, "-o", fresh], { stdio: "inherit" });
  renameSync(fresh, library);
}
const listing = JSON.parse(readFileSync(entries, "utf8"));
writeFileSync(join(target, "kernels/entries.json"), JSON.stringify(listing));
for (const { name, files } of listing.entries) {
  for (const file of files)
    writeFileSync(join(target, "kernels", file), `// for the stand-in\n// .entry ${name}(\n`);
}
