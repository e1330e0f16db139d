import { afterEach, describe, expect, it } from "vitest";
import { estimates } from "../../src/engines/auto.js";
import { nativeProvider } from "../../src/engines/native/provider.js";
import { chooseEngine, openEngine } from "../../src/engines.js";
import { InputError } from "../../src/errors.js";
import { withStandIn } from "./cuda/stand-in.js";

const work = { groups: 1_000_000, dims: 8, rows: 0, valueBytes: 8, method: "lbfgs" } as const;

describe("what auto reckons with", () => {
  const sooner = (more: object, threads = 16) => {
    const { native, wasm, cuda } = estimates({ ...work, ...more }, threads);
    expect(native).toBeLessThan(wasm);
    return wasm <= cuda ? "wasm" : "cuda";
  };

  it.each([
    ["small work: the start decides", { groups: 1000 }, "wasm"],
    ["a closed form, which is done before its rows are sent", { method: "closed-form", rows: 2e8 }, "wasm"],
    ["many iterations of many groups", { method: "bb" }, "cuda"],
    ["many columns", { groups: 50_000, dims: 64, method: "newton" }, "cuda"],
  ])("%s", (_, more, engine) => {
    expect(sooner(more)).toBe(engine);
  });

  it("grows with every part of the work", () => {
    const before = estimates(work, 4);
    for (const more of [{ groups: 2e6 }, { dims: 9 }, { rows: 1e8 }, { method: "bb" }] as const) {
      const after = estimates({ ...work, ...more }, 4);
      expect(after.native).toBeGreaterThan(before.native);
      expect(after.wasm).toBeGreaterThan(before.wasm);
      expect(after.cuda).toBeGreaterThan(before.cuda);
    }
    expect(estimates(work, 8).wasm).toBeLessThan(before.wasm);
  });
});

withStandIn("what auto takes", () => {
  afterEach(() => {
    delete process.env.MVNFIT_AUTO;
    delete process.env.MVNFIT_INSTRUCTIONS;
  });

  const onProcessor = async () => ((await nativeProvider.probe()).available ? "native" : "wasm");

  it("computes on the processor where nothing is known of the work", async () => {
    expect(await chooseEngine()).toBe(await onProcessor());
  });

  it("is wasm where there is no library for the processor", async () => {
    process.env.MVNFIT_INSTRUCTIONS = "none";
    expect(await chooseEngine()).toBe("wasm");
  });

  it("is never the stand-in", async () => {
    expect(await chooseEngine(work)).toBe(await onProcessor());
  });

  it("is what MVNFIT_AUTO names, and nothing but what it may", async () => {
    process.env.MVNFIT_AUTO = "cuda";
    expect(await chooseEngine()).toBe("cuda");
    await using engine = await openEngine("auto");
    expect(engine.name).toBe("cuda");
    process.env.MVNFIT_AUTO = "tensorflow";
    await expect(chooseEngine()).rejects.toThrow(
      /MVNFIT_AUTO must be one of native, wasm, cuda, got "tensorflow"/,
    );
  });

  it("has no devices to name", async () => {
    await expect(openEngine("auto", { device: 0 })).rejects.toThrow(InputError);
    await expect(openEngine("wasm", { device: 0 })).rejects.toThrow(
      /device goes with the engine cuda, not with wasm/,
    );
  });
});
