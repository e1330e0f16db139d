import type { Control, Engine, EngineOptions } from "../../engine.js";
import { chooseEngine, openEngine } from "../../engines.js";
import { fit, workloadOf } from "../../fit.js";
import type { Fits } from "../../fits.js";
import { openRows } from "../../io/read.js";
import type { ReadOptions, RowSource } from "../../io/rows.js";
import { FitsFile } from "../../io/write/fits.js";
import { jsonPieces } from "../../io/write/json.js";
import type { FitsResult } from "../../io/write/result.js";
import { printText } from "../../io/write/text.js";
import type { Statistics } from "../../statistics.js";
import { accumulate } from "../../stream/accumulate.js";
import { FAILED } from "../failure.js";
import { interruptSignal } from "../interrupt.js";
import { Terminal } from "../terminal.js";
import type { FitCall } from "./call.js";
import { readStart, type StartFile } from "./start.js";
import { summary, tablePieces, troubles } from "./table.js";

/** Runs `mvnfit fit`; gives the exit code. Whatever can be checked is checked before the first row is read. */
export async function runFit(call: FitCall): Promise<number> {
  const terminal = new Terminal(call.quiet);
  const signal = interruptSignal();
  const file = call.output === undefined ? undefined : await FitsFile.at(call.output, call.files);
  await using engine = new StartingEngine(call);
  const source = await openRows(call.files, readOptions(call, signal));
  try {
    file?.checkNames(source.groupBy, source.columns);
    const start = isFile(call.init) ? await readStart(call.init, source.columns) : undefined;
    const fits = await fitRows(call, await engine.started, source, start, terminal, signal);
    const result: FitsResult = {
      fits,
      columns: source.columns,
      groupBy: source.groupBy,
      groups: source.groups,
      rows: source.rows,
      rowsDropped: source.dropped,
    };
    await file?.write(result, signal);
    await show(call, result, terminal, signal);
    return call.strict && withoutFit(fits) > 0 ? FAILED : 0;
  } finally {
    await source.close();
  }
}

function readOptions(call: FitCall, signal: AbortSignal): ReadOptions {
  return {
    groupBy: call.groupBy,
    missing: call.missing,
    signal,
    ...(call.columns && { columns: call.columns }),
    ...(call.weights !== undefined && { weights: call.weights }),
    ...(call.format && { format: call.format }),
  };
}

/** An engine that starts while the files are being looked at. What is wrong with those is said first. */
class StartingEngine implements AsyncDisposable {
  readonly started: Promise<Engine>;

  constructor(call: FitCall) {
    this.started = openEngine(call.engine, engineOptions(call));
    this.started.catch(() => undefined); // met where it is awaited, if the call comes so far
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.started.then(
      (engine) => engine.close(),
      () => undefined,
    );
  }
}

async function fitRows(
  call: FitCall,
  reading: Engine,
  source: RowSource,
  start: StartFile | undefined,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Fits> {
  const statistics = await watched("reading", terminal, signal, (control) =>
    accumulate(reading, source, control),
  );
  await using engine = await solvingEngine(call, reading, statistics);
  if (call.engine === "auto") terminal.note(`engine: ${engine.name} (${engine.device})`);
  const init = start ? start.forGroups(source.groups, source.groupBy) : (call.init as "default" | "identity");
  return await watched("fitting", terminal, signal, (control) =>
    fit(statistics, { ...solverOptions(call, engine), init, ...control }),
  );
}

function engineOptions({ threads, device }: FitCall): EngineOptions {
  return { ...(threads !== undefined && { threads }), ...(device && { device }) };
}

/** The engine for the fit. Only now is known how large it is, so that `auto` may take another than the one that summed the rows. */
async function solvingEngine(call: FitCall, reading: Engine, statistics: Statistics): Promise<Engine> {
  if (call.engine !== "auto") return reading;
  const chosen = await chooseEngine(workloadOf(statistics, call.method));
  return chosen === reading.name ? reading : openEngine(chosen, engineOptions(call));
}

function solverOptions(call: FitCall, engine: Engine) {
  return {
    engine,
    method: call.method,
    ddof: call.ddof,
    precision: call.precision,
    ...(call.tolerance !== undefined && { tolerance: call.tolerance }),
    ...(call.maxIterations !== undefined && { maxIterations: call.maxIterations }),
  };
}

async function watched<T>(
  label: string,
  terminal: Terminal,
  signal: AbortSignal,
  work: (control: Control) => Promise<T>,
): Promise<T> {
  const progress = await terminal.progress(label);
  try {
    return await work({ signal, onProgress: progress });
  } finally {
    progress.stop();
  }
}

/** The document or the table on stdout; with a file, what was done and which groups are in trouble, on stderr. */
async function show(
  call: FitCall,
  result: FitsResult,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  if (call.json) await printText(process.stdout, jsonPieces(result), signal);
  else if (call.output === undefined)
    await printText(process.stdout, tablePieces(result, call.files, process.stdout), signal);
  if (call.json || call.output !== undefined) for (const line of troubles(result)) terminal.warn(line);
  if (call.output !== undefined && !call.quiet) terminal.note(`${call.output}: ${summary(result)}`);
  if (call.strict && withoutFit(result.fits) > 0) {
    terminal.error(`${withoutFit(result.fits)} of ${result.fits.groups} groups did not converge (--strict)`);
  }
}

const isFile = (init: string): boolean => init !== "default" && init !== "identity";

/** Groups without a fit, or with one that fell short of the tolerance. */
const withoutFit = (fits: Fits): number => fits.groups - (fits.counts.converged ?? 0);
