import type { Batch } from "./batch.js";
import type { Expected } from "./bench/check.js";
import { type Contender, compete, stepsOf } from "./bench/contender.js";
import { EngineContender, type Task } from "./bench/engine-contender.js";
import { commit, machine, ownVersions } from "./bench/machine.js";
import { type BenchOptions, type CheckedOptions, checkedOptions } from "./bench/options.js";
import { Peers } from "./bench/peers.js";
import {
  BENCH_SCHEMA,
  type BenchCase,
  type BenchResult,
  type EngineUsed,
  type Entry,
} from "./bench/result.js";
import type { Shape } from "./bench/shape.js";
import { skippedEntry, summarise } from "./bench/summarise.js";
import { referenceFits, workload } from "./bench/workload.js";
import type { Engine } from "./engine.js";
import { openEngine, PROVIDERS } from "./engines.js";
import type { Method, Precision } from "./methods.js";

/**
 * Times engines and peers on seeded data: shapes × precisions × methods, each a case. In a case every contender's result is compared with
 * `reference` (peers: with an engine's that holds) before anything is timed; then all run in turn.
 *
 * @throws InputError  where an option has no such value
 * @throws EngineError where an engine cannot be had
 */
export async function bench(options: BenchOptions = {}): Promise<BenchResult> {
  const checked = checkedOptions(options);
  const engines: Engine[] = [];
  let peers: Peers | undefined;
  try {
    for (const one of checked.engines) {
      engines.push(typeof one === "object" ? one : await openEngine(one, { threads: checked.threads }));
    }
    peers = await Peers.start(checked);
    const cases = await runCases(checked, engines, peers);
    const { threads, runs, seed, condition, offset } = checked;
    return {
      schema: BENCH_SCHEMA,
      date: new Date().toISOString(),
      commit: commit(),
      machine: machine(),
      versions: ownVersions(),
      threads,
      runs,
      seed,
      condition,
      offset,
      engines: await Promise.all(engines.map(engineUsed)),
      peers: peers.used,
      cases,
    };
  } finally {
    await peers?.close();
    const opened = engines.filter((engine) => !checked.engines.includes(engine));
    await Promise.all(opened.map((engine) => engine.close()));
  }
}

async function engineUsed({ name, device }: Engine): Promise<EngineUsed> {
  const probe = await PROVIDERS.find((one) => one.name === name)?.probe();
  return { name, device, version: probe?.available ? probe.version : null };
}

async function runCases(
  options: CheckedOptions,
  engines: readonly Engine[],
  peers: Peers,
): Promise<BenchCase[]> {
  const { shapes, precisions, methods, control, onNote } = options;
  const cases: BenchCase[] = [];
  const total = shapes.length * precisions.length * methods.length;
  for (const shape of shapes) {
    for (const precision of precisions) {
      const rows = workload(shape, precision, options);
      const truth = await referenceFits(rows, options.check, control.signal);
      for (const method of methods) {
        const progress = (share: number) => control.onProgress?.(cases.length + share, total);
        const task = { rows, method, precision, ...(control.signal && { signal: control.signal }) };
        const one = await runCase(shape, task, truth, options, engines, peers, progress);
        for (const note of troubles(one)) onNote(note);
        cases.push(one);
        control.onProgress?.(cases.length, total);
      }
    }
  }
  return cases;
}

async function runCase(
  shape: Shape,
  task: Task,
  truth: Expected,
  { rowsIn, runs, control }: CheckedOptions,
  engines: readonly Engine[],
  peers: Peers,
  progress: (share: number) => void,
): Promise<BenchCase> {
  const able = engines.filter((engine) => canDo(engine, task.precision));
  const ours = able.flatMap((engine) =>
    rowsIn.map((place) => new EngineContender(engine, place, task, truth)),
  );
  const unable = engines
    .filter((engine) => !able.includes(engine))
    .flatMap(({ name }) =>
      rowsIn.map((place) => skippedEntry("engine", name, place, `does not compute in ${task.precision}`)),
    );
  const theirs = await peers.contenders(task, () => allGroups(ours, task.rows, task.method) ?? truth);
  const contenders: Contender[] = [...ours, ...theirs.contenders];
  const steps = stepsOf(contenders.length, runs);
  let step = 0;
  try {
    const standings = await compete(contenders, runs, () => progress(++step / steps), control.signal);
    return summarise(shape, task, standings, [...unable, ...theirs.skipped]);
  } finally {
    await Promise.all(contenders.map((contender) => contender.close()));
  }
}

const canDo = ({ name }: Engine, precision: Precision): boolean =>
  PROVIDERS.find((one) => one.name === name)?.precisions.includes(precision) ?? true;

/** An engine's closed form that agreed with `reference`: what peers are held to, in every group. */
function allGroups(
  ours: readonly EngineContender[],
  { groups }: Batch,
  method: Method,
): Expected | undefined {
  const holds = method === "closed-form" ? ours.find(({ fits }) => fits !== undefined) : undefined;
  if (!holds?.fits) return undefined;
  return { by: holds.name, fits: holds.fits, groups: Float64Array.from({ length: groups }, (_, g) => g) };
}

/** What a person must hear of a case. */
function troubles({ shape, method, precision, entries }: BenchCase): string[] {
  const place = `${shape} ${method} ${precision}`;
  const trouble = ({ outcome }: Entry) => outcome === "wrong" || outcome === "failed";
  return entries.filter(trouble).map(({ name, form, outcome, reason }) => {
    const what = outcome === "wrong" ? "gives wrong results and was not timed" : "failed";
    return `${place}: ${name} (${form}) ${what}: ${reason}`;
  });
}
