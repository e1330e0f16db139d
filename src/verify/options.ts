import type { AutogradBackend } from "../autograd/worker.js";
import { Batch } from "../batch.js";
import type { Control, Engine, EngineName, EngineOptions } from "../engine.js";
import { InputError } from "../errors.js";
import type { StartValues } from "../fit.js";
import { requireCount } from "../layout.js";
import { PRECISIONS, type Precision } from "../methods.js";
import { Parameters } from "../parameters.js";
import { PARTNERS, type Partner, type Place } from "../verification.js";
import type { GradientFunction } from "./gradient-function.js";
import type { Sweep } from "./workloads.js";

export interface VerifyOptions extends EngineOptions, Control {
  /** What is checked: an engine's name, or an open engine, which stays open; default `auto` */
  readonly engine?: EngineName | "auto" | Engine;
  /** The engine's arithmetic; default float64 */
  readonly precision?: Precision;
  /** Check this gradient of J instead, called in this thread */
  readonly gradient?: GradientFunction;
  /** Check the `gradient` that this module exports instead, called in a thread of its own */
  readonly module?: string | URL;
  /** default: all three, but for an engine against itself */
  readonly against?: readonly Partner[];
  /** Where μ and Λ are taken, or the μ and Λ to take, for all groups or for each; default `both` */
  readonly at?: "random" | "optimum" | "both" | StartValues;
  /** Relative to the norm of the term; default `auto`: see docs/verification.md */
  readonly tolerance?: "auto" | number;
  /** κ of the Λ at random and of seeded data; default 1e3 */
  readonly condition?: number;
  /** Of all that is random; default 1 */
  readonly seed?: number;
  /** Finite differences with Richardson's extrapolation; default false */
  readonly richardson?: boolean;
  /** Where TensorFlow.js computes: `float64`, or its own `cpu` in float32; default `float64` */
  readonly autograd?: AutogradBackend;
  /** Seconds that one call of a module's gradient, or one step of autograd, may take; default 60 */
  readonly timeout?: number;
  /** A group's name in messages; default its number */
  readonly label?: (group: number) => string;
}

export interface CheckedOptions extends EngineOptions, Control {
  readonly engine: EngineName | "auto" | Engine;
  readonly precision: Precision;
  readonly gradient: GradientFunction | undefined;
  readonly module: string | URL | undefined;
  readonly against: readonly Partner[];
  readonly places: readonly Place[];
  /** The parameters of the place `given`. */
  readonly given: Parameters | undefined;
  /** Whether the data have units of their own, which Λ at random must have too. */
  readonly inUnits: boolean;
  readonly tolerance: "auto" | number;
  readonly condition: number;
  readonly seed: number;
  readonly richardson: boolean;
  readonly autograd: AutogradBackend;
  readonly timeout: number;
  readonly label: (group: number) => string;
}

/** @throws InputError where an option has no such value, or options contradict each other */
export function checkedOptions(source: Batch | Sweep, options: VerifyOptions): CheckedOptions {
  const { engine = "auto", precision = "float64", gradient, module, at = "both" } = options;
  const { tolerance = "auto", condition = 1e3, seed = 1, timeout = 60, autograd = "float64" } = options;
  const name = typeof engine === "object" ? engine.name : engine;
  const own = gradient !== undefined || module !== undefined;
  const possible = PARTNERS.filter((one) => own || one !== name);
  const against = options.against ?? possible;
  requireOneOf("precision", PRECISIONS, precision);
  requireOneOf("autograd", ["float64", "cpu"], autograd);
  for (const one of against) requireOneOf("against", PARTNERS, one);
  const rules: [boolean, string][] = [
    [against.length > 0, `against must name at least one of ${PARTNERS.join(", ")}`],
    [against.every((one) => possible.includes(one)), `engine ${name} cannot be checked against itself`],
    [gradient === undefined || module === undefined, "gradient and module exclude each other"],
    [!own || engine === "auto", "engine goes without a gradient or module of your own: only one is checked"],
    [!own || precision === "float64", `a gradient of your own is judged as float64, got ${precision}`],
    [
      tolerance === "auto" || (tolerance > 0 && tolerance < Infinity),
      `tolerance must be auto or a positive number, got ${tolerance}`,
    ],
    [condition >= 1 && condition < Infinity, `condition must be a number of at least 1, got ${condition}`],
    [timeout > 0 && timeout < Infinity, `timeout must be a positive number of seconds, got ${timeout}`],
    [
      typeof at !== "object" || source instanceof Batch,
      "parameters of your own go with rows of your own; of seeded rows they would mean nothing",
    ],
    [
      !(own && source instanceof Batch && source.weights),
      "a gradient of your own takes no weights; leave them out, or check an engine",
    ],
  ];
  for (const [holds, rule] of rules) if (!holds) throw new InputError(`verify: ${rule}`);
  requireCount("verify", "seed", seed, 0);
  const { threads, device, signal, onProgress } = options;
  return {
    engine,
    precision,
    gradient,
    module,
    against,
    places: placesOf(at),
    given: typeof at === "object" ? Parameters.from(at, source as Batch, "verify: at") : undefined,
    inUnits: source instanceof Batch,
    tolerance,
    condition,
    seed,
    richardson: options.richardson ?? false,
    autograd,
    timeout,
    label: options.label ?? ((group) => `group ${group}`),
    ...(threads !== undefined && { threads }),
    ...(device !== undefined && { device }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  };
}

function placesOf(at: NonNullable<VerifyOptions["at"]>): Place[] {
  if (typeof at === "object") return ["given"];
  requireOneOf("at", ["random", "optimum", "both"], at);
  return at === "both" ? ["random", "optimum"] : [at];
}

function requireOneOf<T extends string>(name: string, values: readonly T[], value: T): void {
  if (values.includes(value)) return;
  throw new InputError(
    `verify: ${name} must be one of ${values.join(", ")}, got ${JSON.stringify(value) ?? String(value)}`,
  );
}
