import { expect, it } from "vitest";
import { STAND_IN_ENVIRONMENT, withStandIn } from "../engines/cuda/stand-in.js";
import { ON_PROCESSOR } from "../support/processor.js";
import { mvnfit, PENGUINS } from "./command.js";

const env = { ...STAND_IN_ENVIRONMENT, MVNFIT_STAND_IN: "devices=2" };
const penguins = [PENGUINS, "--group-by", "species", "--missing", "drop"];

withStandIn("the command with --engine cuda", () => {
  it("fits as the reference does, on one device and on two", async () => {
    const fitted = async (...words: string[]) => {
      const { code, stdout, stderr } = await mvnfit(["fit", ...penguins, "--json", ...words], { env });
      expect([code, stderr]).toEqual([0, ""]);
      return JSON.parse(stdout);
    };
    const want = await fitted("--engine", "reference");
    const one = await fitted("--engine", "cuda");
    const two = await fitted("--engine", "cuda", "--device", "1,0");
    expect(one.engine).toBe("cuda");
    expect(one.device).toBe("2 × stand-in of the tests, on the CPU");
    expect(two.groups).toEqual(one.groups);
    expect(one.counts).toEqual({ converged: 3 });
    want.groups.forEach((group: { covariance: number[][]; logLikelihood: number }, g: number) => {
      const [a, b] = [one.groups[g].covariance.flat(), group.covariance.flat()];
      const largest = Math.max(...b.map(Math.abs));
      a.forEach((value: number, e: number) => {
        expect(Math.abs(value - b[e])).toBeLessThanOrEqual(1e-12 * largest);
      });
      expect(one.groups[g].logLikelihood / group.logLikelihood).toBeCloseTo(1, 12);
    });
  });

  it("verifies its gradients", async () => {
    const words = ["verify", "--engine", "cuda", "--device", "0", "--groups", "12", "--format", "json"];
    const { code, stdout, stderr } = await mvnfit(words, { env });
    expect(stderr).toMatch(/engine: cuda \(stand-in of the tests/);
    expect([code, JSON.parse(stdout).passed]).toEqual([0, true]);
  });

  it("lists devices, version and precisions", async () => {
    const { stdout } = await mvnfit(["engines", "--json"], { env });
    const cuda = JSON.parse(stdout).engines.find((one: { name: string }) => one.name === "cuda");
    expect(cuda).toMatchObject({
      available: true,
      device: expect.stringMatching(/^0: stand-in of the tests.*, 1: stand-in/),
      version: "CUDA 12.4",
      precisions: ["float64", "float32"],
    });
  });

  it("is not taken by auto on the stand-in, whatever the work", async () => {
    const { code, stdout, stderr } = await mvnfit(["fit", ...penguins, "--method", "lbfgs"], { env });
    expect([code, stdout !== ""]).toEqual([0, true]);
    expect(stderr).toContain(`engine: ${ON_PROCESSOR}`);
  });

  it("is what auto takes where MVNFIT_AUTO says so", async () => {
    const { stderr } = await mvnfit(["fit", ...penguins], { env: { ...env, MVNFIT_AUTO: "cuda" } });
    expect(stderr).toMatch(/engine: cuda \(2 × stand-in/);
    const other = await mvnfit(["fit", ...penguins], { env: { ...env, MVNFIT_AUTO: "reference" } });
    expect([other.code, other.stderr]).toEqual([
      2,
      expect.stringMatching(/MVNFIT_AUTO must be one of native, wasm, cuda, got "reference"/),
    ]);
  });

  it.each([
    [
      "no driver",
      { MVNFIT_LIBCUDA: "libnowhere.so" },
      /no NVIDIA driver \(libnowhere\.so\).*Install the driver/,
    ],
    ["no device", { MVNFIT_STAND_IN: "devices=0" }, /no device that CUDA can use.*nvidia-smi/],
    [
      "a lost device",
      { MVNFIT_STAND_IN: "fail=kernel:3=700" },
      /the device was lost in the middle of the work/,
    ],
    ["no memory", { MVNFIT_STAND_IN: "memory=1000" }, /device memory.*--engine wasm/],
    ["another device's number", { MVNFIT_STAND_IN: "devices=1" }, /there is no device 1, only 0 to 0/],
  ])("ends with 1 and says why: %s", async (_, faulty, message) => {
    const words = ["fit", ...penguins, "--engine", "cuda"];
    if ("MVNFIT_STAND_IN" in faulty && faulty.MVNFIT_STAND_IN === "devices=1") words.push("--device", "1");
    const { code, stdout, stderr } = await mvnfit(words, { env: { ...env, ...faulty } });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(message);
  });

  it.each([
    [["fit", ...penguins, "--device", "0"], /--device goes with the engine cuda, not with auto/],
    [
      ["fit", ...penguins, "--engine", "wasm", "--device", "0"],
      /--device goes with the engine cuda, not with wasm/,
    ],
    [["verify", "--device", "0"], /--device goes with the engine cuda, not with auto/],
    [
      ["fit", ...penguins, "--engine", "cuda", "--device", "first"],
      /--device must be whole numbers from 0, got "first"/,
    ],
    [["fit", ...penguins, "--engine", "cuda", "--device", "0,0"], /--device names "0" more than once/],
  ])("refuses %s", async (words, message) => {
    const { code, stderr } = await mvnfit(words, { env });
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
