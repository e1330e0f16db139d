import type { Batch } from "../../batch.js";
import type { Control, Session, Solve } from "../../engine.js";
import { InputError } from "../../errors.js";
import { Evaluation } from "../../evaluation.js";
import { Fits } from "../../fits.js";
import { methodCode, PRECISIONS, type Precision, ROUNDING_UNIT } from "../../methods.js";
import type { Parameters } from "../../parameters.js";
import { Statistics } from "../../statistics.js";
import {
  type Arrays,
  COUNTS,
  EVALUATION,
  FITS,
  type Fields,
  mapFields,
  PARAMETERS,
  STATISTICS,
  widthOf,
} from "../fields.js";
import { Calls } from "../queue.js";
import { ResidentBatch } from "../resident_batch.js";
import { addressOf } from "./driver.js";
import type { Machine } from "./machine.js";
import type { HostMemory } from "./ring.js";
import { type Share, shares } from "./shares.js";
import type { EvaluateTask, FitTask, RowsSource, Task } from "./task.js";

/** A solver's task, for the share that begins with group `from`. */
type SolverOf = (from: number) => FitTask | EvaluateTask;

/** One batch, or its statistics, shared among the devices. Rows travel once: the statistics stay on the devices while they fit. */
export class CudaSession implements Session {
  readonly #machine: Machine;
  readonly #source: Batch | Statistics;
  readonly #precision: Precision;
  readonly #number: number;
  readonly #shares: readonly Share[];
  /** Once they are known. */
  #counts: Pick<Arrays<typeof STATISTICS>, "count" | "weight"> | undefined;
  readonly #calls: Calls;
  /** What a call has told the devices the address of: kept until it is over. */
  readonly #inUse = new Set<object>();

  constructor(machine: Machine, source: Batch | Statistics, precision: Precision) {
    this.#machine = machine;
    this.#calls = new Calls(machine);
    this.#source = source;
    this.#precision = precision;
    this.#number = machine.nextSession();
    const { groups, dims } = source;
    const [offsets, rowBytes] =
      source instanceof Statistics ? [undefined, 0] : [source.offsets, source.x.BYTES_PER_ELEMENT * dims];
    this.#shares = shares({ groups, dims, offsets, rowBytes }, machine.devices, machine.named);
    if (source instanceof Statistics) this.#counts = source;
  }

  statistics(control: Control = {}): Promise<Statistics> {
    return this.#calls.run("statistics", control, async () => {
      const { dims, groups, dtype } = this.#source;
      const arrays = this.#room(STATISTICS);
      await this.#perform(undefined, arrays, [arrays], control);
      this.#counts = arrays;
      const { count, weight } = arrays;
      return Statistics.from({
        dims,
        groups,
        dtype,
        ...arrays,
        count: count.slice(),
        weight: weight.slice(),
      });
    });
  }

  evaluate(parameters: Parameters, control: Control = {}): Promise<Evaluation> {
    return this.#calls.run("evaluate", control, async () => {
      this.#requireShape("evaluate", parameters);
      const { dims, groups } = this.#source;
      const results = this.#room(EVALUATION);
      const precision = PRECISIONS.indexOf(this.#precision);
      await this.#perform(
        (from) => ({
          kind: "evaluate",
          precision,
          parameters: addresses(PARAMETERS, parameters, from, dims),
          results: addresses(EVALUATION, results, from, dims),
        }),
        {},
        [parameters, results],
        control,
      );
      return new Evaluation({ dims, groups, ...results });
    });
  }

  fit(solve: Solve, control: Control = {}): Promise<Fits> {
    return this.#calls.run("fit", control, () => this.#fit(solve, control));
  }

  close(): Promise<void> {
    return this.#calls.close(() =>
      this.#machine.forget(
        this.#number,
        this.#shares.map(({ device }) => device),
      ),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #fit(solve: Solve, control: Control): Promise<Fits> {
    const { dims, groups, dtype } = this.#source;
    const { method, ddof, start, tolerance, maxIterations } = solve;
    const given = typeof start === "object" ? start : undefined;
    if (given) this.#requireShape("fit", given);
    const epsilon = ROUNDING_UNIT[dtype];
    const results = this.#room(FITS);
    const common = {
      kind: "fit" as const,
      precision: PRECISIONS.indexOf(this.#precision),
      method: methodCode(method),
      start: given ? (2 as const) : start === "identity" ? (1 as const) : (0 as const),
      ddof,
      tolerance,
      maxIterations,
      epsilon,
    };
    const counts = this.#counts ?? this.#room(COUNTS);
    await this.#perform(
      (from) => ({
        ...common,
        parameters: given && addresses(PARAMETERS, given, from, dims),
        results: addresses(FITS, results, from, dims),
      }),
      this.#counts ? {} : counts,
      given ? [given, results, counts] : [results, counts],
      control,
    );
    this.#counts = counts;
    const { count, weight } = counts;
    return new Fits(
      { dims, groups, count: count.slice(), weight: weight.slice(), ...results },
      {
        engine: "cuda",
        device: this.#machine.device,
        precision: this.#precision,
        method,
        ddof,
        tolerance,
        roundingUnit: epsilon,
      },
      () => {
        for (const { buffer } of Object.values(results)) {
          this.#machine.reserve.give(buffer as SharedArrayBuffer);
        }
      },
    );
  }

  /** Memory for `fields` of all groups, which becomes the reserve's again if it is ever given back. */
  #room<F extends Fields>(fields: F): Arrays<F> {
    const { dims, groups } = this.#source;
    return mapFields(fields, (field, name) => {
      const length = groups * widthOf(field, dims);
      const purpose = `cuda: ${name} of ${groups} groups of ${dims} dims`;
      const buffer = this.#machine.reserve.take(length * field.words.BYTES_PER_ELEMENT, purpose);
      return new field.words(buffer, 0, length);
    }) as Arrays<F>;
  }

  /** Has the devices work on their shares; `statistics` are written as far as they are given. */
  async #perform(
    solver: SolverOf | undefined,
    statistics: Partial<Arrays<typeof STATISTICS>>,
    inUse: readonly object[],
    control: Control,
  ): Promise<void> {
    const source = this.#source;
    const { dims, groups } = source;
    const rows = source instanceof Statistics ? undefined : await this.#rows(source);
    const letGo = source instanceof ResidentBatch ? source.hold() : undefined;
    for (const one of inUse) this.#inUse.add(one);
    const parts = this.#shares.map(({ device, from, to }) => ({
      device,
      task: {
        kind: "perform",
        session: this.#number,
        dims,
        groups: to - from,
        source:
          source instanceof Statistics
            ? { kind: "statistics", at: addresses(STATISTICS, source, from, dims) }
            : rowsOf(source, rows as LocatedRows, from, to),
        solver: solver?.(from),
        statistics: addresses(STATISTICS, statistics, from, dims),
      } satisfies Task,
    }));
    try {
      await this.#machine.perform(parts, groups, control);
    } finally {
      letGo?.();
      for (const one of inUse) this.#inUse.delete(one);
    }
  }

  /** Where the rows lie. Those in the engine's memory are read by the device itself. */
  async #rows(batch: Batch): Promise<LocatedRows> {
    const { x, weights } = batch;
    const precision = this.#precision;
    const rowType = batch.dtype === "float64" ? 0 : precision === "float64" ? 1 : 2;
    let pinned = [false, false];
    if (batch instanceof ResidentBatch) {
      if (batch.released) throw new InputError("the batch has been released");
      const { memory } = this.#machine;
      if (batch.liesIn(memory)) {
        pinned = await Promise.all(batch.blocks.map((block) => memory.spanOf(block).pinned));
      }
    }
    return {
      rowType,
      x: { address: addressOf(x), pinned: pinned[0] },
      weights: weights && { address: addressOf(weights), pinned: pinned[1] },
    };
  }

  #requireShape(place: string, parameters: Parameters): void {
    const { dims, groups } = this.#source;
    if (parameters.dims !== dims || parameters.groups !== groups) {
      throw new InputError(
        `${place}: parameters must be of ${groups} groups × ${dims} dims, got ${parameters.groups} × ${parameters.dims}`,
      );
    }
  }
}

interface LocatedRows {
  readonly rowType: RowsSource["rowType"];
  readonly x: HostMemory;
  readonly weights: HostMemory | undefined;
}

/** The rows of groups from … to−1; the offsets go on counting from the first row of the batch. */
function rowsOf(batch: Batch, { rowType, x, weights }: LocatedRows, from: number, to: number): RowsSource {
  return { kind: "rows", rowType, x, weights, offsets: batch.offsets.slice(from, to + 1) };
}

/** Where the arrays that are there lie, from group `from` on. */
function addresses<F extends Fields, A extends Partial<Arrays<F>>>(
  fields: F,
  arrays: A,
  from: number,
  dims: number,
): { readonly [K in keyof F & keyof A]: bigint } {
  const found = Object.entries(fields).flatMap(([name, field]) => {
    const array = arrays[name as keyof A] as ArrayBufferView | undefined;
    if (!array) return [];
    return [[name, addressOf(array) + BigInt(from * widthOf(field, dims) * field.words.BYTES_PER_ELEMENT)]];
  });
  return Object.fromEntries(found);
}
