import type { Argv, Options } from "yargs";
import { ENGINE_NAMES } from "../../engine.js";
import { ROW_FORMATS } from "../../io/rows.js";
import { METHODS, PRECISIONS } from "../../methods.js";
import { type Arguments, COMMON_OPTIONS, flag, refuseUnknown, valued } from "../words.js";

export const name = "fit";
export const command = "fit";
export const describe = "Fit a Gaussian to each group of a table";

const OPTIONS = {
  "group-by": valued("columns that name the group, separated by commas  [none: one group]"),
  columns: valued("the variables, in order  [every numeric column not used otherwise]"),
  weights: valued("a column of weights, none negative"),
  missing: valued("error | drop: what to do with a row that misses a value  [error]"),
  method: valued(`${METHODS.join(" | ")}  [closed-form]`),
  ddof: valued("0 | 1: the divisor is n or n−1 (closed-form only)  [0]"),
  init: valued("default | identity | FILE.json: start of an iterative method  [default]"),
  tolerance: valued("on the residual  [1e-8; float32: 1e-4]"),
  "max-iterations": valued("[1000]"),
  precision: valued(`${PRECISIONS.join(" | ")}: arithmetic of the solver  [float64]`),
  engine: valued(`auto | ${ENGINE_NAMES.join(" | ")}  [auto]`),
  threads: valued("worker threads of the engines native and wasm  [all cores]"),
  device: valued("devices of the cuda engine by number, as in 0,1  [all that there is work for]"),
  format: valued(`${ROW_FORMATS.join(" | ")}: what standard input (-) holds`),
  output: valued("write to FILE: .json, .ndjson, .csv or .parquet", { alias: "o" }),
  json: flag("print the JSON document instead of the table"),
  strict: flag("exit with 1 if any group has no fit"),
  ...COMMON_OPTIONS,
} satisfies Record<string, Options>;

export const builder = (yargs: Argv): Argv =>
  yargs
    .usage(
      `$0 fit <file…> [options]\n\n${describe}: mean, covariance, log-likelihood.\nSeveral files of one schema are one table; - is standard input.`,
    )
    .options(OPTIONS)
    .check(refuseUnknown(name, OPTIONS), false)
    .example("$0 fit penguins.csv --group-by species --missing drop", "")
    .example("$0 fit 2024.parquet 2025.parquet --group-by site,year -o fits.parquet", "")
    .example("$0 fit data.csv --columns x,y --method lbfgs --json | jq .counts", "")
    .example("cat data.csv | $0 fit - --format csv --group-by site", "")
    .epilogue(
      "A list is separated by commas, or the option is repeated; \\, is a comma inside a name.\n" +
        "Exit codes: 0 done, 1 the work failed, 2 the call or the input is wrong, 130 interrupted.",
    );

export async function handler(words: Arguments): Promise<void> {
  const { readCall } = await import("../fit/call.js");
  const call = readCall(words);
  const { runFit } = await import("../fit/run.js");
  process.exitCode = await runFit(call);
}
