import { describe, expect, it } from "vitest";
import { Arena } from "../../../src/engines/threads/arena.js";
import { EngineError } from "../../../src/errors.js";
import { Random } from "../../support/random.js";

const START = 100_000;

function opened(): Arena {
  const arena = new Arena("wasm");
  arena.openFrom(START);
  return arena;
}

describe("the kernels' memory", () => {
  it("hands out aligned blocks that do not overlap, above the module's own data", () => {
    const arena = opened();
    const random = new Random(1);
    const live = new Map<number, number>();
    for (let i = 0; i < 2000; i++) {
      if (random.uniform() < 0.45 && live.size > 0) {
        const address = [...live.keys()][random.integer(0, live.size - 1)];
        live.delete(address);
        arena.give(address);
        continue;
      }
      const bytes = random.integer(0, 300_000);
      const address = arena.take(bytes, "a block");
      expect(address % 64).toBe(0);
      expect(address).toBeGreaterThanOrEqual(START);
      expect(address + bytes).toBeLessThanOrEqual(arena.memory.buffer.byteLength);
      for (const [other, size] of live) {
        expect(address + Math.max(1, bytes) <= other || other + Math.max(1, size) <= address).toBe(true);
      }
      live.set(address, bytes);
    }
  });

  it("does not grow while what was given back is enough", () => {
    const arena = opened();
    const blocks = Array.from({ length: 20 }, () => arena.take(2 ** 20, "a block"));
    const size = arena.memory.buffer.byteLength;
    for (const order of [blocks, blocks.toReversed()]) {
      for (const block of order) arena.give(block);
      arena.give(arena.take(20 * 2 ** 20, "one block"));
      for (let i = 0; i < 20; i++) blocks[i] = arena.take(2 ** 20, "a block");
    }
    expect(arena.memory.buffer.byteLength).toBe(size);
  });

  it("takes a block back once", () => {
    const arena = opened();
    const first = arena.take(1000, "a block");
    arena.give(first);
    const second = arena.take(1000, "a block");
    arena.give(first);
    arena.give(first);
    expect(arena.take(1000, "a block")).toBe(second);
    expect(arena.take(1000, "a block")).not.toBe(second);
  });

  it("says what needs how much where that cannot be had, and goes on", () => {
    const arena = opened();
    expect(() => arena.take(5 * 2 ** 30, "a batch")).toThrow(EngineError);
    expect(() => arena.take(5 * 2 ** 30, "a batch")).toThrow(
      /a batch needs 5120 MiB.*4096 MiB.*SharedArrayBuffer/,
    );
    expect(arena.take(1000, "a block")).toBeGreaterThanOrEqual(START);
  });
});
