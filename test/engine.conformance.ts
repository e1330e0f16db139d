import { afterAll, beforeAll, describe, it } from "vitest";
import type { Engine } from "../src/engine.js";
import { evaluateConformance } from "./conformance/evaluate.js";
import { fitConformance } from "./conformance/fit.js";
import { float32Conformance } from "./conformance/float32.js";
import { memoryConformance } from "./conformance/memory.js";
import { methodsConformance } from "./conformance/methods.js";
import { sessionsConformance } from "./conformance/sessions.js";
import { statisticsConformance } from "./conformance/statistics.js";
import type { Capabilities, Subject } from "./conformance/subject.js";
import { troubleConformance } from "./conformance/trouble.js";

/**
 * What every engine must hold to: golden values, laws, agreement with the reference, honest statuses, manners.
 *
 * @param open         a fresh engine; the suite closes what it opens
 * @param capabilities what the engine has, and why sizes are left out
 */
export function conformance(open: () => Promise<Engine>, capabilities: Capabilities): void {
  let engine: Engine;
  const subject: Subject = {
    ...capabilities,
    get engine() {
      return engine;
    },
  };

  describe("engine", () => {
    beforeAll(async () => {
      engine = await open();
    });
    afterAll(() => engine.close());

    statisticsConformance(subject);
    evaluateConformance(subject);
    fitConformance(subject);
    methodsConformance(subject);
    float32Conformance(subject);
    troubleConformance(subject);
    sessionsConformance(subject, open);
    if (capabilities.lends) memoryConformance(open);
    if (capabilities.large !== true) it.skip(`large sizes: ${capabilities.large}`);
  });
}
