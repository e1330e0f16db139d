import type { Batch } from "../batch.js";
import type { Parameters } from "../parameters.js";

/** One group and the parameters at which its gradient is wanted. The arrays are the function's own: it may change them. */
export interface GradientTask {
  /** [n, d], row-major: X */
  readonly x: Float64Array;
  readonly n: number;
  readonly d: number;
  /** [d]: μ */
  readonly mean: Float64Array;
  /** [d, d], row-major: Λ, general */
  readonly factor: Float64Array;
}

/** The gradient of J, eq. (2), as a user writes it. */
export interface GradientValue {
  /** [d]: ∂J/∂μ */
  readonly mean: ArrayLike<number>;
  /** [d, d], row-major: ∂J/∂Λ */
  readonly factor: ArrayLike<number>;
}

export type GradientFunction = (task: GradientTask) => GradientValue | Promise<GradientValue>;

/** What a gradient function did wrong at one group, in words that follow its name. */
export class GradientFault extends Error {
  readonly group: number;

  constructor(group: number, what: string, options?: ErrorOptions) {
    super(what, options);
    this.group = group;
  }
}

/** ∂J/∂μ [B, d] and ∂J/∂Λ [B, d, d] by a user's function, one group after the other. */
export class FunctionGradients {
  readonly mean: Float64Array;
  readonly factor: Float64Array;
  readonly #gradient: GradientFunction;
  readonly #batch: Pick<Batch, "x" | "offsets" | "dims">;
  readonly #parameters: Pick<Parameters, "mean" | "factor">;

  constructor(
    gradient: GradientFunction,
    batch: Pick<Batch, "x" | "offsets" | "dims">,
    parameters: Pick<Parameters, "mean" | "factor">,
  ) {
    this.#gradient = gradient;
    this.#batch = batch;
    this.#parameters = parameters;
    this.mean = new Float64Array(parameters.mean.length);
    this.factor = new Float64Array(parameters.factor.length);
  }

  /**
   * Calls the function for group g and keeps its result. What is not a number is kept as NaN, for the comparison to find.
   *
   * @throws GradientFault where it throws, or gives something of another shape
   */
  async call(g: number): Promise<void> {
    const { x, offsets, dims: d } = this.#batch;
    const { mean, factor } = this.#parameters;
    const task = {
      x: Float64Array.from(x.subarray(offsets[g] * d, offsets[g + 1] * d)),
      n: offsets[g + 1] - offsets[g],
      d,
      mean: mean.slice(g * d, (g + 1) * d),
      factor: factor.slice(g * d * d, (g + 1) * d * d),
    };
    const value = await this.#called(g, task);
    this.mean.set(checkedPart(g, value, "mean", d, "d"), g * d);
    this.factor.set(checkedPart(g, value, "factor", d * d, "d·d"), g * d * d);
  }

  async #called(g: number, task: GradientTask): Promise<GradientValue> {
    const gradient = this.#gradient;
    try {
      const value = gradient(task);
      // Few functions are asynchronous, and a turn of the event loop for each group is dear.
      return value instanceof Promise ? await value : value;
    } catch (error) {
      throw new GradientFault(g, `threw ${describeThrown(error)}`, { cause: error });
    }
  }
}

function checkedPart(
  g: number,
  value: GradientValue,
  name: "mean" | "factor",
  length: number,
  meaning: string,
): ArrayLike<number> {
  if (typeof value !== "object" || value === null) {
    throw new GradientFault(g, `gave ${String(value)}, it must give { mean, factor }`);
  }
  const part: unknown = value[name];
  const isArray = Array.isArray(part) || (ArrayBuffer.isView(part) && !(part instanceof DataView));
  if (!isArray) {
    throw new GradientFault(g, `gave no array as ${name}, it must be a Float64Array of length ${length}`);
  }
  const array = part as unknown as ArrayLike<number>;
  if (array.length !== length) {
    throw new GradientFault(
      g,
      `gave ${name} of length ${array.length}, it must have length ${length} (${meaning})`,
    );
  }
  return array;
}

/** `TypeError: …` and the line where it was thrown. */
function describeThrown(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const where = error.stack?.split("\n").find((line) => /^\s+at /.test(line));
  return `${error.name}: ${error.message}${where ? `\n${where}` : ""}`;
}
