import { readFile } from "node:fs/promises";
import type { Kernels, Loaded } from "./code.js";
import { STACK_BYTES } from "./task.js";

const MODULE = new URL("../../kernels/mvn.wasm", import.meta.url);

interface Exports extends Kernels {
  readonly __stack_pointer: WebAssembly.Global;
  readonly __heap_base: WebAssembly.Global;
}

let compiled: Promise<WebAssembly.Module> | undefined;

/** The compiled module, the same for every engine and thread of the process. */
export function compiledModule(): Promise<WebAssembly.Module> {
  compiled ??= readFile(MODULE).then((bytes) => WebAssembly.compile(bytes));
  return compiled;
}

/** Words at the end of a stack that must not change tell an overflow, which is silent otherwise. It grows down. */
const CANARY = 0x5afe_c0de;
const CANARY_WORDS = 4;

/** The module's kernels over a memory, for one thread; with a stack of its own where it is not the first. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory, stack?: number): Loaded {
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const exports = instance.exports as unknown as Exports;
  let canary: Uint32Array = new Uint32Array();
  if (stack !== undefined) {
    exports.__stack_pointer.value = stack + STACK_BYTES;
    canary = new Uint32Array(memory.buffer, stack, CANARY_WORDS).fill(CANARY);
  }
  return {
    kernels: exports,
    free: exports.__heap_base.value,
    check() {
      if (canary.some((word) => word !== CANARY)) throw new Error("a kernel overflowed its stack");
    },
  };
}
