import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { mvnfit } from "./command.js";

const COMMANDS = ["fit", "bench", "simulate", "engines"];

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

  // What makes a start slow is what it loads: V8 lists it for a coverage report.
  it.each([[["--help"]], [["fit", "--help"]]])(
    "%j loads nothing but its entry and the one file",
    async (words) => {
      const reports = await mkdtemp(join(tmpdir(), "mvnfit-loaded-"));
      await mvnfit(words, { env: { NODE_V8_COVERAGE: reports } });
      const loaded: string[] = [];
      for (const name of await readdir(reports)) {
        const { result } = JSON.parse(await readFile(join(reports, name), "utf8"));
        for (const { url } of result) loaded.push(url);
      }
      await rm(reports, { recursive: true });
      const ours = loaded.filter((url) => !url.startsWith("node:"));
      expect(ours.map((url) => basename(url))).toEqual(["main.js", "command.js"]);
    },
  );

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
