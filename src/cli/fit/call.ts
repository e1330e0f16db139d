import { ENGINE_NAMES, type EngineName } from "../../engine.js";
import type { RowFormat } from "../../io/rows.js";
import { METHODS, type Method, PRECISIONS, type Precision } from "../../methods.js";
import { type Arguments, Words } from "../words.js";

/** `mvnfit fit`, complete and checked as far as words alone can be. */
export interface FitCall {
  readonly files: readonly string[];
  readonly groupBy: readonly string[];
  readonly columns: readonly string[] | undefined;
  readonly weights: string | undefined;
  readonly missing: "error" | "drop";
  readonly format: RowFormat | undefined;
  readonly method: Method;
  readonly ddof: 0 | 1;
  /** `default`, `identity`, or the path of a file */
  readonly init: string;
  readonly tolerance: number | undefined;
  readonly maxIterations: number | undefined;
  readonly precision: Precision;
  readonly engine: EngineName | "auto";
  readonly threads: number | undefined;
  readonly device: readonly number[] | undefined;
  readonly output: string | undefined;
  readonly json: boolean;
  readonly strict: boolean;
  readonly quiet: boolean;
}

/** @throws InputError for values that no such option has, and for options that contradict each other */
export function readCall(given: Arguments): FitCall {
  const words = new Words("fit", given);
  const call: FitCall = {
    files: words.files(),
    groupBy: words.list("group-by") ?? [],
    columns: words.list("columns"),
    weights: words.text("weights"),
    missing: words.choice("missing", ["error", "drop"]) ?? "error",
    format: words.inputFormat("format"),
    method: words.choice("method", METHODS) ?? "closed-form",
    ddof: words.choice("ddof", ["0", "1"]) === "1" ? 1 : 0,
    init: words.text("init") ?? "default",
    tolerance: words.number(
      "tolerance",
      (value) => value > 0 && value < Infinity,
      () => "a positive number",
    ),
    maxIterations: words.whole("max-iterations", 0, MOST_ITERATIONS),
    precision: words.choice("precision", PRECISIONS) ?? "float64",
    engine: words.choice("engine", ["auto", ...ENGINE_NAMES]) ?? "auto",
    threads: words.whole("threads", 1),
    device: words.numbers("device"),
    output: words.text("output"),
    json: words.flag("json"),
    strict: words.flag("strict"),
    quiet: words.flag("quiet"),
  };
  refuseContradictions(call, words);
  return call;
}

/** Iterations are counted in 32 bits. */
const MOST_ITERATIONS = 2 ** 31 - 1;

function refuseContradictions(call: FitCall, words: Words): void {
  if (call.files.length === 0) throw words.mistake("no file given; - reads standard input");
  if (call.method === "closed-form" && call.init !== "default") {
    throw words.mistake("--init goes with an iterative method; closed-form has no start");
  }
  if (call.method !== "closed-form" && call.ddof === 1) {
    throw words.mistake(
      `--ddof 1 goes with closed-form only; ${call.method} maximises the likelihood (ddof 0)`,
    );
  }
  if (call.threads !== undefined && !["auto", "native", "wasm"].includes(call.engine)) {
    throw words.mistake(`--threads goes with the engines native and wasm, not with ${call.engine}`);
  }
  if (call.device && call.engine !== "cuda") {
    throw words.mistake(`--device goes with the engine cuda, not with ${call.engine}`);
  }
  refuseSharedColumns(call, words);
}

/** A column has one part to play. */
function refuseSharedColumns(call: FitCall, words: Words): void {
  const shared = call.columns?.find((name) => call.groupBy.includes(name));
  if (shared !== undefined) throw words.mistake(`column "${shared}" is in both --columns and --group-by`);
  if (call.weights === undefined) return;
  const list = call.columns?.includes(call.weights) ? "columns" : "group-by";
  if (list === "columns" || call.groupBy.includes(call.weights)) {
    throw words.mistake(`column "${call.weights}" is in both --weights and --${list}`);
  }
}
