import type { Argv, Options } from "yargs";
import { ENGINE_NAMES } from "../../engine.js";
import { ROW_FORMATS } from "../../io/rows.js";
import { PRECISIONS } from "../../methods.js";
import { PARTNERS } from "../../verification.js";
import { type Arguments, COMMON_OPTIONS, flag, refuseUnknown, valued } from "../words.js";

export const name = "verify";
export const command = "verify";
export const describe = "Check gradients against independent ones, group by group";

const OPTIONS = {
  engine: valued(`auto | ${ENGINE_NAMES.join(" | ")}: whose gradients are checked  [auto]`),
  module: valued("check the gradient that FILE.mjs exports instead"),
  precision: valued(`${PRECISIONS.join(" | ")}: the engine's arithmetic  [float64]`),
  threads: valued("worker threads of the engines native and wasm  [all cores]"),
  device: valued("devices of the cuda engine by number, as in 0,1  [all that there is work for]"),
  against: valued(`${PARTNERS.join(", ")}  [all three]`),
  at: valued("random | optimum | both: where μ and Λ are taken  [both]"),
  tolerance: valued("auto, or relative to the norm of the term  [auto]"),
  richardson: flag("finite differences with Richardson's extrapolation"),
  autograd: valued("float64 | cpu: where TensorFlow.js computes; cpu is float32  [float64]"),
  groups: valued("seeded data: groups, dealt out over the dimensions  [100]"),
  rows: valued("seeded data: rows of every group, or A..B  [5..50]"),
  dims: valued("seeded data: numbers of variables  [1,2,3,8]"),
  condition: valued("condition number of S, and of seeded data  [1e3]"),
  seed: valued("the same seed gives the same data and parameters  [1]"),
  "group-by": valued("a file's columns that name the group  [none: one group]"),
  columns: valued("a file's variables, in order  [every numeric column not used otherwise]"),
  weights: valued("a file's column of weights, none negative"),
  missing: valued("error | drop: what to do with a row that misses a value  [error]"),
  "input-format": valued(`${ROW_FORMATS.join(" | ")}: what standard input (-) holds`),
  timeout: valued("seconds that one call of a module's gradient may take  [60]"),
  format: valued("text | json | junit  [text]"),
  output: valued("write to FILE instead of standard output", { alias: "o" }),
  ...COMMON_OPTIONS,
} satisfies Record<string, Options>;

export const builder = (yargs: Argv): Argv =>
  yargs
    .usage(
      `$0 verify [file…] [options]\n\n${describe}: eqs. (7), (9), (14) and J.\nWithout a file it makes seeded data.`,
    )
    .options(OPTIONS)
    .check(refuseUnknown(name, OPTIONS), false)
    .example("$0 verify", "")
    .example("$0 verify penguins.csv --group-by species --missing drop", "")
    .example("$0 verify --module gradient.mjs --dims 2,5 --format junit -o gradient.xml", "")
    .example("$0 verify --groups 10000 --rows 20 --dims 4 --condition 1e6 --at random", "")
    .epilogue(
      "A list is separated by commas, or the option is repeated.\n" +
        "Exit codes: 0 all hold, 1 a gradient is wrong or missing, 2 the call or the input is wrong, 130 interrupted.",
    );

export async function handler(words: Arguments): Promise<void> {
  const { readCall } = await import("../verify/call.js");
  const call = readCall(words);
  const { runVerify } = await import("../verify/run.js");
  process.exitCode = await runVerify(call);
}
