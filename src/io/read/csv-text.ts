import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { TableFile } from "./table.js";

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** The separators that a header may use, the first one preferred. */
export const DELIMITERS = [",", ";", "\t", "|"] as const;

const SEPARATORS: ReadonlySet<number> = new Set(DELIMITERS.map((one) => one.charCodeAt(0)));

export interface TextRecord {
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/**
 * The record (a line, or several where a quoted field has line ends in it) at position `wanted`, the header being 0.
 * Blank lines count as records only where `blanks` says so: in a file of one column they are its missing values.
 */
export async function recordAt(
  file: TableFile,
  wanted: number,
  blanks: boolean,
): Promise<TextRecord | undefined> {
  const scan = { line: 1, record: 0, quoted: false, start: true, afterCr: false, length: 0 };
  let began = 1;
  const bytes: number[] = [];
  for await (const chunk of textOf(file)) {
    for (const byte of chunk) {
      const crlf = scan.afterCr && byte === LF;
      scan.afterCr = byte === CR;
      if (crlf) continue;
      const ends = byte === LF || byte === CR;
      if (ends) scan.line++;
      if (ends && !scan.quoted) {
        if (scan.length > 0 || blanks || scan.record === 0) {
          if (scan.record === wanted) return { line: began, text: decode(bytes) };
          scan.record++;
        }
        began = scan.line;
        scan.length = 0;
        scan.start = true;
        continue;
      }
      // A quote opens a field at its start only; within one, two of them are a quote and open it again.
      if (byte === QUOTE && (scan.quoted || scan.start)) scan.quoted = !scan.quoted;
      scan.start = SEPARATORS.has(byte) || (byte === QUOTE && !scan.quoted);
      scan.length++;
      if (scan.record === wanted) bytes.push(byte);
    }
  }
  return scan.record === wanted && bytes.length > 0 ? { line: began, text: decode(bytes) } : undefined;
}

/** The fields of one record, quotes taken off. */
export function fieldsOf(text: string, delimiter: string): string[] {
  const fields: string[] = [];
  let field = "";
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const at = text[i];
    if (quoted) {
      if (at !== '"') field += at;
      else if (text[i + 1] === '"') field += text[i++];
      else quoted = false;
    } else if (at === '"' && field === "") {
      quoted = true;
    } else if (at === delimiter) {
      fields.push(field);
      field = "";
    } else {
      field += at;
    }
  }
  return [...fields, field];
}

function textOf(file: TableFile): Readable {
  const stored = createReadStream(file.path);
  if (!file.gzip) return stored;
  const unpacked = createGunzip();
  stored.on("error", (error) => unpacked.destroy(error));
  unpacked.on("close", () => stored.destroy());
  return stored.pipe(unpacked);
}

/** Without the byte order mark. */
const decode = (bytes: readonly number[]): string => new TextDecoder().decode(Uint8Array.from(bytes));
