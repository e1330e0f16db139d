import { spawnSync } from "node:child_process";
import type { BenchOptions } from "../../bench/options.js";
import { PEERS, ROWS_IN } from "../../bench/result.js";
import { ENGINE_NAMES } from "../../engine.js";
import { METHODS, PRECISIONS } from "../../methods.js";
import { type Arguments, Words } from "../words.js";

/** `mvnfit bench`, complete and checked as far as words alone can be. */
export interface BenchCall {
  readonly options: BenchOptions;
  readonly json: boolean;
  readonly output: string | undefined;
  readonly plot: string | undefined;
  readonly quiet: boolean;
}

/** @throws InputError for values that no such option has, and for options that contradict each other */
export function readCall(given: Arguments): BenchCall {
  const words = new Words("bench", given);
  words.none();
  if (words.has("python") && !words.has("against"))
    throw words.mistake("--python goes with --against, which names the peers it is to run");
  return {
    options: benchOptions(words),
    json: words.flag("json"),
    output: words.text("output"),
    plot: words.text("plot"),
    quiet: words.flag("quiet"),
  };
}

function benchOptions(words: Words): BenchOptions {
  const shapes = words.list("shapes");
  const engines = words.choices("engine", ["auto", ...ENGINE_NAMES] as const);
  const methods = words.choices("method", METHODS);
  const precisions = words.choices("precision", PRECISIONS);
  const rowsIn = words.choices("rows-in", ROWS_IN);
  const threads = words.whole("threads", 1);
  const runs = words.whole("runs", 1);
  const check = words.whole("check", 1);
  const against = words.choices("against", PEERS);
  const condition = words.number(
    "condition",
    (value) => value >= 1 && value < Infinity,
    () => "a number of at least 1",
  );
  const offset = words.number("offset", Number.isFinite, () => "a finite number");
  const seed = words.whole("seed", 0);
  const python = interpreter(words);
  return {
    ...(shapes && { shapes }),
    ...(engines && { engines }),
    ...(methods && { methods }),
    ...(precisions && { precisions }),
    ...(rowsIn && { rowsIn }),
    ...(threads !== undefined && { threads }),
    ...(runs !== undefined && { runs }),
    ...(check !== undefined && { check }),
    ...(against && { against }),
    ...(condition !== undefined && { condition }),
    ...(offset !== undefined && { offset }),
    ...(seed !== undefined && { seed }),
    ...(python !== undefined && { python }),
  };
}

/** One that is named must be there; without a name, peers that cannot be run are "not installed". */
function interpreter(words: Words): string | undefined {
  const python = words.text("python");
  if (python === undefined) return undefined;
  const { error } = spawnSync(python, ["--version"], { stdio: "ignore" });
  if (error) throw words.mistake(`--python "${python}" cannot be run: ${error.message}`);
  return python;
}
