import { EngineError } from "../../errors.js";
import { type DriverError, type DriverFunction, DriverMissing } from "./driver.js";

const UPDATE = "Update NVIDIA's driver, or use --engine wasm";
const OTHER = "Try again; if it stays so, restart the process, look at nvidia-smi, or use --engine wasm";

/** Codes of the driver that have a cause of their own, and what to do then. */
const CAUSES: Readonly<Record<number, readonly [reason: string, remedy: string]>> = {
  2: [
    "the device is out of memory",
    "Close other programs that use it, fit fewer groups at a time, or use --engine wasm",
  ],
  3: ["the driver is not initialised or shutting down", OTHER],
  34: [
    "the driver library is the toolkit's stub",
    "Install NVIDIA's driver, or set MVNFIT_LIBCUDA to its libcuda",
  ],
  46: [
    "the device is in exclusive use by another process",
    "Wait for it, pick another with --device, or use --engine wasm",
  ],
  100: ["no device that CUDA can use", "Look at nvidia-smi and CUDA_VISIBLE_DEVICES, or use --engine wasm"],
  101: ["no device of that number", "Pick one that mvnfit engines lists"],
  209: ["the kernels were not built for this device", "Install the package again, or use --engine wasm"],
  214: ["a memory error of the hardware (ECC) was found", "Look at nvidia-smi; restart the process"],
  218: ["the driver does not take the kernels' PTX", UPDATE],
  222: ["the driver is too old for the kernels' PTX", UPDATE],
  701: ["a kernel needs more registers or memory than the device has", "Report it, and use --engine wasm"],
  702: [
    "a kernel ran longer than the system allows",
    "Fit fewer groups at a time, or use a device without a display",
  ],
  803: [
    "the driver library does not match the kernel's driver",
    "Restart the machine after the driver's update",
  ],
  804: ["the driver library is newer than this device's driver allows", UPDATE],
};

/** Codes after which every call on the context fails. */
const LOST = new Set([214, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 720, 721, 999]);

const WORK: Partial<Record<DriverFunction, string>> = {
  cuInit: "the driver does not start",
  cuCtxCreate_v2: "the device cannot be opened",
  cuModuleLoadDataEx: "the kernels cannot be loaded",
  cuModuleGetFunction: "a kernel is missing from its file",
  cuLaunchKernel: "a kernel cannot be started",
  cuMemHostAlloc: "pinned host memory cannot be had",
  cuMemHostRegister_v2: "host memory cannot be locked in place",
};

/** What a driver's refusal means to whoever called, and what can be done. */
function explain(error: DriverError): { readonly reason: string; readonly remedy: string } {
  const [cause, remedy] = CAUSES[error.code] ?? [
    LOST.has(error.code) ? "the device was lost in the middle of the work" : "the driver refused",
    OTHER,
  ];
  const work = WORK[error.function];
  const log = error.log === "" ? "" : `; ${error.log.split("\n")[0]}`;
  const reason = `${work ? `${work}: ` : ""}${cause} (${error.message}${log})`;
  return { reason, remedy };
}

export function engineError(error: DriverError | DriverMissing): EngineError {
  const { reason, remedy } = error instanceof DriverMissing ? explainMissing(error) : explain(error);
  return new EngineError(`cuda: ${reason}`, remedy, { cause: error });
}

/** There is no library, or it is too old to have all functions. */
function explainMissing(error: DriverMissing): { readonly reason: string; readonly remedy: string } {
  if (error.message.includes(" has no function ")) {
    return { reason: `the driver is too old: ${error.message}`, remedy: UPDATE };
  }
  return {
    reason: `no NVIDIA driver (${error.message}) on this machine`,
    remedy: "Install the driver, or use --engine wasm",
  };
}
