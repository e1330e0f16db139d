import type { Checked, Entry, Timing } from "./result.js";

/** The times of one run, in milliseconds. Parts are given by those that can tell them. */
export interface Times {
  readonly total: number;
  readonly transfer?: number;
  readonly moments?: number;
  readonly solve?: number;
}

/** Who takes part in a case: one way for one program to come to the fits. */
export interface Contender {
  readonly kind: Entry["kind"];
  readonly name: string;
  readonly form: string;
  readonly from: Entry["from"];
  /** Runs once, which takes `ms`, and compares what comes out. Throws where it cannot run. */
  check(): Promise<Verdict>;
  /** Runs once, timed. */
  time(): Promise<Times>;
  close(): Promise<void>;
}

export interface Verdict {
  readonly checked: Checked;
  readonly counts: Entry["counts"];
  readonly ms: number;
}

/** What has become of a contender so far. */
export interface Standing {
  readonly contender: Contender;
  readonly times: Times[];
  checked: Checked | null;
  counts: Entry["counts"];
  outcome: Exclude<Entry["outcome"], "skipped">;
  reason: string | null;
  /** Timed runs that it is to have */
  runs: number;
}

/** Untimed runs before the timed ones, beside the one that was checked, and more of them for as long: compilers and caches settle. */
const WARM_UPS = 2;
const WARM_UP_MS = 150;

/** A contender whose runs would take longer than this in all is timed fewer times; one whose checked run did, not again. */
const PATIENCE_MS = 6000;

/** Between two contenders: threads that the last one left spinning come to rest. */
const PAUSE_MS = 5;

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** Steps that `compete` reports. */
export const stepsOf = (contenders: number, runs: number): number => contenders * (runs + 1);

/** Checks each contender, then times those whose results hold, in turn, back and forth, so that none has the quieter machine. */
export async function compete(
  contenders: readonly Contender[],
  runs: number,
  step: () => void,
  signal: AbortSignal | undefined,
): Promise<Standing[]> {
  const standings = contenders.map(
    (contender): Standing => ({
      contender,
      times: [],
      checked: null,
      counts: null,
      outcome: "timed",
      reason: null,
      runs: 0,
    }),
  );
  for (const standing of standings) {
    await attempt(standing, signal, () => qualify(standing, runs, signal));
    step();
  }
  for (let run = 0; run < runs; run++) {
    for (const standing of run % 2 === 0 ? standings : standings.toReversed()) {
      if (run < standing.runs) {
        await attempt(standing, signal, async () => {
          await pause();
          standing.times.push(await standing.contender.time());
        });
      }
      step();
    }
  }
  return standings;
}

/** Checks a contender, warms it up, and decides on how many timed runs patience allows. */
async function qualify(standing: Standing, runs: number, signal: AbortSignal | undefined): Promise<void> {
  const { contender } = standing;
  const { checked, counts, ms } = await contender.check();
  standing.checked = checked;
  standing.counts = counts;
  if (checked.failure !== null) {
    standing.outcome = "wrong";
    standing.reason = checked.failure;
    return;
  }
  if (ms > PATIENCE_MS) {
    standing.times.push({ total: ms });
    return;
  }
  let each = ms;
  const warmth = performance.now() + WARM_UP_MS;
  for (let run = 0; run < WARM_UPS || performance.now() < warmth; run++) {
    signal?.throwIfAborted();
    const since = performance.now();
    await contender.time();
    each = performance.now() - since;
  }
  standing.runs = Math.min(runs, Math.max(1, Math.floor(PATIENCE_MS / each)));
}

/** One contender's trouble is its own; an abort is everybody's. */
async function attempt(
  standing: Standing,
  signal: AbortSignal | undefined,
  work: () => Promise<void>,
): Promise<void> {
  signal?.throwIfAborted();
  try {
    await work();
  } catch (error) {
    signal?.throwIfAborted();
    standing.outcome = "failed";
    standing.reason = error instanceof Error ? error.message : String(error);
    standing.runs = 0;
    standing.times.length = 0;
  }
}

/** Milliseconds that `work` takes, and what it gives. */
export async function clocked<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const start = performance.now();
  const value = await work();
  return { ms: performance.now() - start, value };
}

export function timing(runs: readonly (number | undefined)[]): Timing | null {
  const known = runs.filter((ms) => ms !== undefined);
  if (known.length === 0) return null;
  const sorted = known.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, least: sorted[0], most: sorted[sorted.length - 1], runs: known };
}
