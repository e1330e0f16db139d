// Compiles kernels/cpu/*.cpp into shared libraries for the engine `native`, dist/kernels/native/mvn-<platform>-<arch>-<instructions>.
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
import { compileLibraries, FLAGS, librariesOf, PLATFORM_NAMES, ZIG } from "./zig.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const kernels = `${root}kernels/`;
const target = `${root}dist/kernels/native/`;

function digestOf(library) {
  const texts = ["mvn", "cpu"].flatMap((folder) =>
    readdirSync(kernels + folder, { recursive: true })
      .filter((name) => /\.[ch]pp$/.test(name))
      .sort()
      .map((name) => [name, readFileSync(`${kernels}${folder}/${name}`, "utf8")]),
  );
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
const libraries = wanted.flatMap(librariesOf);
const stale = libraries.filter((library) => digestIn(target + library.file) !== digestOf(library));
if (libraries.length === 0) {
  console.log(
    `${name}: not built, the engine native will not be available: nothing is made for ${wanted[0]}`,
  );
} else if (stale.length === 0) {
  console.log(`${name}: up to date`);
} else {
  const started = performance.now();
  const sources = readdirSync(`${kernels}cpu`).filter((file) => file.endsWith(".cpp"));
  for (const { file } of stale) rmSync(target + file, { force: true }); // what other sources made must not stay
  try {
    await compileLibraries(
      stale,
      sources.map((file) => `${kernels}cpu/${file}`),
      target,
    );
    for (const library of stale) writeFileSync(`${target}${library.file}.digest`, digestOf(library));
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const kilobytes = Math.ceil(
      stale.reduce((sum, { file }) => sum + statSync(target + file).size, 0) / 1024,
    );
    console.log(`${name}: ${stale.map(({ file }) => file).join(", ")} in ${seconds} s, ${kilobytes} KB`);
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
