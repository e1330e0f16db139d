import { platform } from "node:process";
import { describe, expect, it } from "vitest";
import { addressOf } from "../../../src/engines/cuda/driver.js";
import { copyHost } from "../../../src/engines/cuda/host_copy.js";

const MEBIBYTE = 2 ** 20;
/** What lies on either side of a copy. */
const BESIDE = 5000;
const UNTOUCHED = 255;

/** No two neighbouring blocks of any size are equal: the period is odd. */
const pattern = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) % 251);

async function copied(bytes: number, offset: number): Promise<{ all: Uint8Array; source: Uint8Array }> {
  const source = pattern(bytes);
  const all = new Uint8Array(new ArrayBuffer(bytes + 2 * BESIDE)).fill(UNTOUCHED);
  await copyHost(addressOf(all) + BigInt(offset), addressOf(source), bytes);
  return { all, source };
}

// Wherever the engine has a driver.
describe.skipIf(!["linux", "win32"].includes(platform))("a copy within host memory", () => {
  it.each([0, 1, 4095, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 4 * MEBIBYTE, 7 * MEBIBYTE + 12_345])(
    "of %d bytes is all of them and no more",
    async (bytes) => {
      for (const offset of [BESIDE, BESIDE - 1, 17]) {
        const { all, source } = await copied(bytes, offset);
        const arrived = all.subarray(offset, offset + bytes);
        expect(Buffer.compare(arrived, source)).toBe(0);
        expect(all.subarray(0, offset).every((byte) => byte === UNTOUCHED)).toBe(true);
        expect(all.subarray(offset + bytes).every((byte) => byte === UNTOUCHED)).toBe(true);
      }
    },
  );

  it("does not hinder another", async () => {
    const many = await Promise.all([3, 5, 8].map((size) => copied(size * MEBIBYTE + size, BESIDE)));
    for (const { all, source } of many) {
      expect(Buffer.compare(all.subarray(BESIDE, BESIDE + source.length), source)).toBe(0);
    }
  });
});
