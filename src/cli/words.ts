import type { Options } from "yargs";
import { InputError } from "../errors.js";
import { ROW_FORMATS, type RowFormat } from "../io/rows.js";
import { nearest } from "../nearest.js";

/** What yargs makes of the words of a call, before anything is known of their meaning. */
export type Arguments = Readonly<Record<string, unknown>>;

/** An option that takes a value. Values are read as text and checked by `Words`, whose messages name the option and the text. */
export const valued = (description: string, more: Options = {}): Options => ({
  type: "string",
  requiresArg: true,
  description,
  ...more,
});

export const flag = (description: string): Options => ({ type: "boolean", description });

/** The options that every command has, besides yargs' own --help and --version. */
export const COMMON_OPTIONS = {
  quiet: flag("nothing on stderr but errors"),
} satisfies Record<string, Options>;

/** The words of one call, read as values: each reader checks one option and names it, the rule and the text where it does not hold. */
export class Words {
  readonly #command: string;
  readonly #arguments: Arguments;

  constructor(command: string, words: Arguments) {
    this.#command = command;
    this.#arguments = words;
  }

  mistake(rule: string): InputError {
    return new InputError(`${this.#command}: ${rule}`);
  }

  /** The words after the command that belong to no option. */
  files(): string[] {
    return (this.#arguments._ as unknown[]).slice(1).map(String);
  }

  /** What standard input (-) holds: to be said where it is among the files, and only there. */
  inputFormat(name: string): RowFormat | undefined {
    const format = this.choice(name, ROW_FORMATS);
    const stdin = this.files().filter((file) => file === "-").length;
    if (stdin > 1) throw this.mistake("standard input (-) can be read once");
    if (stdin === 1 && format === undefined)
      throw this.mistake(`standard input (-) needs ${dashed(name)} ${ROW_FORMATS.join(" or ")}`);
    if (stdin === 0 && format !== undefined)
      throw this.mistake(
        `${dashed(name)} goes with standard input (-); files tell their format by their ending`,
      );
    return format;
  }

  none(): void {
    const [first] = this.files();
    if (first !== undefined) throw this.mistake(`takes no file, got "${first}"`);
  }

  has(name: string): boolean {
    return this.#arguments[name] !== undefined;
  }

  flag(name: string): boolean {
    return [this.#arguments[name]].flat().at(-1) === true;
  }

  text(name: string): string | undefined {
    const value = this.#arguments[name];
    if (Array.isArray(value))
      throw this.mistake(`${dashed(name)} can be given once, got ${value.join(" and ")}`);
    if (value === "") throw this.mistake(`${dashed(name)} must not be empty`);
    return value as string | undefined;
  }

  /** Separated by commas, or the option repeated; `\,` is a comma inside a name. */
  list(name: string): string[] | undefined {
    const value = this.#arguments[name];
    if (value === undefined) return undefined;
    const names = [value].flat().flatMap((text) => splitList(String(text)));
    if (names.includes(""))
      throw this.mistake(`${dashed(name)} holds an empty name, got "${[value].flat().join(",")}"`);
    const repeated = names.find((one, i) => names.indexOf(one) !== i);
    if (repeated !== undefined) throw this.mistake(`${dashed(name)} names "${repeated}" more than once`);
    return names;
  }

  /** A list of which every part is one of `values`. */
  choices<T extends string>(name: string, values: readonly T[]): T[] | undefined {
    const texts = this.list(name);
    for (const text of texts ?? []) {
      if (values.includes(text as T)) continue;
      const hint = suggestion(text, values);
      throw this.mistake(`${dashed(name)} must name some of ${values.join(", ")}, got "${text}"${hint}`);
    }
    return texts as T[] | undefined;
  }

  /** A list of whole numbers from 0. */
  numbers(name: string): number[] | undefined {
    return this.list(name)?.map((text) => {
      if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
      throw this.mistake(`${dashed(name)} must be whole numbers from 0, got "${text}"`);
    });
  }

  choice<T extends string>(name: string, values: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined || values.includes(text as T)) return text as T | undefined;
    const hint = suggestion(text, values);
    throw this.mistake(`${dashed(name)} must be one of ${values.join(", ")}, got "${text}"${hint}`);
  }

  whole(name: string, least: number, most = Number.MAX_SAFE_INTEGER): number | undefined {
    return this.number(
      name,
      (value) => Number.isSafeInteger(value) && value >= least && value <= most,
      () =>
        most === Number.MAX_SAFE_INTEGER
          ? `a whole number of at least ${least}`
          : `a whole number from ${least} to ${most}`,
    );
  }

  /** A whole number, or two as in 50..200: the least and the most. */
  range(name: string): readonly [number, number] | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const [least, most = least] = text.split("..").map(numberOf);
    const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;
    if (isCount(least) && isCount(most) && least <= most && /^\d+(\.\.\d+)?$/.test(text))
      return [least, most];
    throw this.mistake(`${dashed(name)} must be a whole number, or two as in 50..200, got "${text}"`);
  }

  number(name: string, holds: (value: number) => boolean, rule: () => string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = numberOf(text);
    if (!holds(value)) throw this.mistake(`${dashed(name)} must be ${rule()}, got "${text}"`);
    return value;
  }
}

/** Shorter words are like too many others. */
const LEAST_LETTERS = 2;

/** " (did you mean …?)" for the candidate that begins so or is spelt much like it, or nothing where there is none. */
export function suggestion(word: string, candidates: readonly string[], prefix = ""): string {
  if (word.length < LEAST_LETTERS) return "";
  const close = candidates.find((candidate) => candidate.startsWith(word)) ?? nearest(word, candidates);
  return close === undefined ? "" : ` (did you mean ${prefix}${close}?)`;
}

const dashed = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`);

/** Decimal numbers only: `Number` alone also reads "", "0x10" and " ". */
const numberOf = (text: string): number =>
  /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;

function splitList(text: string): string[] {
  const names = [""];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\" && text[i + 1] === ",") {
      names[names.length - 1] += ",";
      i++;
    } else if (text[i] === ",") {
      names.push("");
    } else {
      names[names.length - 1] += text[i];
    }
  }
  return names;
}

/** Refuses options that the command does not have, which yargs let through. */
export function refuseUnknown(command: string, options: Readonly<Record<string, Options>>) {
  const names = [...Object.keys(options), "help", "version"];
  const short = Object.values(options).flatMap((option) => [option.alias ?? []].flat());
  const known = new Set(["_", "$0", "h", ...names, ...short]);
  return (words: Arguments): true => {
    for (const name of Object.keys(words)) {
      if (known.has(name)) continue;
      const hint = suggestion(name, names, "--") || `; see mvnfit ${command} --help`;
      throw new InputError(`${command}: unknown option ${dashed(name)}${hint}`);
    }
    return true;
  };
}
