import { arch, platform } from "node:process";
import { fileURLToPath } from "node:url";
import koffi from "koffi";
import { ADDRESS, addresses, callOf, I32, type LibraryCall, NOTHING, TEXT } from "../library-calls.js";
import { LIBRARY_ENDING } from "../shared-library.js";

/** What our library for the rows of files exports: see kernels/README.md. */
export class RowsLibrary {
  readonly readRows: LibraryCall;
  readonly showTable: LibraryCall;
  readonly numberKeys: LibraryCall;
  readonly numberTexts: LibraryCall;

  constructor() {
    const file = `../kernels/native/rows-${platform}-${arch}.${LIBRARY_ENDING}`;
    const library = koffi.load(fileURLToPath(new URL(file, import.meta.url)));
    this.readRows = callOf(library, "read_rows", NOTHING, addresses(3));
    this.showTable = callOf(library, "show_table", I32, [ADDRESS, ADDRESS, TEXT, ADDRESS]);
    this.numberKeys = callOf(library, "number_keys", I32, [...addresses(3), I32, I32, ADDRESS, I32]);
    this.numberTexts = callOf(library, "number_texts", I32, [...addresses(4), I32, I32]);
  }
}

let library: RowsLibrary | undefined;

/** @throws Error where there is no such library for this platform, or it does not load */
export function rowsLibrary(): RowsLibrary {
  library ??= new RowsLibrary();
  return library;
}
