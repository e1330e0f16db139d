// A little of everything, for compute-sanitizer: every way of summing, the methods, an evaluation, each on both sides of where the kernels
// change their form, or for the numbers of columns that are named. Exits with 1 where a group has no fit.
import { Batch } from "./dist/batch.js";
import { CudaEngine } from "./dist/engines/cuda/engine.js";
import { evaluate } from "./dist/evaluate.js";
import { fit } from "./dist/fit.js";
import { METHODS } from "./dist/methods.js";

const engine = await CudaEngine.start({});
const dims = process.argv.slice(2).map(Number);
for (const d of dims.length > 0 ? dims : [1, 3, 4, 5, 9, 29, 33, 65]) {
  const sizes = [d + 2, 2 * d + 40, 2500];
  const offsets = [0];
  for (const size of sizes) offsets.push(offsets[offsets.length - 1] + size);
  const rows = offsets[sizes.length];
  const values = Float64Array.from({ length: rows * d }, (_, i) => (Math.sin(12.9898 * i) * 43758.5453) % 1);
  for (const x of [values, Float32Array.from(values)]) {
    for (const weights of [undefined, Float64Array.from({ length: rows }, (_, i) => 1 + (i % 3))]) {
      const batch = Batch.fromOffsets(x, offsets, weights ? { dims: d, weights } : { dims: d });
      for (const precision of ["float64", "float32"]) {
        const few = { engine, precision, maxIterations: 3 };
        for (const method of METHODS) {
          const { status } = await fit(batch, { ...few, method });
          if (status.some((one) => one === "non-finite" || one === "empty")) process.exitCode = 1;
        }
        const identity = Float64Array.from({ length: d * d }, (_, e) => (e % (d + 1) === 0 ? 1 : 0));
        await evaluate(batch, { mean: new Float64Array(d), factor: identity }, { engine, precision });
      }
    }
  }
}
await engine.close();
