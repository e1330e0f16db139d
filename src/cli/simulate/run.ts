import { checkTarget } from "../../io/write/target.js";
import { printText, writeText } from "../../io/write/text.js";
import { writeWhole } from "../../io/write/whole.js";
import { type SimulateOptions, simulateGroups } from "../../simulate.js";
import { interruptSignal } from "../interrupt.js";
import { Terminal } from "../terminal.js";
import { type Arguments, Words } from "../words.js";
import { type SimulateCall, simulatedCsv, truthJson } from "./write.js";

/** @throws InputError for values that no such option has */
export function readCall(given: Arguments): SimulateCall {
  const words = new Words("simulate", given);
  words.none();
  const data: Required<SimulateOptions> = {
    groups: words.whole("groups", 0) ?? 100,
    rows: words.range("rows") ?? [100, 100],
    dims: words.whole("dims", 1) ?? 4,
    condition:
      words.number(
        "condition",
        (value) => value >= 1 && value < Infinity,
        () => "a number of at least 1",
      ) ?? 10,
    offset: words.number("offset", Number.isFinite, () => "a number") ?? 0,
    seed: words.whole("seed", 0) ?? 1,
  };
  return { data, output: words.text("output"), truth: words.text("truth"), quiet: words.flag("quiet") };
}

/** Runs `mvnfit simulate`: both files, or neither. */
export async function runSimulate(call: SimulateCall): Promise<void> {
  const terminal = new Terminal(call.quiet);
  const signal = interruptSignal();
  const { output, truth, data } = call;
  const ending = output === undefined ? undefined : await checkTarget(output, [".csv", ".parquet"]);
  if (truth !== undefined) await checkTarget(truth, [".json"]);
  const writeData = async (): Promise<void> => {
    if (output === undefined) return printText(process.stdout, simulatedCsv(data), signal);
    await writeWhole(
      output,
      async (file) => {
        if (ending === ".csv") return writeText(file, simulatedCsv(data), signal);
        const { writeSimulatedParquet } = await import("./parquet.js");
        await writeSimulatedParquet(data, file, signal);
      },
      signal,
    );
  };
  if (truth === undefined) await writeData();
  else {
    await writeWhole(
      truth,
      async (file) => {
        await writeText(file, truthJson(data), signal);
        await writeData();
      },
      signal,
    );
  }
  for (const file of [output, truth]) if (file !== undefined) terminal.note(`${file}: ${extent(data)}`);
}

function extent(data: SimulateOptions): string {
  let rows = 0;
  for (const group of simulateGroups(data)) rows += group.rows;
  return `${data.groups.toLocaleString("en")} groups, ${rows.toLocaleString("en")} rows, ${data.dims} variables`;
}
