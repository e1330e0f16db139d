import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine.js";
import { EngineError, InputError } from "../../src/errors.js";
import { closedForm, inEngine, long, longBatch } from "../engines/threads/support.js";
import { gaussianBatch } from "../support/gaussians.js";
import { Random } from "../support/random.js";

/** Engines that lend memory and compute beside the caller's thread: what becomes of both where something ends early. */
export function memoryConformance(open: () => Promise<Engine>): void {
  const batch = gaussianBatch(new Random(3), { dims: 3, sizes: Array(64).fill(25), weighted: true });

  describe("memory that the engine lends", () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await open();
    });
    afterAll(() => engine.close());

    it("is refused once released, also where the session was open before", async () => {
      const own = inEngine(engine, batch);
      await using session = await engine.open(own);
      own.release();
      await expect(engine.open(own)).rejects.toThrow(/the batch has been released/);
      await expect(session.fit(closedForm)).rejects.toThrow(InputError);
    });

    it.each([
      [-1, /weights must not be negative, got -1 at row 7/],
      [Number.NaN, /weights must be finite numbers, got NaN at row 7/],
    ])("with a weight of %s is refused when it is opened", async (weight, message) => {
      const own = inEngine(engine, batch);
      if (own.weights) own.weights[7] = weight;
      await expect(engine.open(own)).rejects.toThrow(message);
      own.release();
    });
  });

  it("an engine that is closed fails the running call and those that wait, and takes no more", async () => {
    const engine = await open();
    const session = await engine.open(longBatch());
    const outcomes = Promise.allSettled([session.fit(long), session.fit(closedForm)]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await engine.close();
    for (const outcome of await outcomes) {
      expect(outcome.status).toBe("rejected");
      const { reason } = outcome as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(EngineError);
      expect(reason.message).toMatch(/the engine is closed\. Open another with openEngine$/);
    }
    await session.close();
    await expect(engine.open(batch)).rejects.toThrow(/open: the engine is closed/);
    expect(() => engine.allocate({ offsets: [0, 1], dims: 1 })).toThrow(/allocate: the engine is closed/);
  });
}
