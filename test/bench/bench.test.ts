import { describe, expect, it } from "vitest";
import { allEnginesHold, type Entry } from "../../src/bench/result.js";
import { bench } from "../../src/bench.js";
import type { Engine } from "../../src/engine.js";
import { openEngine } from "../../src/engines.js";
import { Fits, type FitsFields } from "../../src/fits.js";
import { STATUSES } from "../../src/status.js";
import { ON_PROCESSOR } from "../support/processor.js";

/** An engine that is right but for what `fault` does to its fits. */
async function mutant(fault: (fits: Fits) => Partial<FitsFields>): Promise<Engine> {
  const engine = await openEngine("wasm", { threads: 1 });
  return {
    name: "wasm",
    device: "a mutant",
    allocate: (layout) => engine.allocate(layout),
    open: async (source, options) => {
      const session = await engine.open(source, options);
      const faulty = async (fits: Fits) => new Fits({ ...fits, ...fault(fits) }, fits.origin);
      return {
        statistics: (control) => session.statistics(control),
        evaluate: (parameters, control) => session.evaluate(parameters, control),
        fit: async (solve, control) => faulty(await session.fit(solve, control)),
        close: () => session.close(),
        [Symbol.asyncDispose]: () => session.close(),
      };
    },
    close: () => engine.close(),
    [Symbol.asyncDispose]: () => engine.close(),
  };
}

const scaled = (values: Float64Array, factor: number): Float64Array => values.map((value) => value * factor);

/** Of 40 groups, 40 rows of 3 variables each. */
const SMALL = { shapes: ["40x40x3"], runs: 1, threads: 1 } as const;

describe("bench", () => {
  it("gives every figure with its origin, for every place of the rows", async () => {
    const result = await bench({ ...SMALL, shapes: ["40x40x3", "30x5..20x2"], check: 7 });
    expect(result).toMatchObject({ schema: "mvnfit/bench@1", threads: 1, runs: 1, seed: 1, peers: [] });
    expect(result.versions).toMatchObject({ node: process.versions.node });
    expect(result.engines).toMatchObject([{ name: ON_PROCESSOR }]);
    expect(result.cases.map(({ shape }) => shape)).toEqual(["40x40x3", "30x5..20x2"]);
    for (const { entries, groups } of result.cases) {
      expect(entries.map(({ form }) => form)).toEqual(["engine", "shared", "plain"]);
      for (const entry of entries) {
        expect(entry).toMatchObject({ kind: "engine", outcome: "timed", counts: { converged: groups } });
        expect(entry.checked).toMatchObject({ against: "reference", groups: 7, of: groups, failure: null });
        for (const part of ["total", "transfer", "moments", "solve"] as const)
          expect(entry[part]?.median, part).toBeGreaterThanOrEqual(0);
        expect(entry.gigabytesPerSecond).toBeGreaterThan(0);
      }
    }
    expect(allEnginesHold(result)).toBe(true);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result); // nothing that JSON cannot hold
  });

  it("takes every method and both precisions, and leaves out what an engine cannot do", async () => {
    const { cases } = await bench({
      ...SMALL,
      engines: ["wasm", "reference"],
      methods: ["newton", "lbfgs"],
      precisions: ["float64", "float32"],
      rowsIn: ["plain"],
    });
    const outcomes = (entries: readonly Entry[]) => entries.map(({ name, outcome }) => `${name} ${outcome}`);
    expect(cases.map(({ method, precision }) => `${method} ${precision}`)).toEqual([
      "newton float64",
      "lbfgs float64",
      "newton float32",
      "lbfgs float32",
    ]);
    for (const { precision, entries } of cases)
      expect(outcomes(entries)).toEqual([
        "wasm timed",
        `reference ${precision === "float32" ? "skipped" : "timed"}`,
      ]);
  });

  const FAULTS: readonly [title: string, fault: (fits: Fits) => Partial<FitsFields>, named: RegExp][] = [
    [
      "the divisor n − 1 for n",
      ({ covariance }) => ({ covariance: scaled(covariance, 40 / 39) }),
      /group \d+: covariance\[\d,\d\] is \S+, reference gives \S+, off by/,
    ],
    [
      "a mean off by 1e-9 in one group",
      ({ mean }) => ({ mean: mean.with(25 * 3 + 1, mean[25 * 3 + 1] + 1e-9) }),
      /group 25: mean\[1\]/,
    ],
    [
      "NaN in one entry",
      ({ covariance }) => ({ covariance: covariance.with(13 * 9 + 3, Number.NaN) }),
      /group 13: covariance\[1,0\] is NaN, .* off by NaN/,
    ],
    [
      "a log-likelihood without its constant",
      ({ logLikelihood }) => ({ logLikelihood: logLikelihood.map((l) => l + 1) }),
      /log-likelihood/,
    ],
    [
      "a group as without a fit that has one",
      ({ statusCode }) => ({ statusCode: statusCode.with(31, STATUSES.indexOf("singular")) }),
      /group 31: status is singular, reference gives converged/,
    ],
  ];

  it.each(FAULTS)("does not time an engine that gives %s", async (_, fault, named) => {
    await using engine = await mutant(fault);
    const notes: string[] = [];
    const result = await bench({
      ...SMALL,
      engines: [engine],
      rowsIn: ["plain"],
      onNote: (note) => notes.push(note),
    });
    const [entry] = result.cases[0].entries;
    expect(entry).toMatchObject({ outcome: "wrong", total: null, moments: null });
    expect(entry.reason).toMatch(named);
    expect(notes).toEqual([
      expect.stringMatching(
        /^40x40x3 closed-form float64: wasm \(plain\) gives wrong results and was not timed/,
      ),
    ]);
    expect(allEnginesHold(result)).toBe(false);
  });

  it("finds out an iterative fit that says it is nearer the optimum than it is", async () => {
    const fault = ({ covariance, residual }: Fits) => ({
      covariance: scaled(covariance, 1 + 1e-6),
      residual: residual.map(() => 1e-9),
    });
    await using engine = await mutant(fault);
    const options = { ...SMALL, engines: [engine], methods: ["newton"] as const, rowsIn: ["plain"] as const };
    expect((await bench(options)).cases[0].entries[0].outcome).toBe("wrong");
  });

  it("ends with the signal's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const onProgress = () => controller.abort(reason);
    await expect(bench({ ...SMALL, signal: controller.signal, onProgress })).rejects.toBe(reason);
  });
});
