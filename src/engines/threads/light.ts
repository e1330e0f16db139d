// Fits that are done sooner than workers would have started: by two or three calls of the library in threads of Node's pool. A program that
// fits one file by the closed form starts no worker, which would take 30 ms of two processors and 10 MB each.
import type { Control } from "../../engine.js";
import { methodCode } from "../../methods.js";
import { FITS, STATISTICS } from "../fields.js";
import { addressesFrom, addressesOf } from "./columns.js";
import type { Call, Machine } from "./machine.js";
import type { Spans } from "./spans.js";
import type { FitTask } from "./task.js";
import { fitValues } from "./values.js";

/** Node's pool has this many threads unless it is told otherwise; others may want one too. */
const MOST_LANES = 3;

/** Work as groups · d² · max(8, d), of which a thread does about one a nanosecond: at most some 60 ms. */
const MOST_WORK = 2 ** 26;

const CLOSED_FORM = methodCode("closed-form");

/** A closed form of statistics. */
export type LightTask = Call["task"] & {
  readonly statistics: Spans<typeof STATISTICS>;
  readonly solver: FitTask;
};

/** Whether a task is better done without workers that have yet to be started. */
export function isLight(machine: Machine, task: Call["task"]): task is LightTask {
  const { rows, solver, dims, groups } = task;
  return (
    !rows &&
    solver?.kind === "fit" &&
    solver.method === CLOSED_FORM &&
    machine.fitLater !== undefined &&
    !machine.hasWorkers &&
    groups * dims ** 2 * Math.max(8, dims) <= MOST_WORK
  );
}

/**
 * Does such a task.
 *
 * @throws EngineError where memory is lacking or the engine is closed meanwhile; the signal's reason where it aborts
 */
export async function performLightly(
  machine: Machine,
  { dims, groups, statistics, solver, scratch }: LightTask,
  { signal, onProgress }: Control,
): Promise<void> {
  const { arena, addressOf, fitLater, threads, engine } = machine;
  if (!addressOf || !fitLater) throw new Error("not a library");
  signal?.throwIfAborted();
  const lanes = Math.min(threads, MOST_LANES);
  const share = Math.ceil(groups / lanes);
  const room = { dims, groups };
  const from = addressesOf(STATISTICS, statistics, room, addressOf);
  const to = addressesOf(FITS, solver.results, room, addressOf);
  const taken: number[] = [];
  try {
    for (let lane = 0; lane < lanes; lane++) taken.push(arena.take(scratch, `a fit at ${dims} dimensions`));
    await Promise.all(
      taken.map((own, lane) => {
        const first = lane * share;
        const places = {
          groups: Math.max(0, Math.min(share, groups - first)),
          dims,
          statistics: addressesFrom(STATISTICS, from, dims, first),
          parameters: { mean: 0, factor: 0 }, // a closed form starts nowhere
          fits: addressesFrom(FITS, to, dims, first),
          stop: machine.stop,
          scratch: own,
        };
        return fitLater(...fitValues(solver, places));
      }),
    );
  } finally {
    for (const own of taken) arena.give(own);
  }
  machine.requireOpen(`${engine}: the call was ended`);
  signal?.throwIfAborted();
  onProgress?.(groups, groups);
}
