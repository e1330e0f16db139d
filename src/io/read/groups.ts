import type { GroupIndex, GroupType, GroupValue } from "../rows.js";
import { CodeTable } from "./codes.js";
import type { NativeNumbers } from "./numbers.js";
import type { Chunk, KeyType, KeyVector } from "./table.js";
import { TextTable } from "./texts.js";
import { hasNull, shortText } from "./vectors.js";

const KINDS = { int64: "whole", float64: "other", text: "text" } as const;

/** Numbers the groups while rows pass by: each column's values first, then the tuples of those numbers. */
export class GroupCodes implements GroupIndex {
  private readonly columns: readonly KeyColumn[];
  private readonly tuples: CodeTable | undefined;
  private readonly names: readonly string[];

  /** @param native where there is code of the processor's own for it */
  constructor(names: readonly string[], types: readonly KeyType[], native?: NativeNumbers) {
    this.names = names;
    this.columns = types.map((type) => new KeyColumn(type, native));
    this.tuples = names.length > 1 ? new CodeTable(names.length, "other", native) : undefined;
  }

  get size(): number {
    if (this.tuples) return this.tuples.size;
    return this.columns.length === 0 ? 1 : this.columns[0].size;
  }

  get types(): readonly GroupType[] {
    return this.columns.map((column, i) => ({ name: this.names[i], type: column.sqlType }));
  }

  key(i: number): readonly GroupValue[] {
    const { tuples, columns } = this;
    if (!tuples) return columns.map((column) => column.value(i));
    return columns.map((column, j) => column.value(tuples.keys[i * columns.length + j]));
  }

  /** The group number of each row of the chunk, into `codes`. */
  encode(chunk: Chunk, codes: Uint32Array): void {
    const { tuples, columns } = this;
    if (!tuples) {
      if (columns.length === 0) codes.fill(0, 0, chunk.rows);
      else columns[0].encode(chunk.keys[0], chunk.rows, codes, 0, 1);
      return;
    }
    const width = columns.length;
    const words = new Uint32Array(chunk.rows * width);
    for (let j = 0; j < width; j++) columns[j].encode(chunk.keys[j], chunk.rows, words, j, width);
    tuples.codeEach(words, undefined, chunk.rows, codes, 0, 1);
  }
}

/** The distinct values of one group column. */
class KeyColumn {
  private readonly type: KeyType;
  private readonly values: CodeTable;
  private readonly longTexts: TextTable;
  private inferred: { readonly size: number; readonly type: string } | undefined;

  constructor(type: KeyType, native: NativeNumbers | undefined) {
    this.type = type;
    this.values = new CodeTable(type.storage === "text" ? 4 : 2, KINDS[type.storage], native);
    this.longTexts = new TextTable(native);
  }

  get size(): number {
    return this.values.size;
  }

  /** The SQL type: the column's own, or for untyped text what all values so far have in common. */
  get sqlType(): string {
    if (!this.type.untyped) return this.type.type;
    if (this.inferred?.size !== this.size) {
      const texts: string[] = [];
      for (let code = 0; code < this.size; code++) if (code !== this.values.none) texts.push(this.text(code));
      this.inferred = { size: this.size, type: commonType(texts) };
    }
    return this.inferred.type;
  }

  value(code: number): GroupValue {
    const { keys, none } = this.values;
    if (code === none) return null;
    if (this.type.storage === "text") return fromText(this.text(code), this.sqlType);
    if (this.type.storage === "float64") return new Float64Array(keys.buffer, code * 8, 1)[0];
    const [low, high] = [keys[2 * code], keys[2 * code + 1]];
    if (this.type.type === "BOOLEAN") return low !== 0;
    if (high === 0) return low; // as most are: no array made for it
    return asExact(new BigInt64Array(keys.buffer, code * 8, 1)[0]);
  }

  /** The code of each row's value, into `codes[first + row·stride]`. */
  encode(vector: KeyVector, rows: number, codes: Uint32Array, first: number, stride: number): void {
    const { words, validity } = vector;
    if (this.type.storage === "float64") unify(words, rows);
    if (this.type.storage === "text") this.longTexts.numberEach(vector, rows);
    const present = hasNull(validity, rows) ? validity : undefined;
    this.values.codeEach(words, present, rows, codes, first, stride);
  }

  private text(code: number): string {
    const { keys } = this.values;
    return shortText(keys, code * 4) ?? this.longTexts.text(keys[code * 4 + 2]);
  }
}

/** One bit pattern for what is one number: −0 is 0, and every NaN is the same. */
function unify(words: Uint32Array, rows: number): void {
  const numbers = new Float64Array(words.buffer, words.byteOffset, rows);
  for (let row = 0; row < rows; row++) {
    const number = numbers[row];
    numbers[row] = Number.isNaN(number) ? Number.NaN : number + 0;
  }
}

/**
 * The narrowest type that all texts have, if each is written exactly as a value of that type prints: `007` is an
 * identifier, not the number 7.
 */
function commonType(texts: readonly string[]): string {
  if (texts.length === 0) return "VARCHAR";
  if (texts.every(isWhole)) return "BIGINT";
  if (texts.every((text) => Number.isFinite(Number(text)) && String(Number(text)) === text)) return "DOUBLE";
  if (texts.every((text) => text === "true" || text === "false")) return "BOOLEAN";
  if (texts.every(isDate)) return "DATE";
  return "VARCHAR";
}

const isWhole = (text: string): boolean =>
  /^-?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)).toString() === text;

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** A value from its SQL text. */
function fromText(text: string, type: string): GroupValue {
  if (type === "BIGINT" || type === "UBIGINT") return asExact(BigInt(text));
  if (type === "DOUBLE") return Number(text);
  if (type === "BOOLEAN") return text === "true";
  if (type.startsWith("DECIMAL")) return decimal(text);
  if (type.startsWith("TIMESTAMP")) return text.replace(" ", "T").replace(/\+00$/, "Z");
  return text;
}

const asExact = (whole: bigint): number | bigint =>
  BigInt.asIntN(54, whole) === whole ? Number(whole) : whole;

/** A decimal as a number where that loses nothing, else as text. */
function decimal(text: string): number | string {
  const plain = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  return String(Number(text)) === plain ? Number(text) : text;
}
