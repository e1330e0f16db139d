import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { mvnfit } from "./command.js";

const COMMANDS = ["fit", "simulate", "engines"];

/** What a person waits for help without noticing; measured as the best of RUNS, since the machine has other work too. */
const HELP_MS = 300;
const RUNS = 5;

describe("help", () => {
  it.each(COMMANDS)("of %s has examples and fits 80 columns", async (command) => {
    const { code, stdout } = await mvnfit([command, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples:\n +mvnfit /);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("names every command", async () => {
    const { stdout } = await mvnfit(["--help"]);
    for (const command of COMMANDS) expect(stdout).toContain(`mvnfit ${command} `);
  });

  it.each([[["--help"]], [["fit", "--help"]]])("%j comes at once", async (words) => {
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const start = performance.now();
      await mvnfit(words);
      times.push(performance.now() - start);
    }
    expect(Math.min(...times)).toBeLessThan(HELP_MS);
  });

  it.each([[["--version"]], [["fit", "--version"]]])("%j is the package's", async (words) => {
    const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
    expect(await mvnfit(words)).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("mvnfit engines", () => {
  it("tells of each engine what it is, or why not and what to do", async () => {
    const { stdout } = await mvnfit(["engines", "--json"]);
    const { engines } = JSON.parse(stdout);
    expect(engines.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(["reference", "wasm"]),
    );
    for (const engine of engines) {
      expect(Object.keys(engine)).toEqual([
        "name",
        "available",
        "device",
        "version",
        "precisions",
        "reason",
        "remedy",
      ]);
      expect(engine.available ? engine.device : engine.remedy).toMatch(/./);
      expect(engine.available ? engine.reason : engine.device).toBeNull();
    }
  });

  it("prints them as a table", async () => {
    expect((await mvnfit(["engines"])).stdout).toMatch(/^wasm +available +WebAssembly/m);
  });
});
