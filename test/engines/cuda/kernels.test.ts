import { beforeAll, expect, it } from "vitest";
import { Kernels } from "../../../src/engines/cuda/kernels.js";
import { withStandIn } from "./stand-in.js";

withStandIn("the files of kernels", () => {
  let kernels: Kernels;
  beforeAll(() => {
    kernels = new Kernels();
  });

  it.each([
    ["moments_ahead_f64", 80, "moments_ahead_f64.80.ptx"],
    ["moments_ahead_f64", 89, "moments_ahead_f64.80.ptx"],
    ["moments_ahead_f64", 90, "moments_ahead_f64.90.ptx"],
    ["moments_ahead_f64", 121, "moments_ahead_f64.90.ptx"],
    ["moments_f64", 75, "moments_f64.75.ptx"],
    ["moments_f64", 90, "moments_f64.75.ptx"],
  ])("of %s for a device of %d: %s", (module, capability, file) => {
    expect(kernels.fileFor(module, capability)).toBe(file);
  });

  it("hold every entry in all files of its module", () => {
    for (const { name, module } of kernels.listing.entries) {
      const files = kernels.listing.modules.filter((file) => file.startsWith(`${module}.`));
      expect(files.length).toBeGreaterThan(0);
      for (const file of files) {
        expect(new TextDecoder().decode(kernels.image(file)), file).toContain(`.entry ${name}(`);
      }
    }
  });
});
