// Shared libraries for every platform on any, by the clang of Zig from npm.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { arch, platform } from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { together } from "./together.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));

/** The version of Zig: clang 21. */
export const ZIG = "0.16.0";

export const FLAGS = [
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

const X64 = [
  { instructions: "avx512", processor: "x86_64_v4", bytes: 64 },
  { instructions: "avx2", processor: "x86_64_v3", bytes: 32 },
];
const ARM64 = [{ instructions: "neon", processor: "generic", bytes: 16 }];

/** Zig's name of each platform, and what is made for it. Any glibc that Node 20 itself runs on is later than 2.17. */
const PLATFORMS = {
  "linux-x64": { triple: "x86_64-linux-gnu.2.17", ending: "so", variants: X64 },
  "linux-arm64": { triple: "aarch64-linux-gnu.2.17", ending: "so", variants: ARM64 },
  "darwin-x64": { triple: "x86_64-macos", ending: "dylib", variants: X64 },
  "darwin-arm64": { triple: "aarch64-macos", ending: "dylib", variants: ARM64 },
  "win32-x64": { triple: "x86_64-windows-gnu", ending: "dll", variants: X64 },
};
export const PLATFORM_NAMES = Object.keys(PLATFORMS);

/** The libraries for a platform, the fastest first: { file, triple, instructions, processor, bytes }, bytes those of a vector. */
export function librariesOf(name) {
  const { triple, ending, variants } = PLATFORMS[name] ?? { variants: [] };
  return variants.map((variant) => ({
    file: `mvn-${name}-${variant.instructions}.${ending}`,
    triple,
    ...variant,
  }));
}

/** The library for a platform that reads rows, as librariesOf gives those of the kernels: one, or none. */
export function rowsLibrariesOf(name) {
  const { triple, ending } = PLATFORMS[name] ?? {};
  return triple ? [{ file: `rows-${name}.${ending}`, triple, bytes: 16 }] : [];
}

/** Compiled for any processor of the architecture. */
const FOR_ANY = ["supported.cpp", "rows.cpp", "table.cpp", "numbers.cpp"];

/**
 * The compiler, installed into build/zig by npm the first time. It is no dependency in package.json: npm would install its 400 MB for each
 * platform that it names, or fail on the others.
 */
async function compiler() {
  const packages = ["lib", `${platform}-${arch}`];
  const folder = `${root}build/zig/`;
  const own = join(folder, "node_modules", "@zigc");
  if (!packages.every((name) => versionIn(join(own, name)) === ZIG)) {
    const wanted = packages.map((name) => `@zigc/${name}@${ZIG}`);
    console.log(`${relative(process.cwd(), folder)}: npm installs ${wanted.join(" and ")}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}package.json`, '{ "private": true }\n');
    const words = [
      "install",
      "--no-save",
      "--no-package-lock",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
    ];
    await run("npm", [...words, ...wanted], {
      cwd: folder,
      shell: platform === "win32",
      env: withoutPackage(process.env),
    });
  }
  const program = join(own, packages[1], "bin", platform === "win32" ? "zig.exe" : "zig");
  return (...words) => run(program, words, { env: { ...process.env, ZIG_LIB_DIR: join(own, "lib") } });
}

function versionIn(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
  } catch {
    return undefined;
  }
}

/** Without what an npm that runs this script has set for the package that it is at. */
const OF_PACKAGE = /^npm_(config_(local_prefix|prefix|global|omit|include|dry_run)|package|lifecycle)/i;
const withoutPackage = (env) =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !OF_PACKAGE.test(name)));

/**
 * Compiles C++ sources, which may include what lies under kernels/, into libraries in `folder`, each whole or not at all.
 *
 * @throws Error where the compiler cannot be had (`missing` is then true), or does not compile
 */
export async function compileLibraries(libraries, sources, folder) {
  const zig = await compiler().catch((error) => {
    throw Object.assign(error, { missing: true });
  });
  const scratch = mkdtempSync(join(tmpdir(), "mvnfit-zig-"));
  try {
    const object = ({ file }, source) => join(scratch, `${file}-${basename(source)}.o`);
    const compile = ([library, source]) => {
      const { triple, processor, bytes } = library;
      const cpu = FOR_ANY.includes(basename(source)) ? [] : [`-mcpu=${processor}`];
      const words = [
        "-target",
        triple,
        ...cpu,
        ...FLAGS,
        `-DMVN_VECTOR_BYTES=${bytes}`,
        "-I",
        `${root}kernels`,
      ];
      return zig("c++", ...words, "-c", source, "-o", object(library, source));
    };
    await together(
      libraries.flatMap((library) => sources.map((source) => [library, source])),
      compile,
    );
    mkdirSync(folder, { recursive: true });
    for (const library of libraries) {
      const output = join(scratch, library.file);
      const objects = sources.map((source) => object(library, source));
      await zig("c++", "-target", library.triple, "-shared", "-s", "-nostdlib++", ...objects, "-o", output);
      const partial = join(folder, `${library.file}.${process.pid}`);
      writeFileSync(partial, readFileSync(output));
      renameSync(partial, join(folder, library.file));
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
