import type { Argv, Options } from "yargs";
import { type Arguments, COMMON_OPTIONS, refuseUnknown, valued } from "../words.js";

export const name = "simulate";
export const command = "simulate";
export const describe = "Make seeded data from known Gaussians";

const OPTIONS = {
  groups: valued("number of groups  [100]"),
  rows: valued("rows of every group, or A..B: drawn evenly for each group  [100]"),
  dims: valued("number of variables  [4]"),
  condition: valued("condition number of every covariance  [10]"),
  offset: valued("added to every mean  [0]"),
  seed: valued("the same seed gives the same data on every machine  [1]"),
  output: valued("write to FILE: .csv or .parquet  [CSV on standard output]", { alias: "o" }),
  truth: valued("write the parameters behind the data to FILE.json"),
  ...COMMON_OPTIONS,
} satisfies Record<string, Options>;

export const builder = (yargs: Argv): Argv =>
  yargs
    .usage(`$0 simulate [options]\n\n${describe}: columns group, x1, x2, ….`)
    .options(OPTIONS)
    .check(refuseUnknown(name, OPTIONS), false)
    .example("$0 simulate --groups 1000 --rows 50..200 --dims 8 -o data.parquet --truth truth.json", "")
    .example("$0 simulate --groups 3 | $0 fit - --format csv --group-by group", "");

export async function handler(words: Arguments): Promise<void> {
  const { readCall, runSimulate } = await import("../simulate/run.js");
  await runSimulate(readCall(words));
}
