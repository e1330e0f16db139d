import { InputError } from "./errors.js";
import type { Precision } from "./methods.js";

/** Rows of numbers, in either storage. */
export type RealArray = Float64Array | Float32Array;

/** Checks that `value` is a whole number of at least `least`. `place` begins the message. */
export function requireCount(place: string, name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new InputError(
      `${place}: ${name} must be a whole number of at least ${least}, got ${String(value)}`,
    );
  }
}

/** Checks an array's length. */
export function requireLength(place: string, name: string, got: number, want: number, meaning: string): void {
  if (got !== want) {
    throw new InputError(`${place}: ${name} must have length ${want} (${meaning}), got ${got}`);
  }
}

/** Group offsets as float64 (exact to 2^53, so that a batch may pass 2^32 rows), checked to start at 0 and not to decrease. */
export function checkedOffsets(place: string, offsets: ArrayLike<number>): Float64Array {
  if (offsets.length < 1) throw new InputError(`${place}: offsets must have length B+1, at least 1, got 0`);
  const checked = Float64Array.from(offsets);
  if (checked[0] !== 0) throw new InputError(`${place}: offsets must start at 0, got ${checked[0]}`);
  for (let g = 1; g < checked.length; g++) {
    if (!Number.isSafeInteger(checked[g])) {
      throw new InputError(`${place}: offsets must be whole numbers, got ${checked[g]} at index ${g}`);
    }
    if (checked[g] < checked[g - 1]) {
      throw new InputError(
        `${place}: offsets must not decrease, got ${checked[g]} after ${checked[g - 1]} at index ${g}`,
      );
    }
  }
  return checked;
}

/** One weight a row, not negative, finite. */
export function checkWeights(place: string, weights: ArrayLike<number>): void {
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row];
    if (!(weight >= 0 && weight < Infinity)) {
      const rule = weight < 0 ? "must not be negative" : "must be finite numbers";
      throw new InputError(`${place}: weights ${rule}, got ${weight} at row ${row}`);
    }
  }
}

/** Typed arrays as they are; a plain array of numbers becomes a Float64Array. */
export function asReals(place: string, name: string, values: RealArray | readonly number[]): RealArray {
  if (values instanceof Float64Array || values instanceof Float32Array) return values;
  if (Array.isArray(values)) return Float64Array.from(values as readonly number[]);
  const got = Object.prototype.toString.call(values).slice(8, -1);
  throw new InputError(
    `${place}: ${name} must be a Float64Array, a Float32Array or an array of numbers, got ${got}`,
  );
}

export const dtypeOf = (values: RealArray): Precision =>
  values instanceof Float32Array ? "float32" : "float64";
