import { describe, expect, it } from "vitest";
import { nearest } from "../src/nearest.js";

const NAMES = ["fit", "verify", "simulate", "species", "Sepal"];

describe("nearest", () => {
  it.each([
    ["fti", "fit"],
    ["vreify", "verify"],
    ["verif", "verify"],
    ["simulat3s", "simulate"],
    ["SPECIES", "species"],
    ["sepal", "Sepal"],
  ])("takes %s for %s", (name, meant) => {
    expect(nearest(name, NAMES)).toBe(meant);
  });

  it.each(["fog", "tif", "verification", ""])("suggests nothing for %j", (name) => {
    expect(nearest(name, NAMES)).toBeUndefined();
  });

  it("suggests nothing where there is nothing", () => {
    expect(nearest("fit", [])).toBeUndefined();
  });
});
