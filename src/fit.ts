import { Batch } from "./batch.js";
import type { Control, Engine, EngineName, EngineOptions, Session, Solve, Start } from "./engine.js";
import type { Workload } from "./engines/auto.js";
import { openEngine } from "./engines.js";
import { InputError } from "./errors.js";
import type { Fits } from "./fits.js";
import { requireCount } from "./layout.js";
import {
  DEFAULT_MAX_ITERATIONS,
  DEFAULT_TOLERANCE,
  METHODS,
  type Method,
  PRECISIONS,
  type Precision,
} from "./methods.js";
import { Parameters } from "./parameters.js";
import type { Statistics } from "./statistics.js";

/** Iterations are counted in 32 bits, with a sign, in kernels and in results. */
const MOST_ITERATIONS = 2 ** 31 - 1;

/** Values given as plain arrays: one set for every group, or one for each. */
export interface StartValues {
  readonly mean: ArrayLike<number>;
  readonly factor: ArrayLike<number>;
}

export interface FitOptions extends EngineOptions, Control {
  /** An engine's name, or an open engine, which stays open; default `auto` */
  readonly engine?: EngineName | "auto" | Engine;
  /** default `closed-form` */
  readonly method?: Method;
  /** The divisor of the covariance is n − ddof; 1 with `closed-form` only; default 0 */
  readonly ddof?: 0 | 1;
  /** Where an iterative method starts; default `default` */
  readonly init?: "default" | "identity" | StartValues;
  /** On the residual r; default 1e-8 in float64, 1e-4 in float32 */
  readonly tolerance?: number;
  /** default 1000 */
  readonly maxIterations?: number;
  /** The arithmetic of the solver; default float64 */
  readonly precision?: Precision;
}

/**
 * Fits a multivariate Gaussian to each group, by maximum likelihood:
 *
 *     (μ, S) = argmax P(X | μ, Λ),  S = ΛΛᵀ
 *
 * Source: Rennie (2006), eqs. (1) and (2); the methods are in docs/methods.md. What the data do to one group is a status of that
 * group; it never throws.
 *
 * @param source rows (`Batch`) or what remains of them (`Statistics`)
 * @throws InputError  where an option has no such value, or options contradict each other
 * @throws EngineError where the engine cannot be had, or broke
 */
export async function fit(source: Batch | Statistics, options: FitOptions = {}): Promise<Fits> {
  const solve = checkedSolve(options, source);
  return withSession(source, options, solve.method, (session) => session.fit(solve, options));
}

/** Runs `work`, which is a `kind` of work, on a session over `source`, with the engine that the options name; closes what it opened. */
export async function withSession<T>(
  source: Batch | Statistics,
  options: Pick<FitOptions, "engine" | "threads" | "device" | "precision" | "signal">,
  kind: Workload["method"],
  work: (session: Session) => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted();
  const given = typeof options.engine === "object" ? options.engine : undefined;
  const engine =
    given ??
    (await openEngine(options.engine as EngineName | "auto" | undefined, options, workloadOf(source, kind)));
  try {
    await using session = await engine.open(source, {
      precision: options.precision ?? "float64",
      once: true,
    });
    return await work(session);
  } finally {
    if (!given) await engine.close();
  }
}

/** What `auto` needs to know of the work. */
export function workloadOf(source: Batch | Statistics, method: Workload["method"]): Workload {
  const { groups, dims } = source;
  const [rows, valueBytes] = source instanceof Batch ? [source.rows, source.x.BYTES_PER_ELEMENT] : [0, 0];
  return { groups, dims, rows, valueBytes, method };
}

/** The caller's options as the complete, checked task that engines take. */
function checkedSolve(options: FitOptions, shape: { readonly groups: number; readonly dims: number }): Solve {
  const method = oneOf("method", METHODS, options.method ?? "closed-form");
  const precision = oneOf("precision", PRECISIONS, options.precision ?? "float64");
  const ddof = oneOf("ddof", [0, 1] as const, options.ddof ?? 0);
  const tolerance = options.tolerance ?? DEFAULT_TOLERANCE[precision];
  const maxIterations = options.maxIterations ?? DEFAULT_MAX_ITERATIONS;
  if (ddof === 1 && method !== "closed-form") {
    throw new InputError(
      `fit: ddof 1 goes with the method closed-form only, got ${method}, which maximises the likelihood`,
    );
  }
  if (!(tolerance > 0 && tolerance < Infinity)) {
    throw new InputError(`fit: tolerance must be a positive number, got ${tolerance}`);
  }
  requireCount("fit", "maxIterations", maxIterations, 0);
  if (maxIterations > MOST_ITERATIONS) {
    throw new InputError(`fit: maxIterations must be at most ${MOST_ITERATIONS}, got ${maxIterations}`);
  }
  return { method, ddof, tolerance, maxIterations, start: checkedStart(options.init ?? "default", shape) };
}

function checkedStart(init: NonNullable<FitOptions["init"]>, shape: { groups: number; dims: number }): Start {
  if (typeof init === "object") return Parameters.from(init, shape, "fit: init");
  return oneOf("init", ["default", "identity"] as const, init);
}

function oneOf<T extends string | number>(name: string, values: readonly T[], value: T): T {
  if (values.includes(value)) return value;
  throw new InputError(`fit: ${name} must be one of ${values.join(", ")}, got ${JSON.stringify(value)}`);
}
