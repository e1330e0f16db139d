import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { fakePython } from "../bench/fake-python.js";
import { ON_PROCESSOR } from "../support/processor.js";
import { folderWith, mvnfit } from "./command.js";

const folder = folderWith();

/** A workload that takes no time. */
const SMALL = ["--shapes", "40x40x3", "--runs", "1", "--rows-in", "plain"];

const bench = (...words: string[]) => mvnfit(["bench", ...words], { folder: folder.path });

const against = async (manner: string, ...words: string[]) =>
  bench(...SMALL, "--against", "numpy", "--python", await fakePython(folder.path, manner), ...words);

describe("mvnfit bench", () => {
  it("prints a table of times, and writes JSON and a plot", async () => {
    const words = ["-o", "results.json", "--plot", "plot.svg"];
    const { code, stdout, stderr } = await against("right", ...words);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^mvnfit \S+.*, Node /);
    expect(stdout).toMatch(/^against numpy 1\.2\.3$/m);
    expect(stdout).toMatch(/^40x40x3, closed-form, float64: 1,600 rows, 0\.0384 MB$/m);
    expect(stdout).toMatch(new RegExp(`^${ON_PROCESSOR} +rows: plain +\\S+ .* 40/40$`, "m"));
    expect(stdout).toMatch(/^numpy +centred +1\.00 .* 40\/40 +\S+×$/m);
    const document = JSON.parse(await readFile(folder.file("results.json"), "utf8"));
    expect(document.peers).toEqual([{ name: "numpy", installed: true, version: "1.2.3", reason: null }]);
    const [{ entries, ratios }] = document.cases;
    expect(ratios).toHaveLength(2); // centred and uncentred
    expect(ratios[0].ratio).toBeCloseTo(1 / entries[0].total.median, 12);
    const plot = await readFile(folder.file("plot.svg"), "utf8");
    expect(plot).toMatch(/^<\?xml .*<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/s);
    for (const text of [
      "40 × 40 × 3, closed-form, float64",
      `mvnfit ${ON_PROCESSOR}, rows: plain`,
      "numpy, uncentred",
    ])
      expect(plot).toContain(`>${text}</text>`);
  });

  it("prints the JSON document", async () => {
    const { code, stdout } = await bench(...SMALL, "--json", "--quiet");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ schema: "mvnfit/bench@1", cases: [{ shape: "40x40x3" }] });
  });

  it.each([
    ["whose library is missing", "missing", /numpy: not installed: No module named 'numpy'/],
    ["that ends before its greeting", "silent", /numpy: not installed: ended with 3/],
  ])("goes on without a peer %s", async (_, manner, note) => {
    const { code, stdout, stderr } = await against(manner);
    expect(code).toBe(0);
    expect(stderr).toMatch(note);
    expect(stdout).toMatch(/^not installed: numpy$/m);
    expect(stdout).toMatch(new RegExp(`^${ON_PROCESSOR} +rows: plain`, "m"));
  });

  it("goes on without peers where there is no Python at all", async () => {
    const words = ["bench", ...SMALL, "--against", "numpy,torch"];
    const { code, stderr } = await mvnfit(words, { env: { PATH: folder.path } });
    expect(code).toBe(0);
    expect(stderr).toMatch(/numpy: not installed: .*ENOENT/);
    expect(stderr).toMatch(/torch: not installed: /);
  });

  it.each([
    ["gives other results", "wrong", /numpy \(centred\) gives wrong results and was not timed: group 39/],
    ["gives too few numbers", "short", /numpy \(centred\) failed: gave 479 numbers, not 520/],
    ["refuses", "refuses", /numpy \(centred\) failed: cannot do that/],
    ["talks where it should answer", "garbage", /numpy \(centred\) failed: answered with what is not JSON/],
    ["dies", "dies", /numpy \(centred\) failed: ended with 9/],
  ])("says so where a peer %s, and times the others", async (_, manner, note) => {
    const { code, stdout, stderr } = await against(manner);
    expect(code).toBe(0);
    expect(stderr).toMatch(note);
    expect(stdout).toMatch(new RegExp(`^${ON_PROCESSOR} +rows: plain +[\\d.]+ `, "m"));
    expect(stdout).not.toMatch(/^numpy +centred +\d/m);
  });

  it("leaves no peer behind at Ctrl-C, even one that hangs", async () => {
    const python = await fakePython(folder.path, "hangs");
    const words = ["bench", ...SMALL, "--against", "numpy,torch", "--python", python];
    const begun = folder.file("pids-hangs");
    const { code, stderr } = await mvnfit(words, {
      folder: folder.path,
      meanwhile: (child) => {
        const watch = setInterval(() => {
          if (!existsSync(begun)) return;
          clearInterval(watch);
          setTimeout(() => child.kill("SIGINT"), 700); // by then it has been asked to load
        }, 20);
      },
    });
    expect({ code, stderr }).toEqual({ code: 130, stderr: "error: interrupted\n" });
    const pids = (await readFile(begun, "utf8")).trim().split("\n").map(Number);
    expect(pids.length).toBe(2);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  });

  it.each([
    ["a shape that is none", ["--shapes", "10x20"], /a shape is groups x rows x variables .* got "10x20"/],
    ["groups too small for a fit", ["--shapes", "10x8x8"], /10x8x8 needs at least d \+ 1 = 9 rows a group/],
    ["rows backwards", ["--shapes", "10x20..10x2"], /must name the fewest rows first/],
    ["an unknown engine", ["--engine", "wasm,cude"], /--engine must name some of auto, .* got "cude"/],
    ["an unknown peer", ["--against", "nunpy"], /--against must name some of .* \(did you mean numpy\?\)/],
    ["no runs", ["--runs", "0"], /--runs must be a whole number of at least 1/],
    ["a condition below 1", ["--condition", "0.5"], /--condition must be a number of at least 1/],
    ["a Python without peers", ["--python", "python3"], /--python goes with --against/],
    ["a Python that is not there", ["--against", "numpy", "--python", "./none"], /"\.\/none" cannot be run/],
    ["results of another ending", ["-o", "results.csv"], /must be one of \.json/],
    ["a plot of another ending", ["--plot", "plot.png"], /must be one of \.svg/],
    ["a file", ["rows.csv"], /takes no file, got "rows\.csv"/],
    ["an unknown option", ["--shape", "10x20x3"], /did you mean --shapes\?/],
  ])("refuses %s", async (_, words, message) => {
    const { code, stdout, stderr } = await bench(...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n +at /);
  });
});
