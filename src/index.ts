export { Batch, type CodedShape, type DenseShape, type RaggedShape } from "./batch.js";
export type {
  AllocatedBatch,
  BatchLayout,
  Control,
  Engine,
  EngineName,
  EngineOptions,
  Session,
  SessionOptions,
  Solve,
} from "./engine.js";
export { openEngine } from "./engines.js";
export { EngineError, InputError } from "./errors.js";
export { type EvaluateOptions, evaluate } from "./evaluate.js";
export type { Evaluation } from "./evaluation.js";
export { type FitOptions, fit, type StartValues } from "./fit.js";
export type { Fits, FitsOrigin } from "./fits.js";
export type { Method, Precision } from "./methods.js";
export { Parameters } from "./parameters.js";
export { type SimulateOptions, type Simulation, simulate } from "./simulate.js";
export { Statistics, type StatisticsFields } from "./statistics.js";
export type { EvaluationStatus, Status } from "./status.js";
export type { Check, Partner, Place, Skipped, SkipReason, Verification, Worst } from "./verification.js";
export type { GradientFunction, GradientTask, GradientValue } from "./verify/gradient-function.js";
export type { VerifyOptions } from "./verify/options.js";
export { GradientError } from "./verify/user-sources.js";
export type { Sweep } from "./verify/workloads.js";
export { verify } from "./verify.js";
