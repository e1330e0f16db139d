import type { Batch } from "../../batch.js";
import type { Control } from "../../engine.js";
import { collect } from "../../io/collect.js";
import { openRows } from "../../io/read.js";
import type { RowSource } from "../../io/rows.js";
import { checkTarget } from "../../io/write/target.js";
import { printText, writeText } from "../../io/write/text.js";
import { writeWhole } from "../../io/write/whole.js";
import { brokenGradientJunit, verificationJunit } from "../../report/junit.js";
import { type GroupNames, groupName } from "../../report/verification.js";
import { verificationJson } from "../../report/verification-json.js";
import type { Verification } from "../../verification.js";
import { GradientError } from "../../verify/user-sources.js";
import { verify } from "../../verify.js";
import { FAILED } from "../failure.js";
import { interruptSignal } from "../interrupt.js";
import { Terminal } from "../terminal.js";
import type { FORMATS, VerifyCall } from "./call.js";
import { reportPieces } from "./text.js";

/** The endings that a file may have for each format. */
const ENDINGS: Readonly<Record<(typeof FORMATS)[number], readonly string[]>> = {
  text: [".txt", ".log"],
  json: [".json"],
  junit: [".xml"],
};

/** Runs `mvnfit verify`; gives the exit code. */
export async function runVerify(call: VerifyCall): Promise<number> {
  const terminal = new Terminal(call.quiet);
  const signal = interruptSignal();
  if (call.output !== undefined) await checkTarget(call.output, ENDINGS[call.format], call.files);
  const { rows, names } = await readRows(call, terminal, signal);
  try {
    const verification = await watched("verifying", terminal, (control) => {
      const label = (group: number) => groupName(group, names);
      return verify(rows ?? call.sweep, { ...call.options, ...control, signal, label });
    });
    if (call.options.module === undefined) {
      terminal.note(`engine: ${verification.subject} (${verification.device})`);
    }
    await put(call, reportOf(call, verification, names), signal);
    return verification.passed ? 0 : FAILED;
  } catch (error) {
    // What reads JUnit files in CI would otherwise take a missing one for "no tests".
    if (error instanceof GradientError && call.format === "junit") {
      await put(call, [brokenGradientJunit(String(call.options.module), error.message)], signal);
    }
    throw error;
  }
}

/** The files' rows and what their groups are called, or nothing where there are no files. */
async function readRows(
  { files, groupBy, columns, weights, missing, inputFormat: format }: VerifyCall,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<{ rows?: Batch; names?: GroupNames }> {
  if (files.length === 0) return {};
  const options = {
    groupBy,
    missing,
    signal,
    ...(columns && { columns }),
    ...(weights && { weights }),
    ...(format && { format }),
  };
  const source: RowSource = await openRows(files, options);
  try {
    const rows = await watched("reading", terminal, (control) => collect(source, control));
    if (source.dropped > 0) terminal.note(`rows with missing values dropped: ${source.dropped}`);
    const { groups } = source;
    return { rows, names: { columns: source.groupBy, key: (group) => groups.key(group) } };
  } finally {
    await source.close();
  }
}

function reportOf(
  { format, output }: VerifyCall,
  verification: Verification,
  names: GroupNames | undefined,
): Iterable<string> {
  if (format === "json") return [verificationJson(verification, names)];
  if (format === "junit") return [verificationJunit(verification, names)];
  // A file is no terminal, whatever standard output is.
  const stream = output === undefined ? process.stdout : ({ isTTY: false } as NodeJS.WriteStream);
  return reportPieces(verification, names, stream);
}

async function put({ output }: VerifyCall, pieces: Iterable<string>, signal: AbortSignal): Promise<void> {
  if (output === undefined) return printText(process.stdout, pieces, signal);
  await writeWhole(output, (file) => writeText(file, pieces, signal), signal);
}

async function watched<T>(
  label: string,
  terminal: Terminal,
  work: (control: Pick<Control, "onProgress">) => Promise<T>,
): Promise<T> {
  const progress = await terminal.progress(label);
  try {
    return await work({ onProgress: progress });
  } finally {
    progress.stop();
  }
}
