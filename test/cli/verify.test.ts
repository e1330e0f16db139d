import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ON_PROCESSOR } from "../support/processor.js";
import { folderWith, mvnfit, PENGUINS } from "./command.js";

/** One variable, Λ = λ: J = n log λ + Σ(x−μ)²/2λ². Its gradient, but for a slip of 1 % in ∂J/∂λ of groups with 9 rows or more. */
const SLIP = `
export function gradient({ x, n, mean: [mu], factor: [lambda] }) {
  console.log("a word of the module's own");
  let [sum, squares] = [0, 0];
  for (const value of x) { sum += value - mu; squares += (value - mu) ** 2; }
  const slip = n >= 9 ? 1.01 : 1;
  return { mean: [-sum / lambda ** 2], factor: [slip * (n / lambda - squares / lambda ** 3)] };
}`;

const folder = folderWith({
  "slip.mjs": SLIP,
  "throws.mjs": 'export function gradient() { throw new RangeError("a < b & c"); }',
  "rows.csv": `site,y\n${Array.from({ length: 30 }, (_, i) => `${i < 10 ? '"<b>"' : "two"},${(i * 7) % 11}`).join("\n")}\nfew,1\n`,
  "weights.csv": "x,w\n1,1\n2,0.5\n4,2\n3,0\n",
});

const verify = (...words: string[]) => mvnfit(["verify", ...words], { folder: folder.path });

describe("mvnfit verify", () => {
  it("finds the gradients of the default engine right, on data of its own", async () => {
    const { code, stdout, stderr } = await verify("--groups", "8");
    expect(code).toBe(0);
    expect(stderr).toMatch(new RegExp(`^engine: ${ON_PROCESSOR} \\(.+\\)\\n$`));
    expect(stdout).toMatch(
      new RegExp(`^${ON_PROCESSOR}, float64: 8 groups, μ and Λ at random and at the optimum$`, "m"),
    );
    expect(stdout).toMatch(/^\(14\) +finite-difference +8 +0 +\S+e-\d+ +\S+e-\d+ +passed$/m);
    expect(stdout).toMatch(/The gradients agree\.\n$/);
  });

  it("verifies a user's file, and names what it leaves out", async () => {
    const { code, stdout } = await verify(PENGUINS, "--group-by", "species", "--missing", "drop");
    expect(code).toBe(0);
    expect(stdout).toMatch(/3 groups/);
    const few = await verify("rows.csv", "--group-by", "site");
    expect(few.code).toBe(0);
    expect(few.stdout).toMatch(/^1 group skipped at the optimum: too few rows for an optimum$/m);
    const weighted = await verify("weights.csv", "--weights", "w", "--quiet");
    expect(weighted).toMatchObject({ code: 0, stderr: "" });
  });

  it("reads standard input", async () => {
    const input = "x\n1\n2\n4\n";
    const words = ["verify", "-", "--input-format", "csv", "--quiet"];
    expect(await mvnfit(words, { input })).toMatchObject({ code: 0, stderr: "" });
    expect(await mvnfit(["verify", "-"], { input })).toMatchObject({
      code: 2,
      stderr: "error: verify: standard input (-) needs --input-format csv or tsv or parquet\n",
    });
  });

  it("names group, equation, entry, both values and the error of what is wrong", async () => {
    const words = ["rows.csv", "--group-by", "site", "--module", "slip.mjs", "--at", "random"];
    const { code, stdout, stderr } = await verify(...words);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^J against autograd fails in 2 of 3 groups; worst in group site="(two|<b>)" \(d = 1, n = \d+\), at random: ∂\/∂Λ\[0,0\] is \S+, autograd gives \S+; off by \S+ of the term's norm, tolerance \S+$/m,
    );
    expect(stdout).toMatch(/3 of 3 checks failed\.\n$/);
    expect(stdout).not.toContain("a word of the module's own");
    expect(stderr).toContain("a word of the module's own");
  });

  it("writes the JSON document of the contract", async () => {
    const words = [
      "--module",
      "slip.mjs",
      "--dims",
      "1",
      "--rows",
      "5..12",
      "--groups",
      "30",
      "--format",
      "json",
    ];
    const { code, stdout } = await verify(...words, "--against", "autograd");
    expect(code).toBe(1);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ schema: "mvnfit/verify@1", passed: false, groups: 30 });
    const [check, ...others] = document.checks;
    expect(others).toEqual([]);
    expect(check).toMatchObject({ equation: "J", against: "autograd", groups: 30, worst: { entry: [0, 0] } });
    expect(check.failed).toBeGreaterThan(0);
    expect(check.failed).toBeLessThan(30);
    expect(check.worst.rows).toBeGreaterThanOrEqual(9);
    expect(check.worst.error).toBeGreaterThan(check.tolerance);
    expect(Math.abs(check.worst.analytic / check.worst.other - 1)).toBeCloseTo(0.01, 6);
  });

  it("writes JUnit that CI systems can read, whatever the names", async () => {
    const words = ["rows.csv", "--group-by", "site", "--module", "slip.mjs", "--at", "random"];
    const report = folder.file("report.xml");
    const { code, stdout } = await verify(...words, "--format", "junit", "-o", report);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    const xml = await readFile(report, "utf8");
    expect(xml).toMatch(
      /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="mvnfit verify" tests="3" failures="3"/,
    );
    expect(xml).toMatch(
      /<testcase classname="mvnfit\.verify\.slip\.mjs" name="J against autograd">\n +<failure message="J against/,
    );
    expect(xml.match(/<[a-z]/g)?.length).toBe(8); // testsuites, testsuite, 3 × (testcase, failure): no tag from the data
    expect(xml).not.toContain("<b>");
  });

  it("reports a gradient that throws: on stderr, and to CI", async () => {
    const { code, stdout, stderr } = await verify("--module", "throws.mjs", "--format", "junit");
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /throws\.mjs: at group 0 \(d = 1, n = \d+\): gradient\(\) threw RangeError: a < b & c/,
    );
    expect(stderr).not.toMatch(/not foreseen/);
    expect(stdout).toMatch(
      /errors="1"[\s\S]*<error message="throws\.mjs: at group 0 .* threw RangeError: a &lt; b &amp; c&#10;/,
    );
  });

  it("ends a gradient that never returns", async () => {
    await writeFile(folder.file("loops.mjs"), "export function gradient() { for (;;); }");
    const { code, stderr } = await verify("--module", "loops.mjs", "--timeout", "1");
    expect(code).toBe(1);
    expect(stderr).toMatch(/loops\.mjs: at group 0 .* did not return within 1 s/);
  });

  it("has the same output for the same seed", async () => {
    const words = ["--groups", "4", "--format", "json", "--seed", "9"];
    expect((await verify(...words)).stdout).toBe((await verify(...words)).stdout);
  });

  it.each([
    ["--groups with a file", [PENGUINS, "--groups", "3"], /--groups is for seeded data/],
    ["--group-by without a file", ["--group-by", "g"], /--group-by is for files/],
    ["an unknown partner", ["--against", "autograd,torch"], /--against must name some of .* got "torch"/],
    ["a dimension of 0", ["--dims", "2,0"], /--dims must be whole numbers of at least 1, got "0"/],
    ["rows backwards", ["--rows", "9..2"], /--rows must be a whole number, or two as in 50\.\.200/],
    ["a tolerance below 0", ["--tolerance", "-1"], /--tolerance must be auto or a positive number/],
    ["a module that is not there", ["--module", "none.mjs"], /none\.mjs: no such file/],
    [
      "weights with a module",
      ["weights.csv", "--weights", "w", "--module", "slip.mjs"],
      /takes no --weights/,
    ],
    ["an engine with a module", ["--engine", "wasm", "--module", "slip.mjs"], /only one is checked/],
    ["a report of another ending", ["--format", "junit", "-o", "report.json"], /\.xml/],
    ["an unknown option", ["--engin", "wasm"], /did you mean --engine\?/],
  ])("refuses %s", async (_, words, message) => {
    const { code, stdout, stderr } = await verify(...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n +at /);
  });
});
