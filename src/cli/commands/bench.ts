import type { Argv, Options } from "yargs";
import { PEERS, ROWS_IN } from "../../bench/result.js";
import { PRESETS } from "../../bench/shape.js";
import { ENGINE_NAMES } from "../../engine.js";
import { METHODS, PRECISIONS } from "../../methods.js";
import { type Arguments, COMMON_OPTIONS, flag, refuseUnknown, valued } from "../words.js";

export const name = "bench";
export const command = "bench";
export const describe = "Time engines on seeded data, and against other programs";

const OPTIONS = {
  shapes: valued(`groups x rows x variables, or ${Object.keys(PRESETS).join(", ")}  [quick]`),
  engine: valued(`auto, ${ENGINE_NAMES.join(", ")}  [auto]`),
  method: valued(`${METHODS.join(", ")}  [closed-form]`),
  precision: valued(`${PRECISIONS.join(", ")}: of rows and arithmetic  [float64]`),
  "rows-in": valued(`${ROWS_IN.join(", ")}: where engines find the rows  [all three]`),
  threads: valued("for engines and peers alike  [all cores]"),
  runs: valued("timed runs of each; slow ones have fewer  [7]"),
  check: valued("groups compared with the engine reference  [100]"),
  against: valued(PEERS.join(", ")),
  python: valued("the interpreter that has those  [python3]"),
  condition: valued("condition number of the covariances  [100]"),
  offset: valued("added to every mean  [0]"),
  seed: valued("the same seed gives the same data  [1]"),
  json: flag("print JSON instead of the tables"),
  output: valued("write the JSON to FILE.json", { alias: "o" }),
  plot: valued("draw the times into FILE.svg"),
  ...COMMON_OPTIONS,
} satisfies Record<string, Options>;

export const builder = (yargs: Argv): Argv =>
  yargs
    .usage(
      `$0 bench [options]\n\n${describe}.\nResults are compared with the engine reference before anything is timed.`,
    )
    .options(OPTIONS)
    .check(refuseUnknown(name, OPTIONS), false)
    .example("$0 bench", "")
    .example("$0 bench --shapes 10000x200x8,2000x10..2000x8 --precision float64,float32", "")
    .example("$0 bench --shapes 10000x50x8 --method newton,lbfgs --rows-in engine", "")
    .example("$0 bench --shapes standard --against numpy,torch -o results.json --plot plot.svg", "")
    .epilogue(
      "A list is separated by commas, or the option is repeated. A..B rows stand for groups of unequal size.\n" +
        "Exit codes: 0 done, 1 an engine gave wrong results or failed, 2 the call is wrong, 130 interrupted.",
    );

export async function handler(words: Arguments): Promise<void> {
  const { readCall } = await import("../bench/call.js");
  const call = readCall(words);
  const { runBench } = await import("../bench/run.js");
  process.exitCode = await runBench(call);
}
