// The arrays of a table of fields, of all groups outside the engine's memory and of the current item's groups in a workspace.
import { type Field, type Fields, mapFields, widthOf } from "../fields.js";
import type { Loaded } from "./code.js";
import { type Spans, viewOf } from "./spans.js";
import type { Places } from "./workspace.js";

/** How large a table is, and who sees it. */
export interface Room {
  readonly dims: number;
  /** Groups outside, and in the workspace. */
  readonly groups: number;
  readonly within: number;
  readonly memory: WebAssembly.Memory;
  readonly addressOf: Loaded["addressOf"];
}

interface Column {
  // The three kinds of words differ in type only: what is done with them here is the same.
  readonly outside: Float64Array;
  readonly inside: Float64Array;
  readonly width: number;
}

/** Addresses of the arrays of a table, of code that reaches all of the process. */
export const addressesOf = <F extends Fields>(
  fields: F,
  spans: Spans<F>,
  { dims, groups }: Pick<Room, "dims" | "groups">,
  addressOf: NonNullable<Room["addressOf"]>,
): Places<F> =>
  mapFields(fields, (field, name) => addressOf(viewOf(field, spans[name], groups, dims) as Float64Array));

/** The same from a group on. */
export const addressesFrom = <F extends Fields>(
  fields: F,
  all: Places<F>,
  dims: number,
  group: number,
): Places<F> =>
  mapFields(
    fields,
    (field, name) => all[name] + group * widthOf(field, dims) * field.words.BYTES_PER_ELEMENT,
  );

export class Columns<F extends Fields> {
  readonly #fields: F;
  readonly #dims: number;
  readonly #inside: Places<F>;
  readonly #columns: readonly Column[];
  /** Addresses outside, of code that reaches them. */
  readonly #outside: Places<F> | undefined;

  /** @param inside addresses in the workspace */
  constructor(fields: F, spans: Spans<F>, inside: Places<F>, room: Room) {
    const { dims, groups, within, memory, addressOf } = room;
    this.#fields = fields;
    this.#dims = dims;
    this.#inside = inside;
    const view = (field: Field, name: string): Float64Array =>
      viewOf(field, spans[name], groups, dims) as Float64Array;
    this.#columns = Object.entries(fields).map(([name, field]) => ({
      outside: view(field, name),
      inside: viewOf(
        field,
        { buffer: memory.buffer, byteOffset: inside[name] },
        within,
        dims,
      ) as Float64Array,
      width: widthOf(field, dims),
    }));
    this.#outside = addressOf && addressesOf(fields, spans, room, addressOf);
  }

  /** Where kernels may read groups `group` …: where they are, or in the workspace, copied. */
  read(group: number, groups: number): Places<F> {
    if (!this.#outside) this.copyIn(group, groups, 0);
    return this.places(group);
  }

  /** Where kernels may write groups from `group` on; `written` is to follow. */
  places(group: number): Places<F> {
    const outside = this.#outside;
    if (!outside) return this.#inside;
    return addressesFrom(this.#fields, outside, this.#dims, group);
  }

  /** Brings what was written at `places` out. */
  written(group: number, groups: number): void {
    if (!this.#outside) this.copyOut(group, groups, 0);
  }

  /** Groups `group` … of all groups → groups `slot` … of the workspace. */
  copyIn(group: number, groups: number, slot: number): void {
    for (const { outside, inside, width } of this.#columns) {
      inside.set(outside.subarray(group * width, (group + groups) * width), slot * width);
    }
  }

  /** Groups `slot` … of the workspace → groups `group` … of all groups. */
  copyOut(group: number, groups: number, slot: number): void {
    for (const { outside, inside, width } of this.#columns) {
      outside.set(inside.subarray(slot * width, (slot + groups) * width), group * width);
    }
  }
}
