import { expect } from "vitest";

/** The largest absolute value: the natural scale of an array. */
export const magnitude = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** ‖a‖, over all entries */
export const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

/**
 * Expects |a − b| ≤ tolerance for every entry, NaN beside NaN and the same infinities. Reports the worst entry with both values.
 *
 * @param tolerance absolute: the caller scales it by the size of the terms, not by what cancellation left of them
 */
export function expectClose(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance: number,
  what = "value",
): void {
  expect(got.length, `${what}: length`).toBe(want.length);
  let worst = { index: -1, error: tolerance };
  for (let i = 0; i < got.length; i++) {
    if (Object.is(got[i], want[i]) || got[i] === want[i]) continue;
    const error = Math.abs(got[i] - want[i]);
    if (!(error <= worst.error)) worst = { index: i, error };
  }
  if (worst.index < 0) return;
  const { index, error } = worst;
  const values = `got ${got[index]}, want ${want[index]}, off by ${error}, tolerance ${tolerance}`;
  expect.fail(`${what}: entry ${index} of ${want.length}: ${values}`);
}

/** As expectClose, relative to the largest entry of `want`. */
export function expectRelative(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance: number,
  what = "value",
): void {
  expectClose(got, want, tolerance * magnitude(Array.from(want).filter(Number.isFinite)), what);
}

/** The same bits, NaN included. */
export function expectSameBits(got: Float64Array, want: Float64Array, what: string): void {
  const differs = got.findIndex((value, i) => !Object.is(value, want[i]));
  if (got.length !== want.length || differs >= 0) {
    expect.fail(`${what}: entry ${differs}: got ${got[differs]}, want ${want[differs]}`);
  }
}
