export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/** Entries to step over for the next index of each axis. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, size = 1; axis >= 0; axis--) {
    strides[axis] = size;
    size *= shape[axis];
  }
  return strides;
}

/** Visits the runs of the last axis of an array of `shape`, in order: where each begins here and, by `strides`, there. */
export function eachRun(
  shape: readonly number[],
  strides: readonly number[],
  visit: (here: number, there: number) => void,
): void {
  const length = shape.at(-1) ?? 1;
  const size = sizeOf(shape);
  const index = new Int32Array(shape.length);
  for (let here = 0, there = 0; here < size; here += length) {
    visit(here, there);
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      there += strides[axis];
      if (++index[axis] < shape[axis]) break;
      there -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}
