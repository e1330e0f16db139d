// Compiles each kernels/native/*_test.cpp with g++ under AddressSanitizer and UndefinedBehaviorSanitizer and runs it; those for a CPU with
// vectors of more than one length, the longer ones with this machine's instructions and contracted products, as libraries are compiled.
//
//     node scripts/test-native.mjs [name…]      only the tests whose file name contains one of the names
//
// A test program prints its failures and ends with "N passed, N failed" (kernels/native/check.hpp).
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const kernels = fileURLToPath(new URL("../kernels", import.meta.url));
const flags = [
  "-std=c++20",
  "-O1",
  "-g",
  "-fsanitize=address,undefined",
  "-fno-sanitize-recover=all",
  "-Wall",
  "-Wextra",
  "-Werror",
];
/** Bytes of a vector, and what else is compiled with them. -Wno-psabi: nobody passes these vectors to code compiled otherwise. */
const PLAIN = { bytes: 16, more: ["-ffp-contract=off"] };
const WIDER = [32, 64].map((bytes) => ({
  bytes,
  more: ["-ffp-contract=fast", "-march=native", "-Wno-psabi"],
}));
/** What takes another form with each length; the others differ in the number of lanes alone, and are tested with the most. */
const formed = /^(closed_form_tiles|moments|packs)_/;
/** What has no vectors, or other ones. */
const plain = /^(device|numbers|race|rows|table)_/;
const lengthsFor = (file) => {
  if (plain.test(file)) return [PLAIN];
  return [PLAIN, ...WIDER.filter(({ bytes }) => bytes === 64 || formed.test(file))];
};
const together = 2; // a compilation takes a core and about 1 GB

/** Builds and runs one test program; a program that does not build or dies counts as one failure. */
async function test({ file, bytes, more }, folder) {
  const name = `${file.replace(/\.cpp$/, "")}${bytes === PLAIN.bytes ? "" : `_${bytes}_bytes`}`;
  const program = join(folder, name);
  const started = performance.now();
  const report = (outcome, counts) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${name}: ${outcome} (${seconds} s)`);
    return counts;
  };
  try {
    const widths = [...more, `-DMVN_VECTOR_BYTES=${bytes}`];
    await run("g++", [...flags, ...widths, "-I", kernels, join(kernels, "native", file), "-o", program]);
  } catch (error) {
    console.error(error.stderr || error.message);
    return report("does not compile", { passed: 0, failed: 1 });
  }
  const { stdout, stderr } = await run(program, { maxBuffer: 1 << 26 }).catch((error) => error);
  if (stderr) process.stderr.write(stderr);
  const counts = /(\d+) passed, (\d+) failed\s*$/.exec(stdout);
  if (!counts) return report("ended before its last test", { passed: 0, failed: 1 });
  return report(counts[0].trim(), { passed: Number(counts[1]), failed: Number(counts[2]) });
}

const wanted = process.argv.slice(2);
const files = readdirSync(join(kernels, "native"))
  .filter(
    (file) => file.endsWith("_test.cpp") && (!wanted.length || wanted.some((name) => file.includes(name))),
  )
  .sort();
if (files.length === 0) {
  console.error(`test-native: no test file matches ${wanted.join(", ")}`);
  process.exit(2);
}
const works = files.flatMap((file) => lengthsFor(file).map((one) => ({ file, ...one })));
const folder = mkdtempSync(join(tmpdir(), "mvnfit-native-"));
const total = { passed: 0, failed: 0 };
try {
  await Promise.all(
    Array.from({ length: together }, async () => {
      for (let work = works.shift(); work; work = works.shift()) {
        const { passed, failed } = await test(work, folder);
        total.passed += passed;
        total.failed += failed;
      }
    }),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;
