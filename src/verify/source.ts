import type { Batch } from "../batch.js";
import type { Control } from "../engine.js";
import type { Equation, Gradients } from "../gradients.js";
import type { Parameters } from "../parameters.js";
import type { PartnerAccuracy } from "./tolerance.js";

/** Where gradients come from: what is checked, or what it is checked against. */
export interface GradientSource {
  readonly name: string;
  readonly device: string;
  readonly accuracy: PartnerAccuracy;
  /** The equations it can give apart. */
  readonly equations: readonly Equation[];
  /**
   * @param batch every group has rows of finite values, and its Λ is invertible
   */
  gradients(
    batch: Batch,
    parameters: Parameters,
    equations: readonly Equation[],
    call: SourceCall,
  ): Promise<Gradients>;
  close(): Promise<void>;
}

export interface SourceCall extends Control {
  /** Seconds without progress after which a worker is ended. */
  readonly timeout: number;
  /** A group of the batch in words, for messages. */
  readonly nameOf: (g: number) => string;
}
