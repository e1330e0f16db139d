import { describe, expect, it } from "vitest";
import type { GradientTask } from "../../src/verify/gradient-function.js";
import { verify } from "../../src/verify.js";
import { folderWith } from "../cli/command.js";
import { gradientsWith } from "./formula.js";

/** ∂J/∂μ and ∂J/∂Λ of one group, for d = 1 so that a module needs no linear algebra. */
const SCALAR = `({ x, n, mean: [mu], factor: [lambda] }) => {
  let [sum, squares] = [0, 0];
  for (const value of x) { sum += value - mu; squares += (value - mu) ** 2; }
  return { mean: Float64Array.of(-sum / lambda ** 2), factor: Float64Array.of(n / lambda - squares / lambda ** 3) };
}`;

const wrong = (body: string) => `export function gradient({ x, n, d, mean, factor }) { ${body} }`;

const folder = folderWith({
  "right.mjs": `export const gradient = ${SCALAR};`,
  "later.mjs": `const now = ${SCALAR}; export const gradient = async (task) => now(task);`,
  "loud.mjs": `const now = ${SCALAR}; export const gradient = (task) => (console.log("hello"), now(task));`,
  "greedy.mjs": `const now = ${SCALAR}; export const gradient = (task) => { const own = now(task); task.x.fill(0); task.factor.fill(0); return own; };`,
  "throws.mjs": wrong('if (n > 0) throw new TypeError("boom")'),
  "throws-text.mjs": wrong('throw "boom"'),
  "short.mjs": wrong("return { mean: new Float64Array(d + 1), factor: new Float64Array(d * d) }"),
  "partial.mjs": wrong("return { mean: new Float64Array(d) }"),
  "nothing.mjs": wrong(""),
  "nan.mjs": wrong("return { mean: new Float64Array(d).fill(NaN), factor: new Float64Array(d * d) }"),
  "loops.mjs": wrong("for (;;);"),
  "waits.mjs": wrong("return new Promise(() => {})"),
  "exits.mjs": wrong("process.exit(3)"),
  "other.mjs": "export const value = 1;",
  "syntax.mjs": "export const = ;",
  "loads.mjs": "for (;;);",
});

const sweep = { groups: 6, dims: 1 } as const;
const check = (file: string) => verify(sweep, { module: folder.file(file), timeout: 1 });

describe("verify of a user's gradient", () => {
  it.each(["right.mjs", "later.mjs", "loud.mjs", "greedy.mjs"])("finds %s right", async (file) => {
    const verification = await check(file);
    expect(verification).toMatchObject({ passed: true, groups: 6 });
    expect(verification.subject).toMatch(new RegExp(`${file}$`));
    expect(verification.checks.map(({ equation }) => equation)).toEqual(["J", "J", "J"]);
  });

  it.each([
    [
      "throws.mjs",
      /throws\.mjs: at group 0 \(d = 1, n = \d+\): gradient\(\) threw TypeError: boom\n +at .*throws\.mjs:1/,
    ],
    ["throws-text.mjs", /at group 0 .*: gradient\(\) threw boom/],
    ["short.mjs", /gradient\(\) gave mean of length 2, it must have length 1 \(d\)/],
    ["partial.mjs", /gradient\(\) gave no array as factor, it must be a Float64Array of length 1/],
    ["nothing.mjs", /gradient\(\) gave undefined, it must give \{ mean, factor \}/],
    ["loops.mjs", /at group 0 .*: gradient\(\) did not return within 1 s/],
    ["waits.mjs", /at group 0 .*: gradient\(\) did not return within 1 s/],
    ["exits.mjs", /at group 0 .*: it ended its thread, with code 3/],
    ["other.mjs", /exports no function "gradient"/],
    ["syntax.mjs", /syntax\.mjs: cannot be loaded: .*Unexpected/],
    ["loads.mjs", /while it was loaded: was not loaded within 1 s/],
  ])("tells what is wrong with %s", async (file, message) => {
    const running = check(file);
    await expect(running).rejects.toThrow(message);
    await expect(running).rejects.toHaveProperty("name", "GradientError");
  });

  it("finds the example right, at every condition it should be", async () => {
    const module = new URL("../../examples/verify-module.mjs", import.meta.url);
    expect((await verify({ groups: 40 }, { module })).passed).toBe(true);
    expect((await verify({ groups: 8, dims: [4, 8] }, { module, condition: 1e6 })).passed).toBe(true);
  });

  it("fails a gradient of NaN", async () => {
    const { passed, checks } = await check("nan.mjs");
    expect(passed).toBe(false);
    for (const { failed, worst } of checks) {
      expect(failed).toBe(6);
      expect(worst).toMatchObject({ group: 0, entry: [0], analytic: Number.NaN });
    }
  });

  it("checks a function in this thread", async () => {
    const gradient = (task: GradientTask) => {
      const { dJ1dFactor, dJ2dMean, dJ2dFactor } = gradientsWith({}, { g: 0, ...task });
      return { mean: dJ2dMean.map((m) => m / 2), factor: dJ1dFactor.map((f, e) => (f + dJ2dFactor[e]) / 2) };
    };
    expect((await verify({ groups: 12 }, { gradient })).passed).toBe(true);
    const doubled = async (task: GradientTask) => ({
      ...gradient(task),
      mean: gradient(task).mean.map((m) => 2 * m),
    });
    const { passed, checks } = await verify({ groups: 12 }, { gradient: doubled, at: "random" });
    expect(passed).toBe(false);
    for (const { worst } of checks) expect(worst?.entry).toHaveLength(1); // with respect to μ
  });

  it("names a function's own fault", async () => {
    const gradient = () => ({ mean: [0], factor: [0, 1] });
    await expect(verify(sweep, { gradient })).rejects.toThrow(
      /gradient\(\): at group 0 .*gave factor of length 2/,
    );
  });
});
