import { beforeAll, expect, it } from "vitest";
import { Kernels } from "../../../src/engines/cuda/kernels.js";
import { withStandIn } from "./stand-in.js";

withStandIn("the files of kernels", () => {
  let kernels: Kernels;
  beforeAll(() => {
    kernels = new Kernels();
  });

  it.each([
    ["moments_ahead_f64_d1", 80, "moments_ahead_f64_d1.80.ptx"],
    ["moments_ahead_f64_d1", 89, "moments_ahead_f64_d1.80.ptx"],
    ["moments_ahead_f64_d1", 90, "moments_ahead_f64_d1.90.ptx"],
    ["moments_ahead_f64_d1", 121, "moments_ahead_f64_d1.90.ptx"],
    ["moments_f64_d1", 75, "moments_f64_d1.75.ptx"],
    ["moments_f64_d1", 90, "moments_f64_d1.75.ptx"],
  ])("of %s for a device of %d: %s", (name, capability, file) => {
    const entry = kernels.listing.entries.find((one) => one.name === name)!;
    expect(kernels.fileFor(entry, capability)).toBe(file);
  });

  it("hold the entry that they are named after, and no other", () => {
    for (const { name, files } of kernels.listing.entries) {
      expect(files.length).toBeGreaterThan(0);
      for (const file of files) {
        const text = new TextDecoder().decode(kernels.image(file));
        expect(text.match(/\.entry \w+\(/g), file).toEqual([`.entry ${name}(`]);
      }
    }
  });
});
