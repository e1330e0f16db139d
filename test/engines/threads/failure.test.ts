import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Batch } from "../../../src/batch.js";
import type { ThreadsEngine } from "../../../src/engines/threads/engine.js";
import { EngineError, InputError } from "../../../src/errors.js";
import { closedForm, inEngine, openFaulty, openWasm, uniforms } from "./support.js";

describe("a worker that stops", () => {
  let engine: ThreadsEngine;
  beforeAll(async () => {
    engine = await openFaulty();
  });
  afterAll(() => engine.close());

  const batchOf = (dims: number): Batch => {
    const groups = 4000;
    return Batch.fromDense(uniforms(groups * 100 * dims), { groups, rows: 100, dims });
  };

  const faults = [
    { dims: 11, fault: "by a trap", message: /wasm: worker 1 stopped: unreachable\./ },
    { dims: 12, fault: "by leaving", message: /wasm: worker 1 stopped: it exited with code 3\./ },
    {
      dims: 13,
      fault: "by a stack overflow",
      message: /wasm: worker 1 stopped: a kernel overflowed its stack\./,
    },
  ];
  describe.each(faults)("$fault", ({ dims, message }) => {
    it.each(["plain", "own"])("fails the call on %s rows, and the next call works", async (path) => {
      const plain = batchOf(dims);
      const batch = path === "own" ? inEngine(engine, plain) : plain;
      await using session = await engine.open(batch);
      const call = session.statistics();
      await expect(call).rejects.toThrow(EngineError);
      await expect(call).rejects.toThrow(message);
      await using sound = await engine.open(batchOf(3));
      expect((await sound.fit(closedForm)).counts).toEqual({ converged: 4000 });
      if ("release" in batch) (batch.release as () => void)();
    });
  });

  it("fails its own call only, not those that wait", async () => {
    await using broken = await engine.open(batchOf(12));
    await using sound = await engine.open(batchOf(3));
    const calls = [broken.statistics(), sound.statistics(), broken.statistics(), sound.fit(closedForm)];
    const outcomes = (await Promise.allSettled(calls)).map((call) => call.status);
    expect(outcomes).toEqual(["rejected", "fulfilled", "rejected", "fulfilled"]);
  });

  it("where it does not even start, fails the opening", async () => {
    const workerScript = new URL("./no_such_worker.mjs", import.meta.url);
    await expect(openWasm({ workerScript })).rejects.toThrow(/wasm: worker 1 stopped: Cannot find module/);
  });
});

describe("what cannot be done is refused", () => {
  it.each([0, -1, 1.5, Number.NaN])("%s threads", async (threads) => {
    await expect(openWasm({ threads })).rejects.toThrow(InputError);
    await expect(openWasm({ threads })).rejects.toThrow(/threads must be a whole number of at least 1/);
  });

  it("more dimensions than memory has room for, naming need and limit; then the engine goes on", async () => {
    await using engine = await openWasm();
    const dims = 30_000;
    await using session = await engine.open(
      Batch.fromDense(new Float64Array(dims), { groups: 1, rows: 1, dims }),
    );
    for (const call of [session.statistics(), session.fit(closedForm)]) {
      await expect(call).rejects.toThrow(EngineError);
      await expect(call).rejects.toThrow(/30000 dimensions needs \d+ MiB.*4096 MiB/);
    }
    await using small = await engine.open(Batch.fromDense(uniforms(300), { groups: 1, rows: 100, dims: 3 }));
    expect((await small.fit(closedForm)).counts).toEqual({ converged: 1 });
  });

  it("more rows in the engine's memory than it has room for", async () => {
    await using engine = await openWasm();
    expect(() => engine.allocate({ offsets: [0, 2 ** 27], dims: 8 })).toThrow(
      /134217728 rows of 8 values needs 8192 MiB/,
    );
  });
});
