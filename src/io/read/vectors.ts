import { INLINE_BYTES } from "../duckdb/settings.js";
import type { Chunk, KeyVector, RealVector, Validity } from "./table.js";

export const isValid = (validity: Validity, row: number): boolean =>
  validity === undefined || ((validity[row >> 3] >> (row & 7)) & 1) === 1;

/** Whether any of the first `count` bits is 0. */
export function hasNull(validity: Validity, count: number): boolean {
  if (validity === undefined) return false;
  const whole = count >> 3;
  for (let byte = 0; byte < whole; byte++) if (validity[byte] !== 0xff) return true;
  for (let i = whole << 3; i < count; i++) if (!isValid(validity, i)) return true;
  return false;
}

/** The text that the four words of a KeyVector's row hold from words[at] on; undefined where it is too long to lie in them. */
export function shortText(words: Uint32Array, at: number): string | undefined {
  const length = words[at];
  if (length > INLINE_BYTES) return undefined;
  return Buffer.from(words.buffer, words.byteOffset + 4 * at + 4, length).toString();
}

/** The chunk without its first rows. */
export function tailOf(chunk: Chunk, from: number): Chunk {
  const { rows, values, weights, keys } = chunk;
  const left = rows - from;
  return {
    rows: left,
    values: realsFrom(values, (values.values.length / rows) * from),
    weights: weights && realsFrom(weights, from),
    keys: keys.map(
      ({ words, heap, validity }): KeyVector => ({
        words: words.subarray(from * (words.length / rows)),
        heap,
        validity: bitsFrom(validity, from, left),
      }),
    ),
  };
}

const realsFrom = ({ values, validity }: RealVector, from: number): RealVector => ({
  values: values.subarray(from),
  validity: bitsFrom(validity, from, values.length - from),
});

function bitsFrom(validity: Validity, from: number, count: number): Validity {
  if (validity === undefined) return undefined;
  const bits = new Uint8Array(Math.ceil(count / 8));
  for (let i = 0; i < count; i++) if (isValid(validity, from + i)) bits[i >> 3] |= 1 << (i & 7);
  return bits;
}
