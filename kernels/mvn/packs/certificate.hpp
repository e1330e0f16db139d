// certificate.hpp: residual and gap of a pack at μ = x̄ (mvn/certificate.hpp), in float64.
#pragma once

#include "mvn/certificate.hpp"
#include "mvn/packs/standard.hpp"

namespace mvn {

struct PackCertificate {
  f64v residual, gap, quadratic;
};

// The gap of one lane where it is not the first-order one: from W's upper triangle, by covarianceGap().
template <class Dim> MVN_CALL f64 gapOf(Dim d, int lane, f64 squared, const PackScratch& work) {
  f64* W = reinterpret_cast<f64*>(work.T);
  for (int i = 0; i < d; ++i) {
    for (int j = i; j < d; ++j) W[i * d + j] = work.W[i * d + j][lane];
  }
  return covarianceGap(SerialTeam{}, Dynamic{d}, W, squared);
}

template <class Dim> MVN_FN PackCertificate certify(Dim d, const PackScratch& work) {
  invertDiagonal(d, work.U, work.inverse);
  solveLower<Part::all>(d, work.U, work.inverse, work.T, [&](int i, int j) MVN_INLINE { return work.R[i * d + j]; });
  solveLower<Part::upper>(d, work.U, work.inverse, work.W, [&](int i, int j) MVN_INLINE { return work.T[j * d + i]; });
  const f64v squared = squaredDistance(d, work.W, 1.0);
  PackCertificate result{rootOf(squared), squared / splat(4.0), trace(d, work.W)};
  for (int lane = 0; lane < lanesOf<f64>; ++lane) {
    if (!(squared[lane] < firstOrder)) result.gap[lane] = gapOf(d, lane, squared[lane], work);
  }
  return result;
}

}  // namespace mvn
