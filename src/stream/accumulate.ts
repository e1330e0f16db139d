import type { Accumulator, Control, Engine } from "../engine.js";
import type { RowSource } from "../io/rows.js";
import type { Statistics } from "../statistics.js";
import { accumulateWindows } from "./windowed.js";

export interface AccumulateOptions extends Control {
  /** Bytes of a window's x, for engines that work on windows; default 4 to 32 MiB. Results depend on it by rounding only. */
  readonly windowBytes?: number;
}

/**
 * The statistics of all rows of a source, group by group in the source's order. Memory grows with the groups, not with the rows: an engine
 * that has an accumulator takes the rows in as they come, for others see `accumulateWindows`.
 *
 * `onProgress` is called with rows, those read and those there are; the latter is 0 while it is not known.
 *
 * @throws InputError where the rows cannot be read; EngineError where memory is lacking; the signal's reason where the call is ended
 */
export async function accumulate(
  engine: Engine,
  source: RowSource,
  options: AccumulateOptions = {},
): Promise<Statistics> {
  if (!engine.accumulate) return accumulateWindows(engine, source, options);
  const layout = { dims: source.columns.length, weighted: source.weighted };
  return accumulateBlocks(engine.accumulate(layout), source, options);
}

/** While the accumulator works on a block, the source reads the next and numbers its groups. */
async function accumulateBlocks(
  accumulator: Accumulator,
  source: RowSource,
  { signal, onProgress }: Control,
): Promise<Statistics> {
  let adding = Promise.resolve();
  try {
    for await (const block of source.blocks()) {
      await adding;
      signal?.throwIfAborted();
      adding = accumulator.add(block, source.groups.size);
      adding.catch(() => undefined); // met where it is awaited
      onProgress?.(source.rows, source.expectedRows ?? 0);
    }
    await adding;
  } finally {
    await adding.catch(() => undefined); // nothing of the call goes on when it has ended
  }
  signal?.throwIfAborted();
  return accumulator.statistics(source.groups.size);
}
