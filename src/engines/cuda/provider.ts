import type { Engine, EngineOptions, EngineProvider, Probe } from "../../engine.js";
import { EngineError } from "../../errors.js";

/** CUDA 10.0: the first whose compiler takes the kernels' PTX (6.3) and knows compute capability 7.5. */
const LEAST_VERSION = 10_000;

/** Hand-written CUDA kernels, launched through the driver: needs NVIDIA's driver and nothing else. */
export const cudaProvider: EngineProvider = {
  name: "cuda",
  precisions: ["float64", "float32"],
  probe,
  create,
};

async function create(options: EngineOptions): Promise<Engine> {
  const { CudaEngine } = await loaded();
  return CudaEngine.start(options);
}

async function probe(): Promise<Probe> {
  try {
    const { Driver, usableDevices, inWords } = await loaded();
    const facts = usableDevices();
    const driver = Driver.load();
    const version = driver.intFrom("cuDriverGetVersion");
    if (version < LEAST_VERSION) {
      const reason = `the driver is too old: it knows CUDA ${inDigits(version)}, and the kernels need ${inDigits(LEAST_VERSION)}`;
      return { available: false, reason, remedy: "Update NVIDIA's driver, or use --engine wasm" };
    }
    const missing = await missingKernels();
    if (missing) return missing;
    return {
      available: true,
      device: facts.map((one) => `${one.ordinal}: ${inWords([one])}`).join(", "),
      version: `CUDA ${inDigits(version)}`,
      ...(driver.standIn && { standIn: true }),
    };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const { remedy, message } = error;
    const reason = message.slice("cuda: ".length, remedy === "" ? undefined : -remedy.length - 2);
    return { available: false, reason, remedy };
  }
}

/** The engine's code, with koffi: loaded when it is asked for, since it costs time and is not there for every platform. */
async function loaded() {
  try {
    const [{ CudaEngine }, { Driver }, { inWords, usableDevices }] = await Promise.all([
      import("./engine.js"),
      import("./driver.js"),
      import("./machine.js"),
    ]);
    return { CudaEngine, Driver, inWords, usableDevices };
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0];
    throw new EngineError(
      `cuda: koffi, which calls the driver, cannot be loaded: ${reason}`,
      "Use --engine wasm",
      {
        cause: error,
      },
    );
  }
}

/** Where the package was built without nvcc. */
async function missingKernels(): Promise<Probe | undefined> {
  const { Kernels } = await import("./kernels.js");
  try {
    new Kernels();
    return undefined;
  } catch (error) {
    const reason = `the kernels are not built: ${(error as Error).message}`;
    const remedy =
      "Install the published package, or install nvcc and run npm run build:cuda, or use --engine wasm";
    return { available: false, reason, remedy };
  }
}

/** 12040 is 12.4. */
const inDigits = (version: number): string =>
  `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
