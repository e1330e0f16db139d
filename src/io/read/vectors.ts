import type { Chunk, KeyVector, RealVector, Validity } from "./table.js";

export const isValid = (validity: Validity, row: number): boolean =>
  validity === undefined || ((validity[row >> 3] >> (row & 7)) & 1) === 1;

/** Whether any of the first `rows` rows has no value. */
export function hasNull(validity: Validity, rows: number): boolean {
  if (validity === undefined) return false;
  const whole = rows >> 3;
  for (let byte = 0; byte < whole; byte++) if (validity[byte] !== 0xff) return true;
  for (let row = whole << 3; row < rows; row++) if (!isValid(validity, row)) return true;
  return false;
}

/** The chunk without its first rows. */
export function tailOf(chunk: Chunk, from: number): Chunk {
  const rows = chunk.rows - from;
  const tail = (validity: Validity): Validity => {
    if (validity === undefined) return undefined;
    const bits = new Uint8Array(Math.ceil(rows / 8));
    for (let row = 0; row < rows; row++) if (isValid(validity, from + row)) bits[row >> 3] |= 1 << (row & 7);
    return bits;
  };
  const reals = chunk.reals.map(
    ({ values, validity }): RealVector => ({ values: values.subarray(from), validity: tail(validity) }),
  );
  const keys = chunk.keys.map(
    ({ words, heap, validity }): KeyVector => ({
      words: words.subarray(from * (words.length / chunk.rows)),
      heap,
      validity: tail(validity),
    }),
  );
  return { rows, reals, keys };
}
