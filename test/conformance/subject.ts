import type { Batch } from "../../src/batch.js";
import type { Engine, SessionOptions } from "../../src/engine.js";
import { referenceProvider } from "../../src/engines/reference/provider.js";
import type { Precision } from "../../src/methods.js";
import type { Statistics } from "../../src/statistics.js";

/** What the suite may ask of an engine. */
export interface Capabilities {
  /** Of the arithmetic; rows are stored in either with every engine. */
  readonly precisions: readonly Precision[];
  /** Whether sizes run that take a slow engine minutes; or why not. */
  readonly large: true | string;
  /** Whether rows are read in memory that it lends, by threads of its own. */
  readonly lends?: true;
}

/** The engine that the suite is run on. It is open while tests run, not while they are declared. */
export interface Subject extends Capabilities {
  readonly engine: Engine;
}

/** Sizes on both sides of what lanes, registers and blocks hold. */
export const DIMENSIONS = [1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 32, 33, 64, 65];

/** Group sizes around those where something changes. */
export const raggedSizes = (d: number): number[] => [d + 7, 0, 1, 2, d, d + 1, 2 * d + 3, 41];

export async function statisticsOf(
  engine: Engine,
  source: Batch | Statistics,
  options?: SessionOptions,
): Promise<Statistics> {
  await using session = await engine.open(source, options);
  return await session.statistics();
}

/** The yardstick. */
export const openReference = (): Promise<Engine> => referenceProvider.create({});
