import type { Method } from "../../../methods.js";
import { descend } from "./descend.js";
import { barzilaiBorwein, conjugateGradient, gradientDescent, momentum } from "./gradient-methods.js";
import { lbfgs } from "./lbfgs.js";
import { newton } from "./newton.js";
import type { Problem, Solution } from "./problem.js";

/** Runs an iterative method. `logDeterminant` [B] is ½ log|R|. */
export function minimise(
  method: Exclude<Method, "closed-form">,
  problem: Problem,
  logDeterminant: Float64Array,
): Promise<Solution> {
  switch (method) {
    case "newton":
      return newton(problem, logDeterminant);
    case "lbfgs":
      return descend(problem, lbfgs);
    case "cg":
      return descend(problem, conjugateGradient);
    case "bb":
      return descend(problem, barzilaiBorwein);
    case "gradient-descent":
      return descend(problem, gradientDescent);
    case "momentum":
      return descend(problem, momentum);
  }
}
