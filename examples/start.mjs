// What `npm start` shows: a table of penguins fitted by the command, then ten thousand simulated groups through the library.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { fit, openEngine, simulate } from "../dist/index.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const command = ["fit", "examples/penguins.csv", "--group-by", "species", "--missing", "drop"];

console.log(`$ npx mvnfit ${command.join(" ")}\n`);
const { status } = spawnSync(process.execPath, [here("../dist/cli/main.js"), ...command], {
  cwd: here(".."),
  stdio: "inherit",
});
if (status !== 0) process.exit(status ?? 1);

const [groups, rows, dims] = [10_000, 200, 8];
const { batch, truth } = simulate({ groups, rows: [rows, rows], dims, condition: 100, seed: 1 });
const engine = await openEngine("auto");
await fit(batch, { engine }); // the first call compiles the kernels

const start = performance.now();
const fits = await fit(batch, { engine });
const seconds = (performance.now() - start) / 1000;
await engine.close();

const perSecond = Math.round(groups / seconds).toLocaleString("en");
console.log(`\n${groups.toLocaleString("en")} simulated groups of ${rows} rows and ${dims} variables:`);
console.log(
  `  fitted in ${(seconds * 1000).toFixed(0)} ms, ${perSecond} groups a second, on ${engine.device}`,
);
console.log(
  `  ${Object.entries(fits.counts)
    .map(([status, count]) => `${count} ${status}`)
    .join(", ")}`,
);

// A mean of n rows lies about √d standard deviations of the mean from the truth, on the scale of its own spread.
let squared = 0;
for (let g = 0; g < groups; g++) {
  for (let j = 0; j < dims; j++) {
    const error = fits.mean[g * dims + j] - truth.mean[g * dims + j];
    squared += (error * error) / (fits.covariance[(g * dims + j) * dims + j] / rows);
  }
}
const distance = Math.sqrt(squared / (groups * dims));
console.log(`  the means lie ${distance.toFixed(3)} standard errors from the true ones (1 is expected)`);
