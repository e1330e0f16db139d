// Takes each barrier of the kernels out in turn and sees whether the test of races notices.
//
//     node scripts/missing-barriers.mjs [name…]      only barriers whose place contains one of the names
//
// A barrier is a `team.sync()` in kernels/mvn. Without it kernels/native/race_test.cpp must fail: ThreadSanitizer finds two lanes at one
// word, a bit is wrong, or lanes part ways. Prints every barrier that is not missed and ends with 1 if there is one: such a
// barrier is either needless, or guards a phase that no case of the test reaches. Some 5 to 20 s of a core for each.
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { together } from "./together.mjs";

const run = promisify(execFile);
const kernels = fileURLToPath(new URL("../kernels", import.meta.url));
const flags = ["-std=c++20", "-O1", "-fsanitize=thread", "-ffp-contract=off", "-I", kernels];
const timeLimit = 300_000;

/** The places of all barriers, as MVNFIT_SKIP_SYNC takes them. Packs are for one thread and have none. */
function barriers() {
  const folder = join(kernels, "mvn");
  return readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith(".hpp"))
    .sort()
    .flatMap((file) =>
      readFileSync(join(folder, file), "utf8")
        .split("\n")
        .flatMap((text, i) => (/^[^/]*\bteam\.sync\(\)/.test(text) ? [`${file}:${i + 1}`] : [])),
    );
}

const wanted = process.argv.slice(2);
const places = barriers().filter((place) => !wanted.length || wanted.some((name) => place.includes(name)));
const folder = mkdtempSync(join(tmpdir(), "mvnfit-barriers-"));
const program = join(folder, "race_test");
/** Whether the test passes, with this barrier taken out if one is named. */
const passes = (place) =>
  run(program, {
    env: { ...process.env, ...(place && { MVNFIT_SKIP_SYNC: place }) },
    timeout: timeLimit,
  }).then(
    () => true,
    () => false,
  );

const survivors = [];
try {
  await run("g++", [...flags, join(kernels, "native", "race_test.cpp"), "-o", program]);
  if (!(await passes())) throw new Error("race_test fails with every barrier in place");
  await together(places, async (place) => {
    const missed = !(await passes(place));
    console.log(`${place}: ${missed ? "missed" : "NOT MISSED"}`);
    if (!missed) survivors.push(place);
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${places.length} barriers, ${survivors.length} not missed${survivors.length ? ":" : ""}`);
for (const place of survivors.sort()) console.log(`  ${place}`);
process.exitCode = survivors.length ? 1 : 0;
