// What nvcc made of the kernels, played on a CPU (scripts/test-ptx.mjs), against the kernels as they are written.
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { STAND_IN_ENVIRONMENT } from "./stand-in.js";

const compiled = process.env.MVNFIT_STAND_IN_PTX;
const DIMS = [1, 2, 3, 4, 5, 8, 9, 16, 17, 24, 32, 33, 48, 64, 65];
const DEVICES = ["", "capability=80", "capability=75 doubles=32"];

/** Prints, for groups of few and many rows, what the engine gives: [name, numbers in hexadecimal, logarithms in decimal]. */
const SCRIPT = `
const [dist, d] = [process.argv[1], Number(process.argv[2])];
const load = (file) => import(dist + file + ".js");
const { CudaEngine } = await load("engines/cuda/engine");
const [{ Batch }, { Parameters }, { Random }] = await Promise.all(["batch", "parameters", "random"].map(load));
const random = Random.fromSeed(d);
const sizes = [0, 1, d + 1, 40 + 2 * d, 3, 2 * Math.max(2048, 16 * d) + 5, d + 2, 100];
const offsets = sizes.reduce((all, size) => [...all, all.at(-1) + size], [0]);
const real = (length) => Float64Array.from({ length }, () => random.normal());
const x = real(offsets.at(-1) * d).map((value, i) => 3 + (1 + (i % d)) * value);
const weights = real(offsets.at(-1)).map((value) => Math.max(0, value));
const at = Parameters.from({ mean: real(d), factor: real(d * d) }, { groups: sizes.length, dims: d });
const hexadecimal = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("hex");
const engine = await CudaEngine.start({});
const found = [];
const put = (name, results, exact, logarithms = []) => found.push([name, exact.map((one) => hexadecimal(results[one])), logarithms.flatMap((one) => [...results[one]]).map(String)]);
for (const dtype of ["float64", "float32"])
  for (const precision of dtype === "float64" ? ["float64"] : ["float64", "float32"])
    for (const weighted of [false, true]) {
      const name = [dtype, precision, weighted ? "weighted" : ""].join(" ");
      const rows = dtype === "float64" ? x : Float32Array.from(x);
      const session = await engine.open(Batch.fromOffsets(rows, offsets, { dims: d, ...(weighted && { weights }) }), { precision });
      put("moments " + name, await session.statistics(), ["count", "weight", "mean", "scatter"]);
      put("evaluate " + name, await session.evaluate(at), ["j2", "dJ1dFactor", "dJ2dMean", "dJ2dFactor", "statusCode"], ["j1", "objective"]);
      const solve = { method: "closed-form", ddof: 0, start: "default", tolerance: 1e-8, maxIterations: 1 };
      put("closed form " + name, await session.fit(solve), ["mean", "covariance", "factor", "residual", "gap", "statusCode"], ["logLikelihood"]);
      await session.close();
    }
await engine.close();
process.stdout.write(JSON.stringify(found));
`;

type Results = [name: string, exact: string[], logarithms: string[]][];

function run(dims: number, device: string, library?: string): Results {
  const dist = new URL("../../../dist/", import.meta.url).href;
  const environment = { ...process.env, ...STAND_IN_ENVIRONMENT, MVNFIT_STAND_IN: device };
  delete (environment as NodeJS.ProcessEnv).MVNFIT_STAND_IN_PTX;
  return JSON.parse(
    execFileSync(process.execPath, ["--input-type=module", "--eval", SCRIPT, dist, String(dims)], {
      env: { ...environment, ...(library && { MVNFIT_STAND_IN_PTX: library }) },
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    }),
  ) as Results;
}

describe.skipIf(!compiled)("the kernels as compiled", () => {
  describe.each(DEVICES)("for a device with the settings '%s'", (device) => {
    it.each(DIMS)("give the bits of the kernels as written, but for logarithms: d = %d", (dims) => {
      const [got, wanted] = [run(dims, device, compiled), run(dims, device)];
      wanted.forEach(([name, exact, logarithms], i) => {
        expect(got[i][1], name).toEqual(exact);
        logarithms.forEach((value, k) => {
          const [ours, theirs] = [Number(got[i][2][k]), Number(value)];
          if (!Object.is(ours, theirs)) expect(Math.abs(ours / theirs - 1), name).toBeLessThan(1e-13);
        });
      });
    });
  });
});
