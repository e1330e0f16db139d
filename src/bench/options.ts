import { availableParallelism } from "node:os";
import { type Control, ENGINE_NAMES, type Engine, type EngineName } from "../engine.js";
import { InputError } from "../errors.js";
import { requireCount } from "../layout.js";
import { METHODS, type Method, PRECISIONS, type Precision } from "../methods.js";
import { PEERS, type PeerName, ROWS_IN, type RowsIn } from "./result.js";
import { parseShapes, type Shape } from "./shape.js";

export interface BenchOptions extends Control {
  /** As in `10000x200x8`, or names of presets; default `quick` */
  readonly shapes?: readonly string[];
  /** Engines' names, or open engines, which stay open; default `auto` */
  readonly engines?: readonly (EngineName | "auto" | Engine)[];
  /** default `closed-form` */
  readonly methods?: readonly Method[];
  /** Of rows and arithmetic alike; default `float64` */
  readonly precisions?: readonly Precision[];
  /** Where engines find the rows; default everywhere */
  readonly rowsIn?: readonly RowsIn[];
  /** For engines and peers alike; default all cores */
  readonly threads?: number;
  /** Timed runs of each contender; a slow one has fewer, at least one; default 7 */
  readonly runs?: number;
  /** Groups compared with `reference`; default 100 */
  readonly check?: number;
  /** default 1 */
  readonly seed?: number;
  /** κ(S) of the groups; default 100 */
  readonly condition?: number;
  /** Added to every mean; default 0 */
  readonly offset?: number;
  /** default none */
  readonly against?: readonly PeerName[];
  /** The interpreter for the peers; default `python3`, and `python` on Windows */
  readonly python?: string;
  /** Called with what a person should know while it runs. */
  readonly onNote?: (note: string) => void;
}

export interface CheckedOptions extends Required<Omit<BenchOptions, "shapes" | keyof Control | "python">> {
  readonly shapes: readonly Shape[];
  readonly python: string | undefined;
  readonly control: Control;
}

/** @throws InputError where an option has no such value */
export function checkedOptions(options: BenchOptions): CheckedOptions {
  const { signal, onProgress } = options;
  const checked: CheckedOptions = {
    shapes: parseShapes(options.shapes ?? ["quick"]),
    engines: options.engines ?? ["auto"],
    methods: options.methods ?? ["closed-form"],
    precisions: options.precisions ?? ["float64"],
    rowsIn: options.rowsIn ?? ROWS_IN,
    threads: options.threads ?? availableParallelism(),
    runs: options.runs ?? 7,
    check: options.check ?? 100,
    seed: options.seed ?? 1,
    condition: options.condition ?? 100,
    offset: options.offset ?? 0,
    against: options.against ?? [],
    python: options.python,
    onNote: options.onNote ?? (() => {}),
    control: { ...(signal && { signal }), ...(onProgress && { onProgress }) },
  };
  const names = checked.engines.filter((one) => typeof one === "string");
  requireSome("engines", ["auto", ...ENGINE_NAMES], names, checked.engines.length);
  requireSome("methods", METHODS, checked.methods);
  requireSome("precisions", PRECISIONS, checked.precisions);
  requireSome("rowsIn", ROWS_IN, checked.rowsIn);
  requireSome("against", PEERS, checked.against, 1);
  for (const name of ["threads", "runs", "check"] as const) requireCount("bench", name, checked[name], 1);
  requireCount("bench", "seed", checked.seed, 0);
  if (!(checked.condition >= 1 && checked.condition < Infinity))
    throw new InputError(`bench: condition must be a number of at least 1, got ${checked.condition}`);
  if (!Number.isFinite(checked.offset))
    throw new InputError(`bench: offset must be a finite number, got ${checked.offset}`);
  return checked;
}

function requireSome<T extends string>(
  name: string,
  possible: readonly T[],
  given: readonly T[],
  size = given.length,
): void {
  const wrong = given.find((one) => !possible.includes(one));
  if (wrong !== undefined || size === 0) {
    const got = wrong === undefined ? "none" : JSON.stringify(wrong);
    throw new InputError(`bench: ${name} must name some of ${possible.join(", ")}, got ${got}`);
  }
}
