// closed_form_lanes.hpp: the closed form of groups of very few columns by a warp of a device, a lane a group.
//
//     S = A/(W − ddof) = UᵀU,   W̃ = U⁻ᵀ (A/W) U⁻¹ for the certificate
//
// A lane has its group in registers. Matrices come and go through shared memory, so that neighbouring lanes read and write
// neighbouring numbers. A group that this settles not (no maximum, a rank in doubt, a residual that is not rounding) goes by fit.hpp.
#pragma once

#include "fit.hpp"
#include "unrolled.hpp"

namespace mvn {

// One group's fit. There are no standard units, as in packs/closed_form.hpp.
template <int D> class LaneFit {
  f64 count, weight, mean[D];
  f64 S[D][D], U[D][D];  // upper triangles
  f64 share;             // 1/(W − ddof)
  f64 logLikelihood, squared;
  bool settled;

 public:
  // All but the scatter.
  MVN_FN void read(const Statistics& statistics) {
    count = statistics.count;
    weight = statistics.weight;
    MVN_UNROLL for (int j = 0; j < D; ++j) mean[j] = statistics.mean[j];
  }
  MVN_FN void fit(const f64* scatter, const FitOptions& options) {
    share = 1 / (weight - options.ddof);
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      MVN_UNROLL for (int j = i; j < D; ++j) S[i][j] = scatter[i * D + j] * share;
    }
    f64 inverse[D], W[D][D];
    const bool positive = isPositive(share) & factorUnrolled(S, U, inverse);
    whitenUnrolled(S, U, inverse, W);
    f64 quadratic = 0, root = 1;
    bool inRange = true;  // all products on the way: a subnormal one has lost digits
    const f64 shrunk = (weight - options.ddof) / weight;
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      MVN_UNROLL for (int j = i; j < D; ++j) W[i][j] *= shrunk;
      quadratic += W[i][i];
      root *= U[i][i];
      inRange &= root > 0x1p-1000 && root < 0x1p1000;
    }
    squared = squaredDistanceUnrolled(W);
    logLikelihood = -0.5 * weight * (D * logTwoPi + 2 * log(root) + quadratic);
    settled = positive && inRange && squared < firstOrder && count >= D + 1 &&
              determinantExceeds(S, U, weight * share, [&](int j) { return mean[j]; }, options.epsilon);
  }

  MVN_FN bool isSettled() const { return settled; }
  MVN_FN void covariance(f64* matrix) const {
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      MVN_UNROLL for (int j = 0; j < D; ++j) matrix[i * D + j] = S[min(i, j)][max(i, j)];
    }
  }
  MVN_FN void factor(f64* matrix) const {
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      MVN_UNROLL for (int j = 0; j < D; ++j) matrix[i * D + j] = j <= i ? U[j][i] : 0;
    }
  }
  MVN_FN void writeNumbers(const FitGroup& group) const {
    *group.logLikelihood = logLikelihood;
    *group.residual = sqrt(squared);
    *group.gap = squared / 4;
    *group.iterations = 0;
    *group.status = u8(Status::converged);
  }
};

template <int D> MVN_FN constexpr i64 aloneBytes() {
  Scratch count;
  FitScratch(count, D, 0);
  return count.used;
}

// By one lane, in memory of its own.
template <int D> MVN_CALL void fitAlone(const FitGroup& group, const FitOptions& options) {
  alignas(Scratch::alignment) char block[aloneBytes<D>()];
  Scratch scratch(block);
  const FitScratch work(scratch, D, 0);
  fitGroup<f64, Iterative::none>(SerialTeam{}, Dynamic{D}, group, options, work);
}

// Matrices of a warp's groups, one behind the other in memory, in scratch so that lanes meet in no bank.
template <int D> class MatrixTray {
  static constexpr int entries = D * D, across = entries | 1;
  f64* tray_;

 public:
  MVN_FN explicit MatrixTray(Scratch& scratch) : tray_(scratch.take<f64>(warpLanes * across)) {}

  MVN_FN f64* of(int lane) const { return tray_ + lane * across; }
  template <class Team> MVN_FN void load(const Team& team, int matrices, const f64* from) const {
    team.lanes([&](int lane) {
      f64 held[entries];  // all are asked for before one is waited for
      eachPlace(matrices, lane, [&](int k, int e) { held[k] = from[e]; });
      eachPlace(matrices, lane, [&](int k, int e) { of(e / entries)[e % entries] = held[k]; });
    });
    team.sync();
  }
  template <class Team> MVN_FN void store(const Team& team, int matrices, f64* to) const {
    team.sync();
    team.lanes([&](int lane) {
      eachPlace(matrices, lane, [&](int, int e) { to[e] = of(e / entries)[e % entries]; });
    });
    team.sync();
  }

 private:
  // f(k, e) for a lane's share of all entries.
  template <class F> MVN_FN static void eachPlace(int matrices, int lane, F f) {
    MVN_UNROLL for (int k = 0; k < entries; ++k) {
      const int e = lane + k * warpLanes;
      if (e < matrices * entries) f(k, e);
    }
  }
};

// groupAt(0) … groupAt(groups − 1), which lie one behind the other; no more of them than lanes.
template <int D, class Team, class GroupAt>
MVN_FN void fitClosedFormLanes(const Team& team, int groups, GroupAt groupAt, const FitOptions& options,
                               const MatrixTray<D>& tray) {
  typename Team::template PerLane<LaneFit<D>> own;
  const FitGroup all = groupAt(0);
  team.lanes([&](int lane) {
    if (lane < groups) own(lane).read(groupAt(lane).statistics);
  });
  tray.load(team, groups, all.statistics.scatter);
  team.lanes([&](int lane) {
    if (lane >= groups) return;
    own(lane).fit(tray.of(lane), options);
    own(lane).covariance(tray.of(lane));
    own(lane).writeNumbers(groupAt(lane));
  });
  tray.store(team, groups, all.covariance);
  team.lanes([&](int lane) {
    if (lane < groups) own(lane).factor(tray.of(lane));
  });
  team.each(groups * D, [&](int e) { all.mean[e] = all.statistics.mean[e]; });
  tray.store(team, groups, all.factor);
  team.lanes([&](int lane) {
    if (lane < groups && !own(lane).isSettled()) fitAlone<D>(groupAt(lane), options);
  });
}

}  // namespace mvn
