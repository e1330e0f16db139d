// The paper's use of its gradients: a descent of one's own, on J and eqs. (7), (9) and (14), for all groups at once.
// The library's own methods do the same within the engine, without a round trip per step: fit(batch, { method: "lbfgs" }).
import { evaluate, fit, openEngine, Parameters, simulate } from "../dist/index.js";

const STEPS = 200;

const { batch } = simulate({ groups: 100, rows: [50, 150], dims: 3, condition: 4 });
const { groups, dims } = batch;

const engine = await openEngine();
// A session keeps the data's statistics in the engine: an evaluation moves parameters in and gradients out, nothing else.
const session = await engine.open(batch);

const identity = Float64Array.from({ length: dims * dims }, (_, e) => (e % (dims + 1) === 0 ? 1 : 0));
const start = Parameters.from({ mean: new Float64Array(dims), factor: identity }, { groups, dims });
const { mean, factor } = { mean: start.mean.slice(), factor: start.factor.slice() };

for (let step = 0; step < STEPS; step++) {
  const at = await session.evaluate(Parameters.from({ mean, factor }, { groups, dims }));
  // J = C + ½(J₁ + J₂), so its gradient is half of the sums; a row's share of it is a step that needs no search.
  for (let g = 0; g < groups; g++) {
    const rate = 0.25 / (batch.offsets[g + 1] - batch.offsets[g]);
    for (let j = g * dims; j < (g + 1) * dims; j++) mean[j] -= (rate * at.dJ2dMean[j]) / 2;
    for (let e = g * dims ** 2; e < (g + 1) * dims ** 2; e++) {
      factor[e] -= (rate * (at.dJ1dFactor[e] + at.dJ2dFactor[e])) / 2;
    }
  }
}

const reached = await evaluate(batch, { mean, factor }, { engine });
const best = await fit(batch, { engine });
const gaps = reached.objective.map((j, g) => j + best.logLikelihood[g]);
console.log(
  `${groups} groups, ${STEPS} steps: J is above its minimum by at most ${Math.max(...gaps).toExponential(1)} nats`,
);

await session.close();
await engine.close();
