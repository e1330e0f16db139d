// Makes examples/penguins.csv from the data set of the npm package vega-datasets (BSD-3-Clause):
// measurements by K. Gorman and the Palmer Station LTER, https://doi.org/10.1371/journal.pone.0090081.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const COLUMNS = {
  species: "Species",
  island: "Island",
  beak_length_mm: "Beak Length (mm)",
  beak_depth_mm: "Beak Depth (mm)",
  flipper_length_mm: "Flipper Length (mm)",
  body_mass_g: "Body Mass (g)",
  sex: "Sex",
};

const source = fileURLToPath(new URL("../node_modules/vega-datasets/data/penguins.json", import.meta.url));
const penguins = JSON.parse(await readFile(source, "utf8"));
const lines = penguins.map((penguin) =>
  Object.values(COLUMNS)
    .map((name) => penguin[name] ?? "")
    .join(","),
);
const table = [Object.keys(COLUMNS).join(","), ...lines];
await writeFile(new URL("penguins.csv", import.meta.url), `${table.join("\n")}\n`);
