// The kernels as a shared library (scripts/build-native.mjs), called through koffi: a call costs a fraction of a microsecond and does
// the work of an item.
import { promisify } from "node:util";
import koffi from "koffi";
import type { RealArray } from "../../layout.js";
import type { FitValues, Kernels, Loaded } from "./code.js";

/** What calls them. */
export const VERSION = `koffi ${koffi.version}`;

const [i32, f64, address] = ["int32_t", "double", "uint64_t"];

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

function addresses(count: number): string[] {
  return Array.from({ length: count }, () => address);
}

/** Those that return a number; the others return nothing. */
const ANSWERS: readonly string[] = ["chunk_rows", "moments_scratch", "fit_scratch", "evaluate_scratch"];

interface Call {
  (...values: (number | bigint)[]): number;
  readonly async: (...values: unknown[]) => void;
}

/** What is passed: addresses of the process. */
type Placed = (values: readonly number[]) => number[];

/** A line of the cache: 0 is no address. */
const FREE = 64;

const functionOf = (
  library: ReturnType<typeof koffi.load>,
  name: string,
  types: readonly string[],
  answers: boolean,
): Call => library.func(name, answers ? i32 : "void", [...types]) as unknown as Call;

/**
 * Whether the processor and the system have the instructions that a library was compiled to.
 *
 * @throws Error where it cannot be loaded
 */
export const isSupported = (file: string): boolean =>
  functionOf(koffi.load(file), "supported", [], true)() !== 0;

/** A library's kernels over a memory, which must not move: a WebAssembly.Memory that is shared does not. */
export function bind(file: string, memory: WebAssembly.Memory): Loaded {
  const library = koffi.load(file);
  const base = Number(koffi.address(new Uint8Array(memory.buffer)));
  const calls = Object.entries(SIGNATURES).map(([name, types]): [string, Call, Placed] => {
    const isAddress = types.map((type) => type === address);
    const placed: Placed = (values) =>
      values.map((value, i) => (isAddress[i] && value !== 0 ? base + value : value));
    return [name, functionOf(library, name, types, ANSWERS.includes(name)), placed];
  });
  const kernels = Object.fromEntries(
    calls.map(([name, call, placed]) => [name, (...values: number[]) => call(...placed(values))]),
  );
  const [, fit, placed] = calls.find(([name]) => name === "fit")!;
  const later = promisify(fit.async) as (...values: number[]) => Promise<void>;
  const fitLater = (...values: FitValues) => later(...placed(values));
  const addressOf = (array: RealArray): number => Number(koffi.address(array)) - base;
  return { kernels: kernels as unknown as Kernels, free: FREE, addressOf, fitLater, check() {} };
}
