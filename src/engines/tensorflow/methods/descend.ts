import type { Tensor, TensorBackend } from "../backend.js";
import { noiseOf, type Search } from "./line-search.js";
import { along, dot, type Place, placeAt } from "./place.js";
import { emptySolution, type Problem, type Running, record, type Solution, select } from "./problem.js";

/** One group on its way down: where it stands, and what its method remembers of it. */
export interface Descent<Memory> extends Running {
  readonly memory: Memory;
  value: number;
  residual: number;
  /** What the last step came to: a move, a fresh start of the method from the same point, or nothing that lowers J. */
  outcome: "moved" | "again" | "stuck";
  /** the lowest residual so far, and for how many steps nothing has fallen */
  lowest: number;
  flat: number;
}

/** What a method may use to make a step. */
export interface Round<Memory> {
  readonly on: TensorBackend;
  readonly runs: readonly Descent<Memory>[];
  readonly at: Place;
  /** tensors [B, …] that the method handed back after its last step */
  readonly kept: readonly Tensor[];
  placeAt(x: Tensor): Place;
  /** The places that the searches settle on along `direction`, from `from` (default `at`). */
  search(direction: Tensor, searches: readonly Search[], from?: Place): Place;
  noise(value: number): number;
}

/** A method that uses only current and past gradients: its step, for all running groups at once. */
export interface GradientMethod<Memory> {
  /** what it remembers of one group on the host */
  begin(): Memory;
  /** Makes a step and says in `outcome` how each group fared. Runs in a scope: of its tensors those returned stay. */
  step(round: Round<Memory>): { readonly to: Place; readonly kept: readonly Tensor[] };
}

/**
 * The loop that gradient methods share. All running groups step together; one that has ended leaves the batch, so that it costs
 * nothing more and changes no bit of the others.
 */
export async function descend<Memory>(problem: Problem, method: GradientMethod<Memory>): Promise<Solution> {
  const { on, groups, e } = problem;
  const solution = emptySolution(problem);
  let runs: Descent<Memory>[] = Array.from({ length: groups }, (_, group) => ({
    group,
    iterations: problem.spent[group],
    memory: method.begin(),
    value: Infinity,
    residual: Infinity,
    outcome: "moved" as const,
    lowest: Infinity,
    flat: 0,
  }));
  // Correlation, x and gradient of the running groups, then what the method keeps.
  let tensors = on.scope(() => {
    const shape = [groups, e, e];
    const correlation = on.tensor(problem.correlation, shape);
    const place = placeAt(on, correlation, on.tensor(problem.start, shape));
    moveTo(on, place, runs, e - 1);
    return [correlation, place.x, place.gradient];
  });
  /** Writes down the groups that have ended and goes on without them. */
  const leave = () => {
    const leaving = new Map<number, Solution["status"][number]>();
    runs.forEach((run, place) => {
      const status = ended(problem, run);
      if (status) leaving.set(place, status);
    });
    if (leaving.size === 0) return;
    record(problem, solution, tensors[1], runs, leaving);
    const staying = [...runs.keys()].filter((place) => !leaving.has(place));
    runs = staying.map((place) => runs[place]);
    if (runs.length > 0)
      tensors = on.scope(() => tensors.map((tensor) => select(on, tensor, staying)), tensors);
  };
  try {
    on.active(leave);
    while (runs.length > 0) {
      await problem.pause(groups - runs.length);
      on.active(() => {
        tensors = step(problem, method, runs, tensors);
        leave();
      });
    }
    return solution;
  } finally {
    for (const tensor of tensors) tensor.dispose();
  }
}

function step<Memory>(
  { on, e }: Problem,
  method: GradientMethod<Memory>,
  runs: Descent<Memory>[],
  tensors: Tensor[],
): Tensor[] {
  const [correlation, x, gradient, ...kept] = tensors;
  const at: Place = {
    x,
    gradient,
    value: Float64Array.from(runs, (run) => run.value),
    residual: Float64Array.from(runs, (run) => run.residual),
  };
  return on.scope(() => {
    const next = method.step({
      on,
      runs,
      at,
      kept,
      placeAt: (x) => placeAt(on, correlation, x),
      search: (direction, searches, from = at) => settle(on, correlation, from, direction, searches),
      noise: (value) => noiseOf(on.unit, e - 1, value),
    });
    moveTo(on, next.to, runs, e - 1);
    // A group that has not moved stays where it was: its trial steps may have led anywhere.
    const where = runs.map((run, g) => (run.outcome === "moved" ? runs.length + g : g));
    const chosen = (before: Tensor, after: Tensor) =>
      runs.every((run) => run.outcome === "moved")
        ? after
        : select(on, on.tf.concat([before, after], 0), where);
    const x = chosen(at.x, next.to.x);
    const gradient = chosen(at.gradient, next.to.gradient);
    return [correlation, x, gradient, ...next.kept];
  }, tensors);
}

/** Lets every search have its trials. Those that need more than one go on by themselves; the last call is for all again. */
function settle(
  on: TensorBackend,
  correlation: Tensor,
  from: Place,
  direction: Tensor,
  searches: readonly Search[],
): Place {
  const attempt = (which: readonly number[] | undefined): Place => {
    const steps = Float64Array.from(which ? which.map((g) => searches[g].t) : searches.map(({ t }) => t));
    const [R, x, p] = [correlation, from.x, direction].map((all) => (which ? select(on, all, which) : all));
    const place = placeAt(on, R, along(on, x, steps, p));
    const slopes = dot(on, place.gradient, p);
    (which ?? [...searches.keys()]).forEach((g, k) => {
      if (!searches[g].settled) searches[g].observe(place.value[k], slopes[k]);
    });
    return place;
  };
  const first = searches.map(({ t }) => t);
  const place = attempt(undefined);
  for (;;) {
    const pending = [...searches.keys()].filter((g) => !searches[g].settled);
    if (pending.length === 0) break;
    on.tf.tidy(() => void attempt(pending));
  }
  return searches.every(({ t }, g) => t === first[g]) ? place : attempt(undefined);
}

/** Takes over value and residual at the new place, and counts how long nothing has moved beyond rounding. */
function moveTo<Memory>(on: TensorBackend, place: Place, runs: readonly Descent<Memory>[], d: number): void {
  const fallen = 0.99;
  runs.forEach((run, g) => {
    if (run.outcome !== "moved") return;
    const [value, residual] = [place.value[g], place.residual[g]];
    const moved = !(Math.abs(run.value - value) <= noiseOf(on.unit, d, value));
    run.flat = moved || residual < fallen * run.lowest ? 0 : run.flat + 1;
    run.lowest = Math.min(run.lowest, residual);
    run.value = value;
    run.residual = residual;
  });
}

function ended<Memory>(problem: Problem, run: Descent<Memory>): Solution["status"][number] | undefined {
  const patience = 50;
  if (run.residual <= problem.tolerance) return "converged";
  if (run.outcome === "stuck" || !Number.isFinite(run.value) || run.flat >= patience) return "stalled";
  return run.iterations >= problem.maxIterations ? "max-iterations" : undefined;
}
