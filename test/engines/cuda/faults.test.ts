import { afterEach, beforeEach, expect, it } from "vitest";
import { CudaEngine } from "../../../src/engines/cuda/engine.js";
import { cudaProvider } from "../../../src/engines/cuda/provider.js";
import { EngineError } from "../../../src/errors.js";
import { fit } from "../../../src/fit.js";
import { Parameters } from "../../../src/parameters.js";
import { gaussianBatch, generalParameters } from "../../support/gaussians.js";
import { Random } from "../../support/random.js";
import { openOn, standIn, withStandIn } from "./stand-in.js";

const batch = gaussianBatch(new Random(5), { dims: 3, sizes: [40, 0, 700, 3, 12], weighted: true });
const parameters = Parameters.from(generalParameters(new Random(1), batch.groups, 3), batch, "test");

/** Rows in, statistics, an evaluation and two fits out. */
async function work(engine: CudaEngine): Promise<void> {
  await using session = await engine.open(batch);
  const solve = { ddof: 0, start: "default", tolerance: 1e-8, maxIterations: 100 } as const;
  await session.statistics();
  await session.fit({ ...solve, method: "closed-form" });
  await session.fit({ ...solve, method: "lbfgs" });
  await session.evaluate(parameters);
}

withStandIn("a fault of the driver", () => {
  beforeEach(() => standIn.set(""));
  afterEach(() => expect(standIn.live()).toBe(0));

  /** How often each function is called by opening an engine and by `work`. */
  async function callsOf(names: readonly string[]): Promise<Map<string, number>> {
    const engine = await openOn("");
    await work(engine);
    await engine.close();
    return new Map(names.map((name) => [name, standIn.calls(name)]));
  }

  it.each([
    ["cuInit", 999, /the driver does not start/],
    ["cuDeviceGetCount", 3, /not initialised/],
    ["cuDeviceGetAttribute", 1, /cuDeviceGetAttribute/],
    ["cuCtxCreate_v2", 2, /the device cannot be opened: the device is out of memory/],
    ["cuStreamCreate", 999, /cuStreamCreate/],
    ["cuEventCreate", 2, /out of memory/],
    ["cuMemHostAlloc", 2, /pinned host memory cannot be had/],
    ["cuMemHostGetDevicePointer_v2", 1, /cuMemHostGetDevicePointer/],
  ] as const)("while the engine opens is its error: %s", async (name, code, message) => {
    const calls = (await callsOf([name])).get(name) ?? 0;
    expect(calls).toBeGreaterThan(0);
    // Some functions are called by the main thread, then by the device's: in turn, the first and the last of them.
    for (const call of new Set([1, Math.min(calls, name === "cuInit" ? 2 : 1)])) {
      standIn.set(`fail=${name}:${call}=${code}`);
      const error = await CudaEngine.start({}).catch((reason) => reason);
      expect(error).toBeInstanceOf(EngineError);
      expect(error.message).toMatch(message);
      expect(error.remedy).not.toBe("");
      expect(standIn.live()).toBe(0);
    }
  });

  it.each([
    ["cuMemAlloc_v2", 2, /out of memory|could not have/],
    ["cuLaunchKernel", 701, /a kernel cannot be started: a kernel needs more registers/],
    ["kernel", 700, /the device was lost in the middle of the work.*ILLEGAL_ADDRESS \(700\)/],
    [
      "cuMemcpyHtoDAsync_v2",
      1,
      /the driver refused \(cuMemcpyHtoDAsync_v2 gave CUDA_ERROR_INVALID_VALUE \(1\)\)/,
    ],
    ["cuMemcpyDtoHAsync_v2", 719, /lost.*LAUNCH_FAILED/],
    ["cuStreamSynchronize", 214, /a memory error of the hardware/],
    ["cuEventSynchronize", 702, /a kernel ran longer than the system allows/],
    ["cuStreamWaitEvent", 1, /cuStreamWaitEvent/],
    ["cuEventRecord", 1, /cuEventRecord/],
    ["cuMemGetInfo_v2", 1, /cuMemGetInfo_v2/],
    ["cuModuleLoadDataEx", 222, /the kernels cannot be loaded: the driver is too old for the kernels' PTX/],
    ["cuModuleLoadDataEx", 218, /the driver does not take the kernels' PTX/],
    ["cuModuleLoadDataEx", 209, /the kernels were not built for this device/],
    ["cuModuleGetFunction", 500, /a kernel is missing from its file/],
    ["cuOccupancyMaxActiveBlocksPerMultiprocessor", 1, /cuOccupancyMaxActiveBlocks/],
  ] as const)(
    "at any call of %s (%i) ends in a clear error, nothing is left, and the engine goes on",
    async (name, code, message) => {
      const calls = (await callsOf([name])).get(name) ?? 0;
      expect(calls).toBeGreaterThan(0);
      for (let call = 1; call <= calls; call += Math.max(1, Math.floor(calls / 5))) {
        standIn.set("");
        const engine = await openOn(`fail=${name}:${call}=${code}`);
        const error = await work(engine).then(
          () => undefined,
          (reason) => reason,
        );
        // In an engine that goes on, or one that starts anew, the same work succeeds.
        if (error) {
          expect(error).toBeInstanceOf(EngineError);
          expect(error.message, `call ${call}`).toMatch(message);
          expect(error.message).toMatch(/^cuda: /);
          expect(error.remedy).not.toBe("");
          expect(standIn.blocks(), `blocks after call ${call} of ${calls}`).toBe(0);
        }
        await work(engine);
        await engine.close();
        expect(standIn.live(), `left after call ${call} of ${calls}`).toBe(0);
      }
    },
  );

  it("in giving memory back makes the device start anew, and is not seen", async () => {
    for (const call of [1, 2, 3]) {
      const engine = await openOn(`fail=cuMemFree_v2:${call}=719`);
      await work(engine).catch((error) => expect(error).toBeInstanceOf(EngineError));
      await work(engine);
      await engine.close();
      expect(standIn.live()).toBe(0);
    }
  });

  it("in locking memory makes uploads slower, nothing else", async () => {
    // The first is the page through which a call is stopped.
    const engine = await openOn("fail=cuMemHostRegister_v2:2=712");
    const own = engine.allocate({ offsets: batch.offsets, dims: 3, weighted: true });
    own.x.set(batch.x);
    own.weights?.set(batch.weights as Float64Array);
    const [a, b] = [await fit(own, { engine }), await fit(batch, { engine })];
    expect(a.factor).toEqual(b.factor);
    own.release();
    await engine.close();
  });

  it("that takes the device takes the sessions whose statistics lay on it, and says so", async () => {
    const engine = await openOn("");
    const session = await engine.open(batch);
    await session.statistics();
    standIn.set("fail=kernel:1=700");
    await expect(fit(batch, { engine })).rejects.toThrow(/lost/);
    await expect(session.statistics()).rejects.toThrow(
      /the session's statistics were lost with the device. Open/,
    );
    await session.close();
    expect((await fit(batch, { engine })).counts.converged).toBe(3);
    await engine.close();
  });
});

withStandIn("what there is to say where cuda cannot be had", () => {
  const library = process.env.MVNFIT_LIBCUDA;
  const kernels = process.env.MVNFIT_CUDA_KERNELS;
  afterEach(() => {
    process.env.MVNFIT_LIBCUDA = library;
    process.env.MVNFIT_CUDA_KERNELS = kernels;
  });
  const probe = async (words: string) => {
    standIn.set(words);
    return await cudaProvider.probe();
  };

  it.each([
    ["devices=0", /no device that CUDA can use/, /CUDA_VISIBLE_DEVICES/],
    ["capability=70", /compute capability 7.0, and the kernels need 7.5/, /Turing/],
    ["version=9020", /too old: it knows CUDA 9.2, and the kernels need 10.0/, /Update/],
    ["fail=cuInit:1=803", /does not match/, /Restart the machine/],
    ["fail=cuInit:1=34", /stub/, /MVNFIT_LIBCUDA/],
  ])("on a machine with %s", async (words, reason, remedy) => {
    expect(await probe(words)).toMatchObject({
      available: false,
      reason: expect.stringMatching(reason),
      remedy: expect.stringMatching(remedy),
    });
  });

  it("where there is no driver", async () => {
    process.env.MVNFIT_LIBCUDA = "libcuda-that-is-not-there.so.1";
    expect(await probe("")).toEqual({
      available: false,
      reason: "no NVIDIA driver (libcuda-that-is-not-there.so.1) on this machine",
      remedy: "Install the driver, or use --engine wasm",
    });
    await expect(CudaEngine.start({})).rejects.toThrow(/^cuda: no NVIDIA driver/);
  });

  it("where the library is no driver", async () => {
    process.env.MVNFIT_LIBCUDA = "libm.so.6";
    expect(await probe("")).toMatchObject({
      available: false,
      reason: expect.stringMatching(/has no function cuInit/),
    });
  });

  it("where the kernels are not built", async () => {
    process.env.MVNFIT_CUDA_KERNELS = "/nowhere";
    expect(await probe("")).toMatchObject({
      available: false,
      reason: expect.stringMatching(/the kernels are not built: .*entries\.json/),
      remedy: expect.stringMatching(/npm run build:cuda/),
    });
  });

  it("and where it can: devices and version", async () => {
    expect(await probe("devices=2")).toEqual({
      available: true,
      device: "0: stand-in of the tests, on the CPU, 1: stand-in of the tests, on the CPU",
      version: "CUDA 12.4",
      standIn: true,
    });
  });
});
