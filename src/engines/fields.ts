// The arrays that go in and out of the kernels, one table each: how values are stored and how many a group has.
export type Words = Float64Array | Int32Array | Uint8Array;

interface WordsConstructor<A extends Words> {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
  readonly BYTES_PER_ELEMENT: number;
}

/** One array: its words, and d^order of them a group. */
export interface Field<A extends Words = Words> {
  readonly words: WordsConstructor<A>;
  readonly order: 0 | 1 | 2;
}

export type Fields = Readonly<Record<string, Field>>;

/** The typed arrays of a table of fields. */
export type Arrays<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer A> ? A : never };

const scalar: Field<Float64Array> = { words: Float64Array, order: 0 };
const vector: Field<Float64Array> = { words: Float64Array, order: 1 };
const matrix: Field<Float64Array> = { words: Float64Array, order: 2 };
const status: Field<Uint8Array> = { words: Uint8Array, order: 0 };
const iterations: Field<Int32Array> = { words: Int32Array, order: 0 };

/** What of the statistics goes out with every result. */
export const COUNTS = { count: scalar, weight: scalar };
export const STATISTICS = { ...COUNTS, mean: vector, scatter: matrix };
export const PARAMETERS = { mean: vector, factor: matrix };
export const FITS = {
  mean: vector,
  covariance: matrix,
  factor: matrix,
  logLikelihood: scalar,
  residual: scalar,
  gap: scalar,
  iterations,
  statusCode: status,
};
export const EVALUATION = {
  j1: scalar,
  j2: scalar,
  objective: scalar,
  dJ1dFactor: matrix,
  dJ2dMean: vector,
  dJ2dFactor: matrix,
  statusCode: status,
};

/** Values of the field for each group: 1, d or d². */
export const widthOf = (field: Field, dims: number): number => dims ** field.order;

/** Bytes of one group in all fields of a table. */
export function groupBytes(fields: Fields, dims: number): number {
  return Object.values(fields).reduce(
    (sum, field) => sum + widthOf(field, dims) * field.words.BYTES_PER_ELEMENT,
    0,
  );
}

/** One object for each field of a table. */
export function mapFields<F extends Fields, T>(
  fields: F,
  make: (field: Field, name: string) => T,
): { readonly [K in keyof F]: T } {
  const entries = Object.entries(fields).map(([name, field]) => [name, make(field, name)]);
  return Object.fromEntries(entries) as { readonly [K in keyof F]: T };
}
