// Where the arrays of a table of fields lie in shared memory outside the kernels'.
import { type Arrays, type Field, type Fields, mapFields, type Words, widthOf } from "../fields.js";
import { sharedBytes } from "../reserve.js";

/** Part of a SharedArrayBuffer. Views beyond 4 GiB do not survive a message between threads on Node 20; this does. */
export interface Span {
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
}

/** Where the arrays of a table lie, outside the kernels' memory. */
export type Spans<F extends Fields> = { readonly [K in keyof F]: Span };

/** A view of `groups` groups of a field. */
export function viewOf<A extends Words>(field: Field<A>, span: Span, groups: number, dims: number): A {
  return new field.words(span.buffer, span.byteOffset, groups * widthOf(field, dims));
}

/** The typed arrays over the spans of a table. */
export function arraysOf<F extends Fields>(
  fields: F,
  spans: Spans<F>,
  groups: number,
  dims: number,
): Arrays<F> {
  return mapFields(fields, (field, name) => viewOf(field, spans[name as keyof F], groups, dims)) as Arrays<F>;
}

/** Memory outside the kernels' for `groups` groups of every field: fresh, or what `take` gives. */
export function allocateFields<F extends Fields>(
  fields: F,
  groups: number,
  dims: number,
  take: (bytes: number, purpose: string) => SharedArrayBuffer = sharedBytes,
): Spans<F> {
  return mapFields(fields, (field, name) => ({
    buffer: take(groups * widthOf(field, dims) * field.words.BYTES_PER_ELEMENT, name),
    byteOffset: 0,
  }));
}
