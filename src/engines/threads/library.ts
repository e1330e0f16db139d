// The kernels as a shared library (scripts/build-native.mjs): a call does the work of an item.
import koffi from "koffi";
import type { RealArray } from "../../layout.js";
import {
  ADDRESS as address,
  addresses,
  callOf,
  F64 as f64,
  I32 as i32,
  type LibraryCall,
  NOTHING,
} from "../../library-calls.js";
import type { FitValues, Kernels, Loaded } from "./code.js";

/** What calls them. */
export const VERSION = `koffi ${koffi.version}`;

const STATISTICS = addresses(4);
/** How groups are solved and where results go, behind the statistics. */
const SOLVE = [i32, ...addresses(2), f64, f64, i32, f64, ...addresses(10)] as const;

/** What each function takes: whole numbers, numbers, and addresses, which are of the engine's memory. */
const SIGNATURES = {
  chunk_rows: [i32],
  moments_scratch: [i32, i32],
  moments: [i32, ...addresses(3), i32, i32, ...addresses(5)],
  merge: [i32, i32, ...addresses(4)],
  fit_scratch: [i32, i32, i32],
  fit: [i32, i32, i32, i32, ...STATISTICS, ...SOLVE],
  fit_rows: [i32, ...addresses(3), i32, i32, i32, i32, ...STATISTICS, ...SOLVE],
  evaluate_scratch: [i32, i32],
  evaluate: [i32, i32, i32, ...addresses(14)],
} as const satisfies Record<keyof Kernels, readonly string[]>;

/** Those that return a number; the others return nothing. */
const ANSWERS: readonly string[] = ["chunk_rows", "moments_scratch", "fit_scratch", "evaluate_scratch"];

/** What is passed: addresses of the process. */
type Placed = (values: readonly number[]) => number[];

/** A line of the cache: 0 is no address. */
const FREE = 64;

/**
 * Whether the processor and the system have the instructions that a library was compiled to.
 *
 * @throws Error where it cannot be loaded
 */
export const isSupported = (file: string): boolean => callOf(koffi.load(file), "supported", i32, [])() !== 0;

/** A library's kernels over a memory, which must not move: a WebAssembly.Memory that is shared does not. */
export function bind(file: string, memory: WebAssembly.Memory): Loaded {
  const library = koffi.load(file);
  const base = Number(koffi.address(new Uint8Array(memory.buffer)));
  const calls = Object.entries(SIGNATURES).map(([name, types]): [string, LibraryCall, Placed] => {
    const isAddress = types.map((type) => type === address);
    const placed: Placed = (values) =>
      values.map((value, i) => (isAddress[i] && value !== 0 ? base + value : value));
    return [name, callOf(library, name, ANSWERS.includes(name) ? i32 : NOTHING, types), placed];
  });
  const kernels = Object.fromEntries(
    calls.map(([name, call, placed]) => [name, (...values: number[]) => call(...placed(values))]),
  );
  const [, fit, placed] = calls.find(([name]) => name === "fit")!;
  const fitLater = async (...values: FitValues): Promise<void> => {
    await fit.later(...placed(values));
  };
  const addressOf = (array: RealArray): number => Number(koffi.address(array)) - base;
  return { kernels: kernels as unknown as Kernels, free: FREE, addressOf, fitLater, check() {} };
}
