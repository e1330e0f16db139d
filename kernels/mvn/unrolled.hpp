// unrolled.hpp: factors of matrices of very few columns, of one group or of one in each lane of a vector (packs/pack.hpp).
//
// The matrices are local arrays under loops of fixed length, for the compiler to keep in registers; V is f64 or a vector of it.
#pragma once

#include "rank.hpp"
#include "simd.hpp"

namespace mvn {

MVN_FN f64 rootOf(f64 x) { return sqrt(x); }
MVN_FN bool isPositive(f64 x) { return (x > 0) & (x <= largestFinite<f64>); }

// The upper triangle of U, UᵀU = S, and 1/U_ii. Returns where S is positive definite in this arithmetic.
template <int D, class V> MVN_FN auto factorUnrolled(const V (&S)[D][D], V (&U)[D][D], V (&inverse)[D]) {
  auto positive = isPositive(S[0][0]);
  MVN_UNROLL for (int i = 0; i < D; ++i) {
    MVN_UNROLL for (int j = i; j < D; ++j) {
      U[i][j] = S[i][j];
      MVN_UNROLL for (int k = 0; k < i; ++k) U[i][j] -= U[k][i] * U[k][j];
    }
    positive &= isPositive(U[i][i]);
    const V reciprocal = 1.0 / U[i][i];  // beside the root: a division after it takes longer
    U[i][i] = rootOf(U[i][i]);
    inverse[i] = U[i][i] * reciprocal;
    MVN_UNROLL for (int j = i + 1; j < D; ++j) U[i][j] *= inverse[i];
  }
  return positive;
}

// The upper triangle of W = U⁻ᵀSU⁻¹.
template <int D, class V>
MVN_FN void whitenUnrolled(const V (&S)[D][D], const V (&U)[D][D], const V (&inverse)[D], V (&W)[D][D]) {
  V T[D][D];  // U⁻ᵀS
  MVN_UNROLL for (int i = 0; i < D; ++i) {
    MVN_UNROLL for (int j = 0; j < D; ++j) {
      T[i][j] = S[min(i, j)][max(i, j)];
      MVN_UNROLL for (int k = 0; k < i; ++k) T[i][j] -= U[k][i] * T[k][j];
      T[i][j] *= inverse[i];
    }
  }
  MVN_UNROLL for (int i = 0; i < D; ++i) {
    MVN_UNROLL for (int j = i; j < D; ++j) {
      W[i][j] = T[j][i];
      MVN_UNROLL for (int k = 0; k < i; ++k) W[i][j] -= U[k][i] * W[k][j];
      W[i][j] *= inverse[i];
    }
  }
}

// Whether det R, of the correlation matrix of S = A/V, is above the threshold of the rank test, as in hasFullRank(). `stretched` is W/V.
template <int D, class V, class MeanAt>
MVN_FN auto determinantExceeds(const V (&S)[D][D], const V (&U)[D][D], V stretched, MeanAt meanAt, f64 epsilon) {
  V determinant = 1.0 - V{}, offset{};
  MVN_UNROLL for (int j = 0; j < D; ++j) {
    const V mean = meanAt(j), reciprocal = 1.0 / S[j][j];
    determinant *= U[j][j] * U[j][j] * reciprocal;
    offset += mean * mean * reciprocal;
  }
  offset *= stretched;  // Σ x̄²/s² ≥ max x̄²/s², s² = A_jj/W
  const f64 unit = rankSlack * D, rounded = epsilon * epsilon;
  return determinant > unit * (2 * roundingUnit<f64> + rounded) + unit * rounded * offset;
}

// ‖I − W‖²_F from the upper triangle.
template <int D, class V> MVN_FN V squaredDistanceUnrolled(const V (&W)[D][D]) {
  V diagonal{}, off{};
  MVN_UNROLL for (int i = 0; i < D; ++i) {
    const V own = W[i][i] - 1.0;
    diagonal += own * own;
    MVN_UNROLL for (int j = i + 1; j < D; ++j) off += W[i][j] * W[i][j];
  }
  return diagonal + (off + off);
}

}  // namespace mvn
