import { arch } from "node:process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Batch } from "../../src/batch.js";
import type { Engine } from "../../src/engine.js";
import { chooseLibrary, libraryOf } from "../../src/engines/native/libraries.js";
import { nativeProvider } from "../../src/engines/native/provider.js";
import { conformance } from "../engine.conformance.js";
import { closedForm, uniforms } from "./threads/support.js";

/** What this machine's kind of processor may have, and how the device's name begins. */
const ALL = { x64: { avx512: "AVX-512", avx2: "AVX2" }, arm64: { neon: "NEON" } }[arch as string] ?? {};

async function openWith(instructions: string, threads = 2): Promise<Engine> {
  process.env.MVNFIT_INSTRUCTIONS = instructions;
  try {
    return await nativeProvider.create({ threads });
  } finally {
    delete process.env.MVNFIT_INSTRUCTIONS;
  }
}

for (const [instructions, words] of Object.entries(ALL)) {
  const choice = await chooseLibrary(instructions);
  describe.skipIf("reason" in choice)(`${words}${"reason" in choice ? `: ${choice.reason}` : ""}`, () => {
    conformance(() => openWith(instructions), {
      precisions: ["float64", "float32"],
      large: true,
      lends: true,
    });

    it("is named as the device", async () => {
      await using engine = await openWith(instructions, 1);
      expect(engine.name).toBe("native");
      expect(engine.device).toMatch(new RegExp(`^${words}, 1 thread, \\S`));
    });

    it("gives the same bits on 1, 2 and 3 threads", async () => {
      const sizes = [0, 1, 5, 300_000, 17, 300, ...Array(200).fill(23)];
      const offsets = [0];
      for (const size of sizes) offsets.push(offsets[offsets.length - 1] + size);
      for (const dims of [2, 3, 8, 9, 17, 40]) {
        const batch = Batch.fromOffsets(uniforms(offsets[sizes.length] * dims), offsets, { dims });
        const results: Buffer[] = [];
        for (const threads of [1, 2, 3]) {
          await using engine = await openWith(instructions, threads);
          await using session = await engine.open(batch);
          const { mean, covariance, factor, logLikelihood } = await session.fit(closedForm);
          results.push(
            Buffer.concat([mean, covariance, factor, logLikelihood].map((one) => Buffer.from(one.buffer))),
          );
        }
        expect(results[1].equals(results[0]), `d = ${dims}, two threads`).toBe(true);
        expect(results[2].equals(results[0]), `d = ${dims}, three threads`).toBe(true);
      }
    });
  });
}

describe("the choice of a library", () => {
  const names = Object.keys(ALL);

  it("is the first that runs", async () => {
    const choice = await chooseLibrary("");
    if ("reason" in choice) expect(choice.remedy).toMatch(/Use the engine wasm/);
    else expect(names.map((name) => libraryOf(name))).toContain(choice.file);
  });

  it("says which instructions there are where it is asked for others", async () => {
    expect(await chooseLibrary("sse9")).toEqual({
      reason: `MVNFIT_INSTRUCTIONS must be one of ${names.join(", ")}, got "sse9"`,
      remedy: "Unset it. Use the engine wasm, which runs everywhere",
    });
  });

  it("says that there is no library", async () => {
    const choice = await chooseLibrary("", (name) => `/nowhere/${name}`);
    expect(choice).toMatchObject({
      reason: expect.stringMatching(/^there is no library of the kernels for \w+-\w+$/),
    });
  });

  it("says why a library does not load", async () => {
    const choice = await chooseLibrary("", () => new URL(import.meta.url).pathname);
    expect(choice).toMatchObject({
      reason: expect.stringMatching(/^the library of the kernels does not load: \S/),
    });
  });
});

describe("the engine", () => {
  beforeEach(() => {
    process.env.MVNFIT_INSTRUCTIONS = "sse9";
  });
  afterEach(() => {
    delete process.env.MVNFIT_INSTRUCTIONS;
  });

  it("is not available, with a reason and a remedy, where it has no library", async () => {
    expect(await nativeProvider.probe()).toMatchObject({
      available: false,
      reason: expect.stringMatching(/got "sse9"/),
    });
    await expect(nativeProvider.create({})).rejects.toThrow(/^native: not available: .*got "sse9"/);
  });
});
