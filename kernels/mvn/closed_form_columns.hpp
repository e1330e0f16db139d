// closed_form_columns.hpp: the closed form of one group by a team of a device, a lane a column.
//
//     R = UᵀU = LLᵀ,   W = L⁻¹RL⁻ᵀ for the certificate,   Λ = D L √(W/(W − ddof))
//
// A lane keeps its column in registers: a number at a compile-time place, so D is d rounded up. Rows of the factor go through
// shared memory, where all lanes read the same number at once. They are kept undivided, V_k = √p_k U_k with the pivot p_k, so
// that a step is one barrier and one reciprocal, and a solve has no other division:
//
//     x_i ← x_i − V_ki (x_k / p_k)  for k = 0, 1, … and i > k,   then (L⁻¹x)_k = x_k / √p_k
#pragma once

#include "fit.hpp"
#include "wide_load.hpp"

namespace mvn {

template <int D> struct ColumnsScratch {
  static constexpr int across = D + 2;  // from row to row: pairs of a row stay aligned, and rows begin in other banks
  f64 *V, *X;                           // [D, across]
  f64 *reciprocal, *root;               // [D]: 1/p, 1/√p
  f64 *scale, *inverseScale;            // [D]

  MVN_FN explicit ColumnsScratch(Scratch& s)
      : V(s.take<f64>(D * across)), X(s.take<f64>(D * across)), reciprocal(s.take<f64>(D)), root(s.take<f64>(D)),
        scale(s.take<f64>(D)), inverseScale(s.take<f64>(D)) {}
};

template <int D> struct Column {
  f64 at[D];
};
template <int D, class Team> using Columns = typename Team::template PerLane<Column<D>>;

// x_i ← x_i − V_ki a for i > k.
template <int D> MVN_FN void eliminate(int k, f64 a, const f64* V, Column<D>& x) {
  using Pair = Pack<f64, 2>;
  const f64* row = V + k * ColumnsScratch<D>::across;
  MVN_UNROLL for (int i = (k + 1) / 2 * 2; i < D; i += 2) {
    const Pair pair = *reinterpret_cast<const Pair*>(row + i);
    if (i > k) x.at[i] = fma(-pair.at[0], a, x.at[i]);
    x.at[i + 1] = fma(-pair.at[1], a, x.at[i + 1]);
  }
}

// L⁻¹x of every lane's own column.
template <int D> MVN_FN void solveColumn(int d, const ColumnsScratch<D>& work, Column<D>& x) {
  MVN_UNROLL for (int k = 0; k < D; ++k) {
    if (k < d) eliminate<D>(k, x.at[k] * work.reciprocal[k], work.V, x);
  }
  MVN_UNROLL for (int k = 0; k < D; ++k) {
    if (k < d) x.at[k] *= work.root[k];
  }
}

// V from the columns of R, which are used up. `pivot` gets every lane's own.
template <int D, class Team>
MVN_FN void factorColumns(const Team& team, int d, Columns<D, Team>& column, typename Team::template PerLane<f64>& pivot,
                          const ColumnsScratch<D>& work) {
  MVN_UNROLL for (int k = 0; k < D; ++k) {
    if (k >= d) continue;
    f64* row = work.V + k * ColumnsScratch<D>::across;
    team.lanes([&](int lane) {
      if (lane >= k && lane < d) row[lane] = column(lane).at[k];
      if (lane == k) pivot(lane) = column(lane).at[k];
    });
    team.sync();
    team.lanes([&](int lane) {
      const f64 reciprocal = 1 / row[k];
      if (lane == k) work.reciprocal[k] = reciprocal;
      eliminate<D>(k, column(lane).at[k] * reciprocal, work.V, column(lane));
    });
  }
  team.lanes([&](int lane) {
    if (lane < d) work.root[lane] = 1 / sqrt(pivot(lane));
    else pivot(lane) = 1;
  });
  team.sync();
}

// f(i, A_ij) for the entries of a lane's column.
template <int D, class F> MVN_FN void eachEntry(int d, F f) {
  MVN_UNROLL for (int i = 0; i < D; ++i) {
    if (i < d) f(i);
  }
}

// A lane's column of R, also into X.
template <int D, class Team>
MVN_FN void correlations(const Team& team, int d, const Statistics& statistics, Columns<D, Team>& column,
                         const ColumnsScratch<D>& work) {
  const f64 share = 1 / statistics.weight;
  team.lanes([&](int lane) {
    if (lane >= d) return;
    const f64 own = work.inverseScale[lane];
    // Read as a whole before anything is written, which may lie anywhere: else each waits for the one before.
    eachEntry<D>(d, [&](int i) { column(lane).at[i] = statistics.scatter[i * d + lane]; });
    eachEntry<D>(d, [&](int i) {
      const f64 r = column(lane).at[i] * share * own * work.inverseScale[i];
      column(lane).at[i] = work.X[i * ColumnsScratch<D>::across + lane] = i == lane ? 1 : r;
    });
  });
}

// What is missing for a maximum, as far as it shows before a factorisation (existence() of fit.hpp); `converged` if nothing.
// Leaves scale and inverseScale.
template <int D, class Team>
MVN_FN Status existenceByColumns(const Team& team, int d, const Statistics& statistics, f64 ddof,
                                 const ColumnsScratch<D>& work) {
  typename Team::template PerLane<f64> odd, constant;
  if (!(statistics.count > 0)) return Status::empty;
  team.lanes([&](int lane) {
    odd(lane) = 0;
    constant(lane) = 0;
    if (lane >= d) return;
    f64 sum = statistics.mean[lane] - statistics.mean[lane];  // 0, or NaN where a number is not finite
    eachEntry<D>(d, [&](int i) {
      const f64 a = statistics.scatter[i * d + lane];
      sum += a - a;
    });
    odd(lane) = sum;
    const f64 own = statistics.scatter[lane * d + lane];
    constant(lane) = own > 0 ? 0 : 1;
    work.scale[lane] = sqrt(own / statistics.weight);
    work.inverseScale[lane] = 1 / work.scale[lane];
  });
  if (!isFinite(statistics.weight) || team.sum(odd) != 0) return Status::nonFinite;
  if (statistics.count < d + 1 || !(statistics.weight > 0) || !(statistics.weight > ddof)) return Status::tooFewRows;
  return team.sum(constant) != 0 ? Status::singular : Status::converged;
}

// Whether R has full rank, as hasFullRank() says; V gets its factor, columns are used up.
template <int D, class Team>
MVN_FN bool factorOfFullRank(const Team& team, int d, const Statistics& statistics, f64 epsilon,
                             Columns<D, Team>& column, const ColumnsScratch<D>& work) {
  typename Team::template PerLane<f64> pivot, value;
  const auto product = [](f64 a, f64 b) { return a * b; };
  bool settled = false;
  for (;;) {
    correlations<D>(team, d, statistics, column, work);
    factorColumns<D>(team, d, column, pivot, work);
    if (settled) return true;
    team.lanes([&](int lane) { value(lane) = pivot(lane) > 0 && isFinite(pivot(lane)) ? 0 : 1; });
    if (team.sum(value) != 0) return false;
    team.lanes([&](int lane) {
      const f64 ratio = lane < d ? statistics.mean[lane] * work.inverseScale[lane] : 0;
      value(lane) = ratio * ratio;
    });
    const f64 offset = team.reduce(value, [](f64 a, f64 b) { return max(a, b); });
    const f64 threshold = smallestPivotAllowed(d, offset, epsilon);
    if (team.reduce(pivot, product) > threshold) return true;
    correlations<D>(team, d, statistics, column, work);
    team.sync();
    team.lanes([&](int lane) {  // without gaps
      if (lane < d) eachEntry<D>(d, [&](int i) { work.X[i * d + lane] = column(lane).at[i]; });
    });
    if (!pivotsExceed(team, d, threshold, work.X, work.V, work.root)) return false;
    settled = true;  // V again, which pivotsExceed() has used
  }
}

// At the optimum, up to rounding: W and what follows from it. `shrunk` is (W − ddof)/W. X holds R.
template <int D, class Team>
MVN_FN Certificate certifyColumns(const Team& team, int d, f64 shrunk, Columns<D, Team>& column,
                                  const ColumnsScratch<D>& work) {
  constexpr int across = ColumnsScratch<D>::across;
  typename Team::template PerLane<f64> distance, diagonal;
  team.lanes([&](int lane) {
    if (lane >= d) return;
    eachEntry<D>(d, [&](int i) { column(lane).at[i] = work.X[i * across + lane]; });
    solveColumn<D>(d, work, column(lane));
    eachEntry<D>(d, [&](int i) { work.X[i * across + lane] = column(lane).at[i]; });
  });
  team.sync();
  team.lanes([&](int lane) {
    distance(lane) = diagonal(lane) = 0;
    if (lane >= d) return;
    eachEntry<D>(d, [&](int i) { column(lane).at[i] = work.X[lane * across + i]; });
    solveColumn<D>(d, work, column(lane));
    f64 squared = 0, own = 0;
    eachEntry<D>(d, [&](int i) {
      const f64 w = column(lane).at[i] * shrunk;
      column(lane).at[i] = w;
      const f64 off = w - (i == lane ? 1.0 : 0.0);
      squared = fma(off, off, squared);
      if (i == lane) own = w;
    });
    distance(lane) = squared;
    diagonal(lane) = own;
  });
  Certificate result;
  result.quadratic = team.sum(diagonal);
  const f64 squared = team.sum(distance);
  result.residual = sqrt(squared);
  result.gap = squared / 4;
  if (squared < firstOrder) return result;
  team.lanes([&](int lane) {
    if (lane < d) eachEntry<D>(d, [&](int i) { work.X[i * d + lane] = column(lane).at[i]; });
  });
  result.gap = covarianceGap(team, Dynamic{d}, work.X, squared);
  return result;
}

template <int D, class Team>
MVN_FN void writeColumns(const Team& team, int d, const FitGroup& group, f64 ddof, f64 stretched, const Certificate& proof,
                         Columns<D, Team>& column, const ColumnsScratch<D>& work) {
  const Statistics& statistics = group.statistics;
  const f64 share = 1 / (statistics.weight - ddof);
  typename Team::template PerLane<f64> logarithm;
  team.lanes([&](int lane) {
    logarithm(lane) = 0;
    if (lane >= d) return;
    const f64 own = work.root[lane] * stretched;
    const f64* below = work.V + lane * ColumnsScratch<D>::across;
    eachEntry<D>(d, [&](int i) { column(lane).at[i] = statistics.scatter[i * d + lane] * share; });
    group.mean[lane] = statistics.mean[lane];
    eachEntry<D>(d, [&](int i) {
      const i64 at = i * d + lane;
      group.covariance[at] = column(lane).at[i];
      group.factor[at] = i >= lane ? below[i] * own * work.scale[i] : 0;
    });
    logarithm(lane) = log(below[lane] * own * work.scale[lane]);
  });
  const f64 logDet = 2 * team.sum(logarithm);
  team.lanes([&](int lane) {
    if (lane != 0) return;
    *group.logLikelihood = -0.5 * statistics.weight * (d * logTwoPi + logDet + proof.quadratic);
    *group.residual = proof.residual;
    *group.gap = proof.gap;
    *group.iterations = 0;
    *group.status = u8(Status::converged);
  });
}

// A group by a team of at least d lanes, d ≤ D.
template <int D, class Team>
MVN_FN void fitClosedFormColumns(const Team& team, int d, const FitGroup& group, const FitOptions& options,
                                 Scratch scratch) {
  const ColumnsScratch<D> work(scratch);
  const Statistics& statistics = group.statistics;
  Columns<D, Team> column;
  Status status = existenceByColumns<D>(team, d, statistics, options.ddof, work);
  if (status == Status::converged && !factorOfFullRank<D>(team, d, statistics, options.epsilon, column, work)) {
    status = Status::singular;
  }
  if (status != Status::converged) return withoutFit(team, d, group, options.ddof, status);
  const f64 shrunk = (statistics.weight - options.ddof) / statistics.weight;
  const Certificate proof = certifyColumns<D>(team, d, shrunk, column, work);
  writeColumns<D>(team, d, group, options.ddof, sqrt(1 / shrunk), proof, column, work);
}

}  // namespace mvn
