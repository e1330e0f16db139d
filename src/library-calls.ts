// Functions of shared libraries, called through koffi: a call costs a fraction of a microsecond.
import { promisify } from "node:util";
import type koffi from "koffi";

export type SharedLibrary = ReturnType<typeof koffi.load>;

export type CallValue = number | bigint | string | null;

/** A function of C's. `later` runs it in a thread of Node's pool. */
export interface LibraryCall {
  (...values: CallValue[]): CallValue;
  readonly later: (...values: CallValue[]) => Promise<CallValue>;
}

/** Types of what functions take and give, as koffi names them. Addresses go as numbers of 64 bits. */
export const [NOTHING, I32, I64, F64, ADDRESS, SIZE, TEXT] = [
  "void",
  "int32_t",
  "int64_t",
  "double",
  "uint64_t",
  "size_t",
  "str",
];

/** So many addresses one after the other. */
export const addresses = (count: number): string[] => Array.from({ length: count }, () => ADDRESS);

/** @throws Error where the library has no such function */
export function callOf(
  library: SharedLibrary,
  name: string,
  answer: string,
  types: readonly string[],
): LibraryCall {
  const call = library.func(name, answer, [...types]);
  return Object.assign((...values: CallValue[]) => call(...values) as CallValue, {
    later: promisify(call.async) as LibraryCall["later"],
  });
}
