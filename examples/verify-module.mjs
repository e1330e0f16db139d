// A gradient of one's own, as `mvnfit verify` checks it:
//
//     npx mvnfit verify --module examples/verify-module.mjs
//
// It gives ∂J/∂μ and ∂J/∂Λ of the negative log-likelihood J = C + ½(n log|ΛΛᵀ| + Σₐ ‖yₐ‖²), yₐ = Λ⁻¹(Xₐ−μ)ᵀ, in the form that needs
// Λ⁻¹ alone:
//
//     ∂J/∂μ = −Σₐ Λ⁻ᵀyₐ        ∂J/∂Λ = Λ⁻ᵀ (nI − Σₐ yₐyₐᵀ)
//
// Change a sign in it, and see what the command says.

/** x is [n, d], mean [d], factor [d, d]: Float64Arrays, row-major. Λ is any invertible matrix, not only a triangular one. */
export function gradient({ x, n, d, mean, factor }) {
  const inverse = invert(factor, d);
  const whitened = new Float64Array(d);
  const sum = new Float64Array(d);
  const rest = new Float64Array(d * d); // nI − Σ yyᵀ
  for (let i = 0; i < d; i++) rest[i * d + i] = n;
  for (let a = 0; a < n; a++) {
    for (let i = 0; i < d; i++) {
      whitened[i] = 0;
      for (let j = 0; j < d; j++) whitened[i] += inverse[i * d + j] * (x[a * d + j] - mean[j]);
      sum[i] += whitened[i];
    }
    for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) rest[i * d + j] -= whitened[i] * whitened[j];
  }
  const dMean = new Float64Array(d);
  const dFactor = new Float64Array(d * d);
  for (let k = 0; k < d; k++) {
    for (let i = 0; i < d; i++) {
      dMean[i] -= inverse[k * d + i] * sum[k];
      for (let j = 0; j < d; j++) dFactor[i * d + j] += inverse[k * d + i] * rest[k * d + j];
    }
  }
  return { mean: dMean, factor: dFactor };
}

/** Λ⁻¹ by Gauss & Jordan's elimination with pivoting. */
function invert(matrix, d) {
  const rows = Array.from({ length: d }, (_, i) => [
    ...matrix.subarray(i * d, (i + 1) * d),
    ...Array.from({ length: d }, (_, j) => (i === j ? 1 : 0)),
  ]);
  for (let k = 0; k < d; k++) {
    let best = k;
    for (let i = k + 1; i < d; i++) if (Math.abs(rows[i][k]) > Math.abs(rows[best][k])) best = i;
    [rows[k], rows[best]] = [rows[best], rows[k]];
    const pivot = rows[k][k];
    rows[k] = rows[k].map((entry) => entry / pivot);
    for (let i = 0; i < d; i++) {
      if (i === k) continue;
      const multiple = rows[i][k];
      rows[i] = rows[i].map((entry, j) => entry - multiple * rows[k][j]);
    }
  }
  return Float64Array.from(rows.flatMap((row) => row.slice(d)));
}
