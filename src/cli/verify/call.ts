import { ENGINE_NAMES } from "../../engine.js";
import type { RowFormat } from "../../io/rows.js";
import { PRECISIONS } from "../../methods.js";
import { PARTNERS, type Partner } from "../../verification.js";
import type { VerifyOptions } from "../../verify/options.js";
import type { Sweep } from "../../verify/workloads.js";
import { type Arguments, Words } from "../words.js";

export const FORMATS = ["text", "json", "junit"] as const;

/** `mvnfit verify`, complete and checked as far as words alone can be. */
export interface VerifyCall {
  readonly files: readonly string[];
  readonly groupBy: readonly string[];
  readonly columns: readonly string[] | undefined;
  readonly weights: string | undefined;
  readonly missing: "error" | "drop";
  readonly inputFormat: RowFormat | undefined;
  readonly sweep: Sweep;
  readonly options: VerifyOptions;
  readonly format: (typeof FORMATS)[number];
  readonly output: string | undefined;
  readonly quiet: boolean;
}

/** Options that say how a file is to be read, and those that say what to make where there is none. */
const OF_FILES = ["group-by", "columns", "weights", "missing", "input-format"] as const;
const OF_SWEEPS = ["groups", "rows", "dims"] as const;

/** @throws InputError for values that no such option has, and for options that contradict each other */
export function readCall(given: Arguments): VerifyCall {
  const words = new Words("verify", given);
  const files = words.files();
  for (const name of files.length > 0 ? OF_SWEEPS : OF_FILES) {
    if (!words.has(name)) continue;
    throw words.mistake(
      files.length > 0
        ? `--${name} is for seeded data, which a file takes the place of`
        : `--${name} is for files, and none is named`,
    );
  }
  if (words.has("module") && words.has("weights")) {
    throw words.mistake("--module takes no --weights; leave them out, or check an engine");
  }
  const groups = words.whole("groups", 1);
  const rows = words.range("rows");
  const dims = dimensions(words);
  return {
    files,
    groupBy: words.list("group-by") ?? [],
    columns: words.list("columns"),
    weights: words.text("weights"),
    missing: words.choice("missing", ["error", "drop"]) ?? "error",
    inputFormat: words.inputFormat("input-format"),
    sweep: { ...(groups !== undefined && { groups }), ...(rows && { rows }), ...(dims && { dims }) },
    options: verifyOptions(words),
    format: words.choice("format", FORMATS) ?? "text",
    output: words.text("output"),
    quiet: words.flag("quiet"),
  };
}

function verifyOptions(words: Words): VerifyOptions {
  const engine = words.choice("engine", ["auto", ...ENGINE_NAMES]);
  const module = words.text("module");
  const precision = words.choice("precision", PRECISIONS);
  const threads = words.whole("threads", 1);
  const device = words.numbers("device");
  if (device && engine !== "cuda") {
    throw words.mistake(`--device goes with the engine cuda, not with ${engine ?? "auto"}`);
  }
  const against = partners(words);
  const at = words.choice("at", ["random", "optimum", "both"]);
  const positive = (value: number) => value > 0 && value < Infinity;
  const tolerance =
    words.text("tolerance") === "auto"
      ? "auto"
      : words.number("tolerance", positive, () => "auto or a positive number");
  const condition = words.number(
    "condition",
    (value) => value >= 1 && value < Infinity,
    () => "a number of at least 1",
  );
  const seed = words.whole("seed", 0);
  const autograd = words.choice("autograd", ["float64", "cpu"]);
  const timeout = words.number("timeout", positive, () => "a positive number of seconds");
  return {
    ...(engine && { engine }),
    ...(module !== undefined && { module }),
    ...(precision && { precision }),
    ...(threads !== undefined && { threads }),
    ...(device && { device }),
    ...(against && { against }),
    ...(at && { at }),
    ...(tolerance !== undefined && { tolerance }),
    ...(condition !== undefined && { condition }),
    ...(seed !== undefined && { seed }),
    ...(autograd && { autograd }),
    ...(timeout !== undefined && { timeout }),
    richardson: words.flag("richardson"),
  };
}

function partners(words: Words): Partner[] | undefined {
  return words.list("against")?.map((name) => {
    if (PARTNERS.includes(name as Partner)) return name as Partner;
    throw words.mistake(`--against must name some of ${PARTNERS.join(", ")}, got "${name}"`);
  });
}

function dimensions(words: Words): number[] | undefined {
  return words.list("dims")?.map((text) => {
    if (/^\d+$/.test(text) && Number(text) >= 1) return Number(text);
    throw words.mistake(`--dims must be whole numbers of at least 1, got "${text}"`);
  });
}
