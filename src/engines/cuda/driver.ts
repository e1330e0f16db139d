// The CUDA driver's interface, as far as the engine uses it: libcuda.so.1 or nvcuda.dll, which come with NVIDIA's driver, called
// through koffi. Nothing of the CUDA toolkit is needed at run time.
import koffi from "koffi";

/** Pointer to memory of ours, that the call reads or writes. */
const pointer = "void *";
/** Handle, device address or host address, as a number of 64 bits. */
const handle = "uint64_t";
const int = "int";
const uint = "unsigned int";
const size = "size_t";

/** What each function takes; all return a code, 0 meaning success. The names are those that the library exports. */
const SIGNATURES = {
  cuInit: [uint],
  cuDriverGetVersion: [pointer],
  cuDeviceGetCount: [pointer],
  cuDeviceGet: [pointer, int],
  cuDeviceGetName: [pointer, int, int],
  cuDeviceGetAttribute: [pointer, int, int],
  cuCtxCreate_v2: [pointer, uint, int],
  cuCtxDestroy_v2: [handle],
  cuMemGetInfo_v2: [pointer, pointer],
  cuMemAlloc_v2: [pointer, size],
  cuMemFree_v2: [handle],
  cuMemHostAlloc: [pointer, size, uint],
  cuMemFreeHost: [handle],
  cuMemHostRegister_v2: [handle, size, uint],
  cuMemHostUnregister: [handle],
  cuMemHostGetDevicePointer_v2: [pointer, handle, uint],
  cuMemcpyHtoDAsync_v2: [handle, handle, size, handle],
  cuMemcpyDtoHAsync_v2: [handle, handle, size, handle],
  cuStreamCreate: [pointer, uint],
  cuStreamSynchronize: [handle],
  cuStreamWaitEvent: [handle, handle, uint],
  cuEventCreate: [pointer, uint],
  cuEventRecord: [handle, handle],
  cuEventSynchronize: [handle],
  cuModuleLoadDataEx: [pointer, pointer, uint, pointer, pointer],
  cuModuleGetFunction: [pointer, handle, "str"],
  cuFuncSetAttribute: [handle, int, int],
  cuOccupancyMaxActiveBlocksPerMultiprocessor: [pointer, handle, int, size],
  cuLaunchKernel: [handle, uint, uint, uint, uint, uint, uint, uint, handle, pointer, pointer],
  cuGetErrorName: [int, pointer],
} as const;

export type DriverFunction = keyof typeof SIGNATURES;

type Argument = number | bigint | string | ArrayBufferView | null;
type Call = (...values: Argument[]) => number;

/** A call that the driver refused. */
export class DriverError extends Error {
  override name = "DriverError";
  readonly function: DriverFunction;
  readonly code: number;
  /** What the driver wrote about it, where it writes: the compiler's log. */
  readonly log: string;

  constructor(name: DriverFunction, code: number, meaning: string, log = "") {
    super(`${name} gave ${meaning} (${code})`);
    this.function = name;
    this.code = code;
    this.log = log;
  }
}

/** The library cannot be loaded, or lacks a function. */
export class DriverMissing extends Error {
  override name = "DriverMissing";
}

/** Words for the driver to write into. They lie outside the JavaScript heap, so that their address holds during a call. */
export const outHandle = (): BigUint64Array => new BigUint64Array(new ArrayBuffer(8));
const outInt = (): Int32Array => new Int32Array(new ArrayBuffer(4));

export class Driver {
  /** The library's name or path. */
  readonly library: string;
  /** Whether the library is the stand-in of the tests, which computes on the CPU. */
  readonly standIn: boolean;
  readonly #functions: Readonly<Record<DriverFunction, Call>>;

  private constructor(library: string, standIn: boolean, functions: Readonly<Record<DriverFunction, Call>>) {
    this.library = library;
    this.standIn = standIn;
    this.#functions = functions;
  }

  /**
   * The library that MVNFIT_LIBCUDA names, or else the system's, initialised.
   *
   * @throws DriverMissing where it cannot be loaded or lacks a function
   * @throws DriverError   where it refuses to start
   */
  static load(): Driver {
    const path = libraryName();
    let library: ReturnType<typeof koffi.load>;
    try {
      library = koffi.load(path);
    } catch (error) {
      throw new DriverMissing(path, { cause: error });
    }
    const bind = (name: string, types: readonly string[]): Call => {
      try {
        return library.func(name, int, [...types]);
      } catch (error) {
        throw new DriverMissing(`${path} has no function ${name}`, { cause: error });
      }
    };
    const functions = Object.fromEntries(
      Object.entries(SIGNATURES).map(([name, types]) => [name, bind(name, types)]),
    ) as Record<DriverFunction, Call>;
    const driver = new Driver(path, isStandIn(library), functions);
    driver.call("cuInit", 0);
    return driver;
  }

  /** @throws DriverError where the driver refuses */
  call(name: DriverFunction, ...values: Argument[]): void {
    const code = this.try(name, ...values);
    if (code !== 0) throw this.error(name, code);
  }

  /** The code that the driver returns, 0 meaning success. */
  try(name: DriverFunction, ...values: Argument[]): number {
    return this.#functions[name](...values);
  }

  error(name: DriverFunction, code: number, log = ""): DriverError {
    const text = outHandle();
    const known = this.#functions.cuGetErrorName(code, text) === 0 && text[0] !== 0n;
    return new DriverError(name, code, known ? koffi.decode.string(text[0]) : "an unknown error", log);
  }

  /** The handle or address that a function writes through its first argument. */
  handleFrom(name: DriverFunction, ...values: Argument[]): bigint {
    const out = outHandle();
    this.call(name, out, ...values);
    return out[0];
  }

  /** The number that a function writes through its first argument. */
  intFrom(name: DriverFunction, ...values: Argument[]): number {
    const out = outInt();
    this.call(name, out, ...values);
    return out[0];
  }
}

function libraryName(): string {
  return process.env.MVNFIT_LIBCUDA || (process.platform === "win32" ? "nvcuda.dll" : "libcuda.so.1");
}

function isStandIn(library: ReturnType<typeof koffi.load>): boolean {
  try {
    library.func("mvnfitStandIn", int, []);
    return true;
  } catch {
    return false;
  }
}

/** Where an array's memory lies, for calls from any thread of this process. Keep the array until they are over. */
export function addressOf(array: ArrayBufferView): bigint {
  if (array.byteLength === 0) return 0n;
  // A small array lies in the JavaScript heap, where it can move, until its buffer is asked for.
  const { buffer, byteOffset } = array;
  return koffi.address(new Uint8Array(buffer, 0, 1)) + BigInt(byteOffset);
}
