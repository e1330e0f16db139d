// objective.hpp: J/n and its gradient (mvn/objective.hpp) at one point of each group of a pack.
#pragma once

#include "mvn/objective.hpp"
#include "mvn/packs/linear.hpp"

namespace mvn {

template <class V> struct PackObjectiveScratch {
  V *R, *U, *inverse, *T, *W, *z;

  MVN_FN PackObjectiveScratch(Scratch& s, int d)
      : R(s.take<V>(d * d)), U(s.take<V>(d * d)), inverse(s.take<V>(d)), T(s.take<V>(d * d)), W(s.take<V>(d * d)),
        z(s.take<V>(d)) {}
};

// z = L⁻¹m and L⁻ᵀz, the gradient in m, for the lanes that have an m; z = 0 for the others. Returns ‖z‖².
template <class Dim, class V, class Real = Element<V>>
MVN_CALL V deviation(Dim d, const bool (&centred)[lanesIn<V>], const Real* const (&x)[lanesIn<V>],
                     Real* const (&gradient)[lanesIn<V>], Real* const (&relative)[lanesIn<V>],
                     const PackObjectiveScratch<V>& work) {
  const int first = d * (d + 1) / 2;
  V squared{};
  for (int i = 0; i < d; ++i) {
    V sum = gather<V>([&](int lane) { return centred[lane] ? Real(0) : x[lane][first + i]; });
    for (int k = 0; k < i; ++k) sum -= work.U[k * d + i] * work.z[k];
    work.z[i] = sum * work.inverse[i];
    squared += work.z[i] * work.z[i];
  }
  for (int i = 0; i < d; ++i) {
    for (int j = i; j < d; ++j) work.W[i * d + j] += work.z[i] * work.z[j];
    for (int lane = 0; lane < lanesIn<V>; ++lane) {
      if (!centred[lane] && relative[lane]) relative[lane][first + i] = work.z[i][lane];
    }
  }
  for (int i = d - 1; i >= 0; --i) {
    V sum = work.z[i];
    for (int k = i + 1; k < d; ++k) sum -= work.U[i * d + k] * work.z[k];
    work.z[i] = sum * work.inverse[i];
    for (int lane = 0; lane < lanesIn<V>; ++lane) {
      if (!centred[lane]) gradient[lane][first + i] = work.z[i][lane];
    }
  }
  return squared;
}

// Value and gradient of lane k at x[k], and the relative gradient unless the method asks for none (null for all), in the
// arithmetic of the pack. Lanes that are not wanted compute what another does.
template <class Dim, class V, class Real = Element<V>>
MVN_CALL void objectiveAt(Dim d, const bool (&centred)[lanesIn<V>], const Real* const (&x)[lanesIn<V>],
                          Real* const (&gradient)[lanesIn<V>], Real* const (&relative)[lanesIn<V>],
                          Value<Real> (&value)[lanesIn<V>],
                          const PackObjectiveScratch<V>& work) {
  constexpr int lanes = lanesIn<V>;
  bool inside[lanes], allCentred = true;
  for (int lane = 0; lane < lanes; ++lane) {
    inside[lane] = true;
    allCentred = allCentred && centred[lane];
  }
  for (int i = 0, e = 0; i < d; ++i) {
    for (int lane = 0; lane < lanes; ++lane) inside[lane] = inside[lane] && x[lane][e] > Real(0);
    for (int j = i; j < d; ++j, ++e) work.U[i * d + j] = gather<V>([&](int lane) MVN_INLINE { return x[lane][e]; });
  }
  invertDiagonal(d, work.U, work.inverse);
  const V* const R = work.R;
  V* const W = work.W;
  const V* const T = work.T;
  solveLower<Part::all>(d, work.U, work.inverse, work.T, [=](int i, int j) MVN_INLINE { return R[i * d + j]; });
  solveLower<Part::upper>(d, work.U, work.inverse, work.W, [=](int i, int j) MVN_INLINE { return T[j * d + i]; });
  const V deviated = allCentred ? V{} : deviation(d, centred, x, gradient, relative, work);
  if (relative[0]) {
    for (int i = 0, e = 0; i < d; ++i) {
      for (int j = i; j < d; ++j, ++e) {
        const V entry = j > i ? -W[i * d + j] : (all<V>(1) - W[i * d + i]) * all<V>(Real(diagonalShare));
        MVN_UNROLL for (int lane = 0; lane < lanes; ++lane) relative[lane][e] = entry[lane];
      }
    }
  }
  const V squared = squaredDistance(d, W, Real(1)), half = trace(d, W) * all<V>(0.5);
  V rowsSquared{};
  for (int i = 0; i < d; ++i) rowsSquared += work.inverse[i] * work.inverse[i];
  solveUpperLowerPart(d, work.U, work.inverse, work.T, [=](int i, int j) MVN_INLINE {
    return all<V>(i == j) - W[min(i, j) * d + max(i, j)];
  });
  for (int i = 0, e = 0; i < d; ++i) {
    for (int j = i; j < d; ++j, ++e) {
      const V entry = T[j * d + i];
      MVN_UNROLL for (int lane = 0; lane < lanes; ++lane) gradient[lane][e] = entry[lane];
    }
  }
  const V residual = rootOf(larger(squared, deviated));
  for (int lane = 0; lane < lanes; ++lane) {
    const Real own = Real(logProduct(d, laneOf(work.U, lane), (d + 1) * lanes)) + half[lane];
    const bool defined = inside[lane] && isFinite(own) && isFinite(squared[lane]);
    value[lane] = defined ? Value<Real>{own, objectiveNoise(int(d), own, rowsSquared[lane]), residual[lane]}
                          : Value<Real>::outside();
  }
}

}  // namespace mvn
