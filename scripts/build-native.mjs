// Compiles kernels/cpu/*.cpp into shared libraries for the engine `native`, dist/kernels/native/mvn-<platform>-<arch>-<instructions>,
// with the clang of Zig from npm, which makes them for every platform on any.
//
//     node scripts/build-native.mjs            for this machine
//     node scripts/build-native.mjs --all      for every platform, as the published package has them
//
// A digest of the sources, flags and compiler is kept beside each library, so that a second build has nothing to do.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { arch, platform } from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
const kernels = `${root}kernels/`;
const target = `${root}dist/kernels/native/`;
const flags = [
  "-std=c++20",
  "-O3",
  "-g0",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-fPIC",
  "-fvisibility=hidden",
  "-fno-exceptions",
  "-fno-rtti",
  "-fno-math-errno",
  "-ffp-contract=fast", // a·b + c in one instruction: what these processors are fast at
  "-fno-sanitize=all", // Zig turns some on
];

/** Its version of Zig: clang 21. */
const ZIG = "0.16.0";

const X64 = [
  { name: "avx512", processor: "x86_64_v4", bytes: 64 },
  { name: "avx2", processor: "x86_64_v3", bytes: 32 },
];
const ARM64 = [{ name: "neon", processor: "generic", bytes: 16 }];

/** Zig's name of each platform, and what is made for it. The oldest glibc that Node 20 itself runs on is later than 2.17. */
const PLATFORMS = {
  "linux-x64": { triple: "x86_64-linux-gnu.2.17", ending: "so", libraries: X64 },
  "linux-arm64": { triple: "aarch64-linux-gnu.2.17", ending: "so", libraries: ARM64 },
  "darwin-x64": { triple: "x86_64-macos", ending: "dylib", libraries: X64 },
  "darwin-arm64": { triple: "aarch64-macos", ending: "dylib", libraries: ARM64 },
  "win32-x64": { triple: "x86_64-windows-gnu", ending: "dll", libraries: X64 },
};
/** Compiled for any processor of the architecture. */
const PLAIN = "supported";

const sources = readdirSync(`${kernels}cpu`)
  .filter((name) => name.endsWith(".cpp"))
  .sort();

/**
 * The compiler, installed into build/zig by npm the first time. It is no dependency in package.json: npm would install its 400 MB for each
 * platform that it names, or fail on the others.
 */
async function compiler() {
  const packages = ["lib", `${platform}-${arch}`].map((name) => `@zigc/${name}@${ZIG}`);
  const folder = `${root}build/zig/`;
  const own = join(folder, "node_modules", "@zigc");
  const zig = {
    program: join(own, `${platform}-${arch}`, "bin", platform === "win32" ? "zig.exe" : "zig"),
    library: join(own, "lib"),
  };
  const installed = ["lib", `${platform}-${arch}`].every((name) => versionOf(join(own, name)) === ZIG);
  if (!installed) {
    console.log(`${relative(process.cwd(), folder)}: npm installs ${packages.join(" and ")}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}package.json`, '{ "private": true }\n');
    const words = [
      "install",
      "--no-save",
      "--no-package-lock",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      ...packages,
    ];
    await run("npm", words, { cwd: folder, shell: platform === "win32", env: withoutNpm(process.env) });
  }
  return zig;
}

function versionOf(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
  } catch {
    return undefined;
  }
}

/** What an npm that runs this script has set for the package that it is at, and not for all. */
const withoutNpm = (env) =>
  Object.fromEntries(
    Object.entries(env).filter(
      ([name]) =>
        !/^npm_(config_(local_prefix|prefix|global|omit|include|ignore_scripts)|package|lifecycle)/i.test(
          name,
        ),
    ),
  );

function digestOf(work) {
  const texts = ["mvn", "cpu"].flatMap((folder) =>
    readdirSync(kernels + folder, { recursive: true })
      .filter((name) => /\.[ch]pp$/.test(name))
      .sort()
      .map((name) => [name, readFileSync(`${kernels}${folder}/${name}`, "utf8")]),
  );
  return createHash("sha256")
    .update(JSON.stringify([ZIG, flags, work, texts]))
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

/** Runs jobs, as many at a time as there are cores: a compilation takes one for some seconds. */
async function together(jobs) {
  const waiting = [...jobs];
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      for (let job = waiting.shift(); job; job = waiting.shift()) await job();
    }),
  );
}

async function build(zig, works) {
  const scratch = mkdtempSync(join(tmpdir(), "mvnfit-native-"));
  const call = (...words) => run(zig.program, words, { env: { ...process.env, ZIG_LIB_DIR: zig.library } });
  try {
    const object = (work, source) => join(scratch, `${work.file}-${source}.o`);
    await together(
      works.flatMap((work) =>
        sources.map((source) => () => {
          const { triple, processor, bytes } = work;
          const cpu = source === `${PLAIN}.cpp` ? [] : [`-mcpu=${processor}`];
          const words = ["-target", triple, ...cpu, ...flags, `-DMVN_VECTOR_BYTES=${bytes}`, "-I", kernels];
          return call("c++", ...words, "-c", `${kernels}cpu/${source}`, "-o", object(work, source));
        }),
      ),
    );
    mkdirSync(target, { recursive: true });
    for (const work of works) {
      const output = join(scratch, work.file);
      const objects = sources.map((source) => object(work, source));
      await call("c++", "-target", work.triple, "-shared", "-s", "-nostdlib++", ...objects, "-o", output);
      const partial = `${target}${work.file}.${process.pid}`;
      writeFileSync(partial, readFileSync(output));
      renameSync(partial, target + work.file);
      writeFileSync(`${target}${work.file}.digest`, work.digest);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const name = relative(process.cwd(), target) || ".";
const wanted = process.argv.includes("--all") ? Object.keys(PLATFORMS) : [`${platform}-${arch}`];
const works = wanted.flatMap((one) =>
  (PLATFORMS[one]?.libraries ?? []).map((library) => {
    const { triple, ending } = PLATFORMS[one];
    const work = { file: `mvn-${one}-${library.name}.${ending}`, triple, ...library };
    return { ...work, digest: digestOf(work) };
  }),
);
const stale = works.filter(({ file, digest }) => digestIn(target + file) !== digest);
const without = "the engine native will not be available";
const zig = stale.length === 0 ? undefined : await compiler().catch((error) => error);
if (works.length === 0) {
  console.log(`${name}: not built, ${without}: nothing is made for ${wanted.join(", ")}`);
} else if (zig instanceof Error) {
  for (const { file } of stale) rmSync(target + file, { force: true }); // what other sources made must not stay
  console.log(
    `${name}: not built, ${without}: its compiler cannot be had: ${(zig.stderr || zig.message).trim()}`,
  );
} else if (stale.length === 0) {
  console.log(`${name}: up to date`);
} else {
  const started = performance.now();
  try {
    await build(zig, stale);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const kilobytes = Math.ceil(
      stale.reduce((sum, { file }) => sum + statSync(target + file).size, 0) / 1024,
    );
    console.log(`${name}: ${stale.map(({ file }) => file).join(", ")} in ${seconds} s, ${kilobytes} KB`);
  } catch (error) {
    console.error(`${name}: not built: ${error.stderr || error.message}`);
    process.exitCode = 1;
  }
}
