import { csvHeader, csvPieces, requireDistinct } from "./csv.js";
import { jsonPieces, ndjsonPieces } from "./json.js";
import { type FitsResult, SCALAR_COLUMNS } from "./result.js";
import { checkTarget } from "./target.js";
import { writeText } from "./text.js";
import { writeWhole } from "./whole.js";

type Writer = (result: FitsResult, file: string, signal?: AbortSignal) => Promise<void>;

const WRITERS = {
  ".json": (result, file, signal) => writeText(file, jsonPieces(result), signal),
  ".ndjson": (result, file, signal) => writeText(file, ndjsonPieces(result), signal),
  ".csv": (result, file, signal) => writeText(file, csvPieces(result), signal),
  ".parquet": async (result, file, signal) => {
    const { writeParquet } = await import("./parquet.js");
    await writeParquet(result, file, signal);
  },
} satisfies Record<string, Writer>;

/** The endings of files that fits can be written to. */
const FITS_ENDINGS = Object.keys(WRITERS) as readonly (keyof typeof WRITERS)[];

/** A file that fits will be written to, checked as far as can be before there are any. */
export class FitsFile {
  readonly path: string;
  readonly #ending: keyof typeof WRITERS;

  private constructor(path: string, ending: keyof typeof WRITERS) {
    this.path = path;
    this.#ending = ending;
  }

  /** @throws InputError where the file cannot be written, or is one of `inputs` */
  static async at(path: string, inputs: readonly string[]): Promise<FitsFile> {
    return new FitsFile(path, await checkTarget(path, FITS_ENDINGS, inputs));
  }

  /** @throws InputError where the format cannot hold these names side by side */
  checkNames(groupBy: readonly string[], columns: readonly string[]): void {
    if (this.#ending === ".csv") requireDistinct(csvHeader(groupBy, columns), this.path);
    if (this.#ending === ".parquet") {
      // DuckDB, which writes it, takes names that differ in case only for the same.
      const names = [...groupBy, ...SCALAR_COLUMNS, "mean", "covariance"];
      requireDistinct(
        names.map((name) => name.toLowerCase()),
        this.path,
      );
    }
  }

  async write(result: FitsResult, signal?: AbortSignal): Promise<void> {
    await writeWhole(this.path, (file) => WRITERS[this.#ending](result, file, signal), signal);
  }
}
