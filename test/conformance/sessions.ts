import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine.js";
import { EngineError } from "../../src/errors.js";
import { fit } from "../../src/fit.js";
import type { Fits } from "../../src/fits.js";
import { expectSameBits } from "../support/close.js";
import { gaussianBatch } from "../support/gaussians.js";
import { Random } from "../support/random.js";
import type { Subject } from "./subject.js";

/** Long enough that a call is still at work when it is aborted, whatever the engine. */
const endless = { method: "gradient-descent", tolerance: 1e-15, maxIterations: 1_000_000 } as const;

export function sessionsConformance(subject: Subject, open: () => Promise<Engine>): void {
  const seeded = (groups: number, d = 4, rows = 30) =>
    gaussianBatch(new Random(2000), { dims: d, sizes: Array(groups).fill(rows), condition: 1e4 });

  describe("a call", () => {
    it("gives the same bits every time", async () => {
      const batch = seeded(50);
      for (const method of ["closed-form", "newton", "lbfgs"] as const) {
        const [a, b] = [
          await fit(batch, { engine: subject.engine, method }),
          await fit(batch, { engine: subject.engine, method }),
        ];
        expectSameBits(a.factor, b.factor, method);
      }
    });

    it("reports its progress up to the last group", async () => {
      const reports: [number, number][] = [];
      const onProgress = (done: number, total: number) => reports.push([done, total]);
      await fit(seeded(300), { engine: subject.engine, method: "lbfgs", onProgress });
      expect(reports.at(-1)).toEqual([300, 300]);
      expect(reports.every(([done, total], i) => total === 300 && done >= (reports[i - 1]?.[0] ?? 0))).toBe(
        true,
      );
    });

    it("that is aborted before it begins does no work", async () => {
      const reason = new Error("enough");
      const signal = AbortSignal.abort(reason);
      await expect(fit(seeded(3), { engine: subject.engine, signal })).rejects.toBe(reason);
      await using session = await subject.engine.open(seeded(3));
      await expect(session.statistics({ signal })).rejects.toBe(reason);
    });

    it("that is aborted ends soon with the signal's reason, and the engine goes on", async () => {
      const controller = new AbortController();
      const reason = new Error("enough");
      setTimeout(() => controller.abort(reason), 30);
      const options = { engine: subject.engine, ...endless, signal: controller.signal };
      await expect(fit(seeded(5000, 2), options)).rejects.toBe(reason);
      const after = await fit(seeded(20), { engine: subject.engine });
      expect(after.counts).toEqual({ converged: 20 });
    });
  });

  describe("sessions", () => {
    it("run beside each other, each with its own results", async () => {
      const batches = [1, 2, 3, 4, 5, 6].map((d) => seeded(40, d));
      const alone: Fits[] = [];
      for (const batch of batches) alone.push(await fit(batch, { engine: subject.engine, method: "newton" }));
      const together = await Promise.all(
        batches.map((batch) => fit(batch, { engine: subject.engine, method: "newton" })),
      );
      together.forEach((got, i) => {
        expectSameBits(got.factor, alone[i].factor, `batch ${i}`);
      });
    });

    it("serve several calls at once", async () => {
      await using session = await subject.engine.open(seeded(40));
      const solve = { ddof: 0, start: "default", tolerance: 1e-8, maxIterations: 1000 } as const;
      const [statistics, newton, lbfgs] = await Promise.all([
        session.statistics(),
        session.fit({ ...solve, method: "newton" }),
        session.fit({ ...solve, method: "lbfgs" }),
      ]);
      expect(statistics.groups).toBe(40);
      expect([newton.origin.method, lbfgs.origin.method]).toEqual(["newton", "lbfgs"]);
      expect(newton.counts).toEqual({ converged: 40 });
    });

    it("are refused once closed; closing twice is the same as once", async () => {
      const session = await subject.engine.open(seeded(3));
      await session.close();
      await session.close();
      await expect(session.statistics()).rejects.toThrow(EngineError);
    });
  });

  describe("the engine", () => {
    it("refuses work once closed; closing twice is the same as once", async () => {
      const engine = await open();
      const session = await engine.open(seeded(3));
      await engine.close();
      await engine.close();
      await expect(engine.open(seeded(3))).rejects.toThrow(EngineError);
      await expect(session.statistics()).rejects.toThrow(EngineError);
      await session.close();
    });

    it("refuses a precision that it does not have", async () => {
      if (subject.precisions.includes("float32")) return;
      await expect(subject.engine.open(seeded(3), { precision: "float32" })).rejects.toThrow(EngineError);
    });

    it("says in its fits who made them, and how", async () => {
      const { origin } = await fit(seeded(3), { engine: subject.engine, method: "newton", tolerance: 1e-9 });
      expect(origin).toEqual({
        engine: subject.engine.name,
        device: subject.engine.device,
        precision: "float64",
        method: "newton",
        ddof: 0,
        tolerance: 1e-9,
        roundingUnit: 2 ** -53,
      });
    });
  });
}
