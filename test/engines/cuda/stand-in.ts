// The stand-in for NVIDIA's driver (kernels/native/driver/), which global-setup.ts has built where there is g++.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import koffi from "koffi";
import { describe, it } from "vitest";
import { CudaEngine } from "../../../src/engines/cuda/engine.js";
import { Kernels } from "../../../src/engines/cuda/kernels.js";

const folder = fileURLToPath(new URL("../../../build/stand-in/", import.meta.url));
const library = `${folder}libcuda-stand-in.so`;
const kernels = fileURLToPath(new URL("../../../dist/kernels/cuda/", import.meta.url));

/** Whether nvcc was there to build all kernels. */
function hasPtx(): boolean {
  try {
    new Kernels(kernels);
    return true;
  } catch {
    return false;
  }
}

/** Where there is PTX, the names of the kernels are looked up in it, as a driver does. */
export const STAND_IN_ENVIRONMENT = {
  MVNFIT_LIBCUDA: library,
  MVNFIT_CUDA_KERNELS: hasPtx() ? kernels : `${folder}kernels`,
};

const present = existsSync(library);

/** The functions that the stand-in has beside the driver's. */
function controls() {
  const loaded = koffi.load(library);
  return {
    /** What it is to be and to do wrong (kernels/native/driver/settings.hpp); everything else is as at first. */
    set: loaded.func("mvnfitStandInSet", "int", ["str"]) as (words: string) => number,
    /** How often a function was called since. */
    calls: loaded.func("mvnfitStandInCalls", "int", ["str"]) as (name: string) => number,
    /** Contexts, blocks of device memory and locked host memory that have not been given back. */
    live: loaded.func("mvnfitStandInLive", "int", []) as () => number,
    /** Blocks of device memory alone. */
    blocks: loaded.func("mvnfitStandInBlocks", "int", []) as () => number,
  };
}

export const standIn = present ? controls() : ({} as ReturnType<typeof controls>);

/** Declares tests that need the stand-in; in this process the engine finds it from now on. */
export function withStandIn(name: string, tests: () => void): void {
  if (!present) {
    describe(name, () => it.skip("needs g++ to build the stand-in for the driver"));
    return;
  }
  Object.assign(process.env, STAND_IN_ENVIRONMENT);
  describe(name, tests);
}

/** An engine on the stand-in, with these settings from now on. */
export function openOn(words: string, device?: number | readonly number[]): Promise<CudaEngine> {
  standIn.set(words);
  return CudaEngine.start(device === undefined ? {} : { device });
}
