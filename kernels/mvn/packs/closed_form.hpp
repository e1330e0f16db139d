// closed_form.hpp: the closed form of as many groups of few columns as a vector has lanes, one in each.
//
//     S = A/(W − ddof) = LLᵀ,   W̃ = L⁻¹ (A/W) L⁻ᵀ for the certificate
//
// The small matrices stay in registers (unrolled.hpp). There are no standard units: the rounding of a Cholesky does not see
// how columns are scaled, and its pivots over S_jj are those of the correlation matrix. All is float64, whatever the
// precision.
#pragma once

#include "mvn/fit.hpp"
#include "mvn/packs/certificate.hpp"
#include "mvn/packs/log.hpp"
#include "mvn/unrolled.hpp"

namespace mvn {

// Which fits have this form. Against packs/fit.hpp in WebAssembly: 2.7 times as fast at d = 3, 3.4 times at 8.
MVN_FN bool hasClosedFormPack(int d, Method method) { return method == Method::closedForm && d <= 8; }

struct ClosedFormPackScratch {
  PackScratch pack;   // where the determinant leaves a rank in doubt
  FitScratch single;  // of a group without a maximum, or in doubt still

  MVN_FN ClosedFormPackScratch(Scratch& s, int d) : pack(s, d), single(s, d, 0) {}
};

using LaneMask = decltype(f64v{} > f64v{});

// The rank of groups that the determinant leaves open.
template <class Dim>
MVN_CALL LaneMask settleRank(Dim d, const Statistics (&groups)[lanesOf<f64>], f64 epsilon, const PackScratch& work) {
  standardise(d, groups, work);
  return hasFullRank(d, groups, epsilon, work);
}

// A group without a maximum, or still in doubt.
template <class Dim>
MVN_CALL void fitAlone(Dim d, const FitGroup& group, const FitOptions& options, const FitScratch& work) {
  fitGroup<f64, Iterative::none>(SerialTeam{}, d, group, options, work);
}

// Σ log U_ii where the product is beyond the range of numbers.
template <class Dim> MVN_CALL f64 sumOfLogs(Dim d, const f64* diagonal) { return logProduct(d, diagonal, 1); }

// The groups of a pack.
using ClosedFormGroups = FitGroup[lanesOf<f64>];

template <int D> class ClosedFormPack {
  static constexpr int lanes = lanesOf<f64>;
  f64v S[D][D], U[D][D], inverse[D], W[D][D];  // upper triangles
  f64v weight, share;                          // W, 1/(W − ddof)

  MVN_FN void covariance(const ClosedFormGroups& groups, f64 ddof) {
    weight = gather<f64v>([&](int lane) MVN_INLINE { return groups[lane].statistics.weight; });
    share = splat(1.0) / (weight - splat(ddof));
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      MVN_UNROLL for (int j = i; j < D; ++j) {
        S[i][j] = gather<f64v>([&](int lane) MVN_INLINE { return groups[lane].statistics.scatter[i * D + j]; }) * share;
      }
    }
  }

  // U = Lᵀ. A mask of the lanes where S is positive definite in this arithmetic.
  MVN_FN LaneMask factor() { return isPositive(share) & factorUnrolled(S, U, inverse); }

  MVN_FN PackCertificate certify(f64 ddof, const PackScratch& work) {
    whitenUnrolled(S, U, inverse, W);
    if (ddof != 0) {
      const f64v stretched = (weight - splat(ddof)) / weight;
      MVN_UNROLL for (int i = 0; i < D; ++i) {
        MVN_UNROLL for (int j = i; j < D; ++j) W[i][j] *= stretched;
      }
    }
    f64v quadratic{};
    MVN_UNROLL for (int i = 0; i < D; ++i) quadratic += W[i][i];
    const f64v squared = squaredDistanceUnrolled(W);
    PackCertificate result{rootOf(squared), squared / splat(4.0), quadratic};
    const LaneMask near = squared < splat(firstOrder);
    if (anyLane(~near)) {
      MVN_UNROLL for (int i = 0; i < D; ++i) {
        MVN_UNROLL for (int j = i; j < D; ++j) work.W[i * D + j] = W[i][j];
      }
      for (int lane = 0; lane < lanes; ++lane) {
        if (!near[lane]) result.gap[lane] = gapOf(Dynamic{D}, lane, squared[lane], work);
      }
    }
    return result;
  }

  // The groups from `lane` on.
  template <int lane>
  MVN_FN void finish(const ClosedFormGroups& groups, int count, LaneMask full, const PackCertificate& proof, f64v logDet,
                     const FitOptions& options, const ClosedFormPackScratch& work) const {
    if (lane >= count) return;
    if (full[lane] && groups[lane].statistics.count >= D + 1) {
      write<lane>(groups[lane], proof, logDet);
    } else {
      const FitGroup copy = groups[lane];
      fitAlone(Dynamic{D}, copy, options, work.single);
    }
    if constexpr (lane + 1 < lanes) finish<lane + 1>(groups, count, full, proof, logDet, options, work);
  }

  template <int lane> MVN_FN void write(const FitGroup& group, const PackCertificate& proof, f64v logDet) const {
    const Statistics& statistics = group.statistics;
    const f64 own = share[lane];
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      group.mean[i] = statistics.mean[i];
      MVN_UNROLL for (int j = 0; j < D; ++j) group.factor[i * D + j] = j <= i ? f64(U[j][i][lane]) : 0.0;
    }
    MVN_UNROLL for (int e = 0; e < D * D; ++e) group.covariance[e] = statistics.scatter[e] * own;
    *group.logLikelihood = -0.5 * statistics.weight * (D * logTwoPi + logDet[lane] + proof.quadratic[lane]);
    *group.residual = proof.residual[lane];
    *group.gap = proof.gap[lane];
    *group.iterations = 0;
    *group.status = u8(Status::converged);
  }

  // log|S|
  MVN_FN f64v logDeterminants() const {
    f64v root = U[0][0];
    LaneMask inRange = root > splat(0x1p-1000);  // of all products on the way: a subnormal one has lost digits
    MVN_UNROLL for (int i = 1; i < D; ++i) {
      root *= U[i][i];
      inRange &= root > splat(0x1p-1000);
    }
    inRange &= root < splat(0x1p1000);
    f64v result = logOf(root);
    if (anyLane(~inRange)) {
      for (int lane = 0; lane < lanes; ++lane) {
        if (inRange[lane]) continue;
        f64 diagonal[D];
        MVN_UNROLL for (int i = 0; i < D; ++i) diagonal[i] = U[i][i][lane];
        result[lane] = sumOfLogs(Dynamic{D}, diagonal);
      }
    }
    return result + result;
  }

 public:
  // Fits the first `count` groups; the others are copies, of which nothing is written. What is seldom called is given
  // copies: a group whose address is handed on would be kept in memory on all paths.
  MVN_FN void fit(const ClosedFormGroups& groups, int count, const FitOptions& options, const ClosedFormPackScratch& work) {
    covariance(groups, options.ddof);
    const LaneMask positive = factor();
    const auto meanAt = [&](int j) MVN_INLINE {
      return gather<f64v>([&](int lane) MVN_INLINE { return groups[lane].statistics.mean[j]; });
    };
    LaneMask full = positive & determinantExceeds(S, U, weight * share, meanAt, options.epsilon);
    const LaneMask doubtful = positive & ~full;
    if (anyLane(doubtful)) {
      Statistics copies[lanes];
      MVN_UNROLL for (int lane = 0; lane < lanes; ++lane) copies[lane] = groups[lane].statistics;
      full |= positive & settleRank(Dynamic{D}, copies, options.epsilon, work.pack);
    }
    const PackCertificate proof = certify(options.ddof, work.pack);
    finish<0>(groups, count, full, proof, logDeterminants(), options, work);
  }
};

template <class GroupAt, int... I>
MVN_FN void takeGroups(const GroupAt& groupAt, int first, int count, ClosedFormGroups& groups, LaneNumbers<I...>) {
  ((groups[I] = groupAt(I < count ? first + I : first)), ...);
}

// A function for each d: one for all would have more variables than an engine's register allocation takes well.
template <int D, class GroupAt>
MVN_CALL void fitClosedFormPacks(int groups, const GroupAt& given, const FitOptions& options, const ClosedFormPackScratch& work) {
  constexpr int lanes = lanesOf<f64>;
  const GroupAt groupAt = given;  // its addresses are then known not to change with what is written
  for (int g = 0; g < groups; g += lanes) {
    if (options.stop && readNow(options.stop)) return;
    const int count = min(lanes, groups - g);
    ClosedFormGroups taken;
    takeGroups(groupAt, g, count, taken, LanesOf<lanes>{});
    ClosedFormPack<D> pack;
    pack.fit(taken, count, options, work);
  }
}

// groupAt(0) … groupAt(groups − 1), where hasClosedFormPack().
template <class GroupAt>
MVN_FN void fitClosedFormPacks(int d, int groups, const GroupAt& groupAt, const FitOptions& options, char* block) {
  Scratch scratch(block);
  const ClosedFormPackScratch work(scratch, d);
  switch (d) {
    case 1: return fitClosedFormPacks<1>(groups, groupAt, options, work);
    case 2: return fitClosedFormPacks<2>(groups, groupAt, options, work);
    case 3: return fitClosedFormPacks<3>(groups, groupAt, options, work);
    case 4: return fitClosedFormPacks<4>(groups, groupAt, options, work);
    case 5: return fitClosedFormPacks<5>(groups, groupAt, options, work);
    case 6: return fitClosedFormPacks<6>(groups, groupAt, options, work);
    case 7: return fitClosedFormPacks<7>(groups, groupAt, options, work);
    case 8: return fitClosedFormPacks<8>(groups, groupAt, options, work);
  }
}

MVN_FN i64 closedFormPackBytes(int d) {
  Scratch count;
  ClosedFormPackScratch(count, d);
  return count.used;
}

}  // namespace mvn
