// closed_form_tiles.hpp: the closed form of one group on one thread of a CPU, by register tiles: fitGroup() for it.
//
//     μ = x̄,  S = A/(W − ddof),  Λ = D L √(W/(W − ddof)),  R = LLᵀ the correlation matrix, D the standard deviations
//
// Three products of d³/3 operations each: the factor, the diagonal of R⁻¹ for the rank test, and R − LLᵀ for the
// certificate. The latter is not formed as for other methods, which takes four times as much: with E = R − LLᵀ and t_i the
// columns of L⁻¹, W = L⁻¹RL⁻ᵀ is
//
//     W − I = Σ_ij E_ij t_i t_jᵀ,  so that  ‖W − I‖_F ≤ Σ_ij |E_ij| ‖t_i‖ ‖t_j‖,  ‖t_i‖² = (R⁻¹)_ii
//
// The residual that is stated is this bound, and the gap, ‖W − I‖_F²/4 to first order, follows from it. A group whose bound
// is not far below any tolerance is left to fitGroup(), as is one of which it is not sure that there is a maximum: doubt
// costs time, not correctness.
#pragma once

#include "fit.hpp"
#include "tile_factor.hpp"

namespace mvn {

// Which fits go by tiles. Below 24 columns packs of groups (packs/fit.hpp) are quicker.
MVN_FN bool fitsByTiles(int d, Method method) { return method == Method::closedForm && d >= 24; }

// The residual above which it is computed exactly.
constexpr f64 residualBound = 1e-9;

struct ClosedFormTileScratch {
  int strips;
  f64 *scale, *inverseScale;  // [padded d]
  f64 *inverse, *own;         // [padded d]: 1/U_ii, (R⁻¹)_ii
  f64 *R, *U, *X;             // strips (tile_factor.hpp), and one of them

  MVN_FN ClosedFormTileScratch(Scratch& s, int d) : strips(stripsOf(d)) {
    const i64 padded = i64(strips) * side;
    scale = s.take<f64>(padded);
    inverseScale = s.take<f64>(padded);
    inverse = s.take<f64>(padded);
    own = s.take<f64>(padded);
    R = s.take<f64>(stripStart(strips));
    U = s.take<f64>(stripStart(strips));
    X = s.take<f64>(padded * side);
  }
};

// s, 1/s, R and the covariance A·share. False where something is not finite, or a column without variance.
inline bool standardise(int d, const Statistics& group, f64 share, const ClosedFormTileScratch& work, f64* covariance) {
  constexpr int lanes = lanesOf<f64>;
  const int padded = work.strips * side;
  for (int j = 0; j < padded; ++j) {
    work.scale[j] = j < d ? sqrt(group.scatter[i64(j) * d + j] / group.weight) : 1;
    work.inverseScale[j] = 1 / work.scale[j];
    if (!(work.scale[j] > 0) || !isFinite(work.scale[j]) || !isFinite(work.inverseScale[j])) return false;
  }
  const f64 unit = 1 / group.weight;
  f64v finite{};
  for (int i = 0; i < padded; ++i) {
    const int first = i / side;
    f64* to = work.R + stripStart(first) + i * side;
    if (i >= d) {
      for (int c = 0; c < side; ++c) to[c] = c == i % side;
      continue;
    }
    const f64* row = group.scatter + i64(i) * d;
    f64* out = covariance + i64(i) * d;
    const f64v scaled = splat(share), own = splat(work.inverseScale[i] * unit);
    int j = 0;
    for (; j + lanes <= d; j += lanes) {
      const f64v entry = load<f64>(row + j);
      finite += entry - entry;
      store<f64>(out + j, entry * scaled);
    }
    for (; j < d; ++j) {
      finite[0] += row[j] - row[j];
      out[j] = row[j] * share;
    }
    int s = first;
    for (; (s + 1) * side <= d; ++s) {
      const int column = s * side;
      MVN_UNROLL for (int c = 0; c < side; c += lanes) {
        store<f64>(to + c, load<f64>(row + column + c) * own * load<f64>(work.inverseScale + column + c));
      }
      to += side * side * (s + 1);  // from strip s to the same row of the next
    }
    for (int c = 0; s < work.strips && c < side; ++c) {
      const int column = s * side + c;
      to[c] = column < d ? row[column] * own[0] * work.inverseScale[column] : 0;
    }
    work.R[stripStart(first) + i * side + i % side] = 1;
  }
  for (int j = 0; j < d; ++j) finite[0] += group.mean[j] - group.mean[j];
  return sumLanes(finite) == 0;
}

// Whether R surely has full rank (packs/standard.hpp says why this shows it); leaves (R⁻¹)_jj.
inline bool hasFullRank(int d, const Statistics& group, f64 epsilon, const ClosedFormTileScratch& work) {
  if (!factorStrips(work.strips, work.R, work.U, work.inverse)) return false;
  inverseDiagonal(work.strips, work.U, work.inverse, work.X, work.own);
  f64 largest = 0;
  for (int j = 0; j < d; ++j) largest = max(largest, work.own[j]);
  return 1 > 2 * largest * smallestPivotAllowed(Dynamic{d}, group, work.inverseScale, epsilon);
}

// The rows of Λ, lower triangular, that are columns of strip s of U, stretched.
inline void writeFactorRows(int d, int s, f64 stretched, const ClosedFormTileScratch& work, f64* factor) {
  const f64* U = work.U + stripStart(s);
  const int top = s * side, rows = min(side, d - top), end = min(top + side, d);
  for (int r = 0; r < rows; ++r) {
    const f64 scale = work.scale[top + r] * stretched;
    const f64v scales = splat(scale);
    f64* row = factor + i64(top + r) * d;
    int k = 0;
    for (; k + lanesOf<f64> <= end; k += lanesOf<f64>) store<f64>(row + k, loadStrided<side>(U + k * side + r) * scales);
    for (; k < end; ++k) row[k] = U[k * side + r] * scale;
    for (; k < d; ++k) row[k] = 0;
  }
}

// The certificate of W = (I + F)/f², f² = `stretched`, from the bound on ‖F‖_F.
MVN_FN Certificate certificateOf(int d, f64 bound, f64 stretched) {
  const f64 off = 1 / stretched - 1;
  return {sqrt(f64(d)) * abs(off) + bound / stretched, d * excess(off) / 2 + bound * bound / (4 * stretched * stretched),
          d / stretched};
}

// True where the group was fitted; else its results are to be written by fitGroup().
inline bool fitClosedFormByTiles(int d, const FitGroup& group, const FitOptions& options, const ClosedFormTileScratch& work) {
  const Statistics& statistics = group.statistics;
  if (!(statistics.count >= d + 1 && statistics.weight > max(0.0, options.ddof) && isFinite(statistics.weight))) return false;
  const f64 divisor = statistics.weight - options.ddof, stretched = statistics.weight / divisor;
  if (!standardise(d, statistics, 1 / divisor, work, group.covariance)) return false;
  if (!hasFullRank(d, statistics, options.epsilon, work)) return false;
  for (int j = 0; j < work.strips * side; ++j) work.own[j] = sqrt(work.own[j]);
  const f64 bound = weightedDefect(work.strips, work.R, work.U, work.own);
  if (!(bound <= residualBound)) return false;
  for (int j = 0; j < d; ++j) group.mean[j] = statistics.mean[j];
  for (int s = 0; s < work.strips; ++s) writeFactorRows(d, s, sqrt(stretched), work, group.factor);
  writeOutcome(SerialTeam{}, Dynamic{d}, group, options, certificateOf(d, bound, stretched), {Status::converged, 0});
  return true;
}

}  // namespace mvn
