/** The methods of docs/methods.md. The position in this list is the code that kernels read (see kernels/README.md). */
export const METHODS = [
  "closed-form",
  "newton",
  "lbfgs",
  "cg",
  "bb",
  "gradient-descent",
  "momentum",
] as const;

export type Method = (typeof METHODS)[number];

export const methodCode = (method: Method): number => METHODS.indexOf(method);

export const PRECISIONS = ["float64", "float32"] as const;

/** The arithmetic of a computation, or how rows are stored. */
export type Precision = (typeof PRECISIONS)[number];

/** The tolerance on the residual r that an iterative method must reach where the caller names none. */
export const DEFAULT_TOLERANCE: Readonly<Record<Precision, number>> = { float64: 1e-8, float32: 1e-4 };

export const DEFAULT_MAX_ITERATIONS = 1000;

/** The rounding unit of a stored value: half the distance from 1 to the next number. */
export const ROUNDING_UNIT: Readonly<Record<Precision, number>> = { float64: 2 ** -53, float32: 2 ** -24 };
