import type { Argv, Options } from "yargs";
import { type Arguments, COMMON_OPTIONS, flag, refuseUnknown, Words } from "../words.js";

export const name = "engines";
export const command = "engines";
export const describe = "List the engines and what each needs";

const OPTIONS = { json: flag("print JSON instead of the table"), ...COMMON_OPTIONS } satisfies Record<
  string,
  Options
>;

export const builder = (yargs: Argv): Argv =>
  yargs
    .usage(`$0 engines [options]\n\n${describe}.`)
    .options(OPTIONS)
    .check(refuseUnknown(name, OPTIONS), false)
    .example("$0 engines", "what can run on this machine")
    .example("$0 engines --json", "the same for a program");

export async function handler(given: Arguments): Promise<void> {
  const words = new Words(name, given);
  words.none();
  const { engineReport, enginesTable } = await import("../engines/report.js");
  const report = await engineReport();
  process.stdout.write(
    words.flag("json")
      ? `${JSON.stringify({ engines: report }, null, 2)}\n`
      : await enginesTable(report, process.stdout),
  );
}
