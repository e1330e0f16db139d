// Compiles shared libraries into dist/kernels/native: kernels/cpu/*.cpp for the engine `native`, mvn-<platform>-<arch>-<instructions>, and
// kernels/rows/*.cpp, which reads rows of files, rows-<platform>-<arch>.
//
//     node scripts/build-native.mjs            for this machine
//     node scripts/build-native.mjs --all      for every platform, as the published package has them
//
// A digest of the sources, flags and compiler is kept beside each library, so that a second build has nothing to do.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { arch, platform } from "node:process";
import { fileURLToPath } from "node:url";
import { compileLibraries, FLAGS, librariesOf, PLATFORM_NAMES, rowsLibrariesOf, ZIG } from "./zig.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const kernels = `${root}kernels/`;
const target = `${root}dist/kernels/native/`;

const sourcesIn = (folder) =>
  readdirSync(kernels + folder, { recursive: true })
    .filter((name) => /\.[ch]pp$/.test(name))
    .sort()
    .map((name) => `${kernels}${folder}/${name}`);

function digestOf({ library, folder }) {
  const texts = [...new Set(["mvn", "cpu", folder])]
    .flatMap(sourcesIn)
    .map((file) => [relative(kernels, file), readFileSync(file, "utf8")]);
  return createHash("sha256")
    .update(JSON.stringify([ZIG, FLAGS, library, texts]))
    .digest("hex");
}

const digestIn = (file) => {
  try {
    statSync(file);
    return readFileSync(`${file}.digest`, "utf8");
  } catch {
    return undefined;
  }
};

const name = relative(process.cwd(), target) || ".";
const wanted = process.argv.includes("--all") ? PLATFORM_NAMES : [`${platform}-${arch}`];
const products = wanted.flatMap((platform) => [
  ...librariesOf(platform).map((library) => ({ library, folder: "cpu" })),
  ...rowsLibrariesOf(platform).map((library) => ({ library, folder: "rows" })),
]);
const stale = products.filter((product) => digestIn(target + product.library.file) !== digestOf(product));
const compile = (folder) =>
  compileLibraries(
    stale.filter((product) => product.folder === folder).map(({ library }) => library),
    sourcesIn(folder).filter((file) => file.endsWith(".cpp")),
    target,
  );
if (products.length === 0) {
  console.log(
    `${name}: not built, the engine native will not be available: nothing is made for ${wanted[0]}`,
  );
} else if (stale.length === 0) {
  console.log(`${name}: up to date`);
} else {
  const started = performance.now();
  const files = stale.map(({ library }) => library.file);
  for (const file of files) rmSync(target + file, { force: true }); // what other sources made must not stay
  try {
    await compile("cpu");
    await compile("rows");
    for (const product of stale) writeFileSync(`${target}${product.library.file}.digest`, digestOf(product));
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const kilobytes = Math.ceil(files.reduce((sum, file) => sum + statSync(target + file).size, 0) / 1024);
    console.log(`${name}: ${files.join(", ")} in ${seconds} s, ${kilobytes} KB`);
  } catch (error) {
    const why = (error.stderr || error.message).trim();
    if (error.missing) {
      console.log(`${name}: not built, the engine native will not be available: no compiler: ${why}`);
    } else {
      console.error(`${name}: not built: ${why}`);
      process.exitCode = 1;
    }
  }
}
