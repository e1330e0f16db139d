// A peer in JavaScript, for tests without Python: plays whichever peer's file it is told to run, as FAKE_PEER says.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const manner = process.env.FAKE_PEER ?? "right";
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

if (process.argv[2] === "--version") process.exit(0);
if (process.env.FAKE_PEER_PIDS) writeFileSync(process.env.FAKE_PEER_PIDS, `${process.pid}\n`, { flag: "a" });
if (manner === "missing") {
  say({ error: "No module named 'numpy'" });
  process.exit(0);
}
if (manner === "silent") process.exit(3);
say({ version: "1.2.3", forms: ["centred", "uncentred"], precisions: ["float64"], mostDims: 4 });

let task;

/** Mean and covariance over n, in two passes. */
function fitted({ rows, offsets, dims: d }) {
  const numbers = (file) => new Float64Array(Uint8Array.from(readFileSync(file)).buffer);
  const [x, bounds] = [numbers(rows), numbers(offsets)];
  const groups = bounds.length - 1;
  const mean = new Float64Array(groups * d);
  const covariance = new Float64Array(groups * d * d);
  for (let g = 0; g < groups; g++) {
    const n = bounds[g + 1] - bounds[g];
    for (let a = bounds[g]; a < bounds[g + 1]; a++)
      for (let j = 0; j < d; j++) mean[g * d + j] += x[a * d + j] / n;
    for (let a = bounds[g]; a < bounds[g + 1]; a++)
      for (let i = 0; i < d; i++)
        for (let j = 0; j < d; j++)
          covariance[g * d * d + i * d + j] +=
            ((x[a * d + i] - mean[g * d + i]) * (x[a * d + j] - mean[g * d + j])) / n;
  }
  return { mean, covariance };
}

const ANSWERS = {
  load: (request) => {
    task = fitted(request);
    return {};
  },
  prepare: () => {
    if (manner === "refuses") throw new Error("cannot do that");
    return {};
  },
  check: ({ out }) => {
    if (manner === "wrong") task.covariance[task.covariance.length - 1] *= 1.001;
    if (manner === "short") task.covariance = task.covariance.subarray(1);
    writeFileSync(out, Buffer.concat([Buffer.from(task.mean.buffer), bytesOf(task.covariance)]));
    return { ms: 1 };
  },
  run: () => {
    if (manner === "dies") process.exit(9);
    return { ms: 1 };
  },
};

const bytesOf = (values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (manner === "garbage") console.log("Warning: something");
  if (manner === "hangs") for (;;);
  try {
    say(ANSWERS[request.op](request));
  } catch (error) {
    say({ error: error.message });
  }
}
