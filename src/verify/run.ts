import type { Batch } from "../batch.js";
import type { Control } from "../engine.js";
import { EQUATIONS } from "../gradients.js";
import { Parameters } from "../parameters.js";
import { eachGroup } from "../turns.js";
import {
  type Check,
  type Partner,
  type Place,
  type Skipped,
  VERIFICATION_SCHEMA,
  type Verification,
} from "../verification.js";
import { type Measure, measure } from "./measure.js";
import type { CheckedOptions } from "./options.js";
import { atOptimum, atRandom, type Located } from "./places.js";
import type { GradientSource, SourceCall } from "./source.js";
import { type Compared, Tally } from "./tally.js";
import { presentRows, unitFree } from "./unit-free.js";
import { selectGroups, type Workload } from "./workloads.js";

/** One verification while it runs. */
export class Run {
  readonly #options: CheckedOptions;
  readonly #subject: GradientSource;
  readonly #partners: readonly (readonly [Partner, GradientSource])[];
  readonly #tally: Tally;
  readonly #skipped = new Map<string, { at: Place; reason: Skipped["reason"]; groups: number }>();
  #done = 0;
  #total = 0;

  constructor(
    options: CheckedOptions,
    subject: GradientSource,
    partners: readonly (readonly [Partner, GradientSource])[],
  ) {
    this.#options = options;
    this.#subject = subject;
    this.#partners = partners;
    this.#tally = new Tally(
      { subject: subject.accuracy.precision, tolerance: options.tolerance },
      subject.equations,
      partners.map(([name]) => name),
    );
  }

  async over(workloads: readonly Workload[]): Promise<Verification> {
    const { places } = this.#options;
    const groups = workloads.reduce((sum, { numbers }) => sum + numbers.length, 0);
    // Each group is located and measured, differentiated by the subject, and by each partner.
    this.#total = groups * places.length * (2 + this.#partners.length);
    for (const workload of workloads) for (const place of places) await this.#at(place, workload);
    const checks = this.#tally.checks();
    return {
      schema: VERIFICATION_SCHEMA,
      passed: holds(checks, this.#subject),
      subject: this.#subject.name,
      device: this.#subject.device,
      precision: this.#subject.accuracy.precision,
      places,
      groups,
      skipped: [...this.#skipped.values()],
      checks,
    };
  }

  async #at(place: Place, workload: Workload): Promise<void> {
    const before = this.#done;
    const located = await this.#locate(place, workload.batch);
    const { compared, parameters } = await this.#measured(place, workload, located);
    this.#done += workload.numbers.length;
    const { batch, numbers } = compared;
    if (numbers.length > 0) {
      const nameOf = (g: number) =>
        `${this.#options.label(numbers[g])} (d = ${batch.dims}, n = ${batch.offsets[g + 1] - batch.offsets[g]})`;
      const analytic = await this.#subject.gradients(
        batch,
        parameters,
        EQUATIONS,
        this.#call(workload, nameOf),
      );
      this.#done += workload.numbers.length;
      const wanted = this.#subject.equations;
      for (const [name, partner] of this.#partners) {
        const gradients = await partner.gradients(batch, parameters, wanted, this.#call(workload, nameOf));
        this.#tally.add(compared, analytic, name, { accuracy: partner.accuracy, gradients });
        this.#done += workload.numbers.length;
      }
    }
    this.#done = before + workload.numbers.length * (2 + this.#partners.length);
    this.#options.onProgress?.(this.#done, this.#total);
  }

  #locate(place: Place, batch: Batch): Located | Promise<Located> {
    const { seed, condition, given, inUnits, signal } = this.#options;
    if (place === "optimum") return atOptimum(batch, seed, signal ? { signal } : {});
    if (place === "random") return atRandom(batch, condition, seed, inUnits);
    return { parameters: given as Parameters, without: new Map() };
  }

  /** The groups that can be compared, with their measures; the others are counted. */
  async #measured(
    place: Place,
    { batch, numbers }: Workload,
    { parameters, without }: Located,
  ): Promise<{ compared: Compared; parameters: Parameters }> {
    const d = batch.dims;
    const measures: Measure[] = [];
    const which: number[] = [];
    await eachGroup(batch.groups, this.#control(batch.groups), (g) => {
      const mean = parameters.mean.slice(g * d, (g + 1) * d);
      const group =
        without.get(g) ?? unitFree(batch, g, mean, parameters.factor.slice(g * d * d, (g + 1) * d * d));
      if (typeof group === "string") return this.#skip(place, group);
      measures.push(measure(group, batch.x, presentRows(batch, g), mean));
      which.push(g);
    });
    if (which.length === batch.groups)
      return { compared: { batch, numbers, measures, at: place }, parameters };
    const part = selectGroups(batch, which);
    const chosen = Parameters.from(
      {
        mean: which.flatMap((g) => Array.from(parameters.mean.subarray(g * d, (g + 1) * d))),
        factor: which.flatMap((g) => Array.from(parameters.factor.subarray(g * d * d, (g + 1) * d * d))),
      },
      part,
    );
    return {
      compared: { batch: part, numbers: which.map((g) => numbers[g]), measures, at: place },
      parameters: chosen,
    };
  }

  #skip(at: Place, reason: Skipped["reason"]): void {
    const key = `${at} ${reason}`;
    const entry = this.#skipped.get(key) ?? { at, reason, groups: 0 };
    entry.groups++;
    this.#skipped.set(key, entry);
  }

  /** For work over `groups` groups, whatever it counts itself. */
  #control(groups: number): Control {
    const { signal, onProgress } = this.#options;
    const [before, total] = [this.#done, this.#total];
    const report = (done: number, of: number) =>
      onProgress?.(before + Math.floor((done / of) * groups), total);
    return { ...(signal && { signal }), ...(onProgress && { onProgress: report }) };
  }

  #call(workload: Workload, nameOf: SourceCall["nameOf"]): SourceCall {
    return { ...this.#control(workload.numbers.length), timeout: this.#options.timeout, nameOf };
  }
}

/** Nothing failed, and each equation was compared with some partner. */
function holds(checks: readonly Check[], subject: GradientSource): boolean {
  const compared = new Set(checks.filter(({ groups }) => groups > 0).map(({ equation }) => equation));
  return checks.every(({ failed }) => failed === 0) && subject.equations.every((one) => compared.has(one));
}
