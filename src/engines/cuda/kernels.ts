// What the kernels' build wrote down about them: which entries there are, in which files, and how their arguments lie.
import { accessSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** How one argument is stored; each takes 8 bytes. */
type Kind = "pointer" | "i64" | "f64";

interface Entry {
  readonly name: string;
  /** Names of its files, `${name}.${capability}.ptx` with the compute capability times ten; the oldest comes first. */
  readonly files: readonly string[];
  /** Name of the structure of its arguments. */
  readonly arguments: string;
}

/** entries.json, which scripts/build-cuda.mjs makes from kernels/cuda/entries.hpp and arguments.hpp. */
interface Listing {
  readonly arguments: Readonly<Record<string, readonly (readonly [name: string, kind: Kind])[]>>;
  /** In the order that `describe` counts them in. */
  readonly entries: readonly Entry[];
}

/** The arguments of a launch by name: addresses as bigint, numbers as number. */
export type Values = Readonly<Record<string, bigint | number>>;

export class Kernels {
  readonly folder: string;
  readonly listing: Listing;

  /** @throws Error where the kernels have not been built */
  constructor(folder = kernelFolder()) {
    this.folder = folder;
    this.listing = JSON.parse(readFileSync(join(folder, "entries.json"), "utf8"));
    for (const { files } of this.listing.entries) for (const file of files) accessSync(join(folder, file));
  }

  /** The best file of an entry for a device of this compute capability, times ten. */
  fileFor({ files }: Pick<Entry, "files">, capability: number): string {
    const fit = files.filter((file) => Number(file.split(".")[1]) <= capability);
    return fit.at(-1) ?? files[0];
  }

  /** A file's PTX, ending in the NUL that the driver looks for. */
  image(file: string): Uint8Array {
    const text = readFileSync(join(this.folder, file));
    const image = new Uint8Array(new ArrayBuffer(text.byteLength + 1));
    image.set(text);
    return image;
  }

  entry(place: number): Entry {
    return this.listing.entries[place];
  }

  /** The structure that an entry is launched with. */
  pack(entry: Entry, values: Values): BigInt64Array {
    const fields = this.listing.arguments[entry.arguments];
    const words = new BigInt64Array(new ArrayBuffer(fields.length * 8));
    const reals = new Float64Array(words.buffer);
    fields.forEach(([name, kind], i) => {
      const value = values[name];
      if (value === undefined) throw new Error(`${entry.name}: no value for ${name}`);
      if (kind === "f64") reals[i] = Number(value);
      else words[i] = BigInt.asIntN(64, BigInt(value));
    });
    return words;
  }
}

/** Beside the engine's own code in dist, or where MVNFIT_CUDA_KERNELS says: for kernels that are being worked on. */
function kernelFolder(): string {
  return process.env.MVNFIT_CUDA_KERNELS || fileURLToPath(new URL("../../kernels/cuda/", import.meta.url));
}
