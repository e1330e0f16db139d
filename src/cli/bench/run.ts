import { allEnginesHold, type BenchResult } from "../../bench/result.js";
import { bench } from "../../bench.js";
import { checkTarget } from "../../io/write/target.js";
import { printText, writeText } from "../../io/write/text.js";
import { writeWhole } from "../../io/write/whole.js";
import { FAILED } from "../failure.js";
import { interruptSignal } from "../interrupt.js";
import { Terminal } from "../terminal.js";
import type { BenchCall } from "./call.js";
import { benchTables } from "./text.js";

/** Runs `mvnfit bench`; gives the exit code. */
export async function runBench({ options, json, output, plot, quiet }: BenchCall): Promise<number> {
  const terminal = new Terminal(quiet);
  const signal = interruptSignal();
  if (output !== undefined) await checkTarget(output, [".json"]);
  if (plot !== undefined) await checkTarget(plot, [".svg"]);
  const result = await watched(options, terminal, signal);
  const document = `${JSON.stringify(result, null, 2)}\n`;
  if (output !== undefined) await put(output, document, signal);
  if (plot !== undefined) {
    const { benchPlot } = await import("../../report/bench-plot.js");
    await put(plot, await benchPlot(result), signal);
  }
  await printText(process.stdout, json ? [document] : benchTables(result, process.stdout), signal);
  if (allEnginesHold(result)) return 0;
  terminal.error("an engine gave wrong results or failed; see above");
  return FAILED;
}

/** Notes are kept until the bar is gone, which they would be drawn into. */
async function watched(
  options: BenchCall["options"],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<BenchResult> {
  const progress = await terminal.progress("measuring");
  const notes: string[] = [];
  try {
    return await bench({ ...options, signal, onProgress: progress, onNote: (note) => notes.push(note) });
  } finally {
    progress.stop();
    for (const note of notes) terminal.warn(note);
  }
}

const put = (path: string, text: string, signal: AbortSignal): Promise<void> =>
  writeWhole(path, (file) => writeText(file, [text], signal), signal);
