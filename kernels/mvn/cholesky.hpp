// cholesky.hpp: A = LLᵀ.
//
// Every factor in the kernels is kept as U = Lᵀ, d×d row-major, upper triangular with a positive diagonal: row k of U
// is column k of L, so that the factorisation and the solves run along rows. What lies below U's diagonal is not read,
// and symmetric matrices are read and written in their upper triangle, unless something else is said.
#pragma once

#include "rows.hpp"

namespace mvn {

// U with A = UᵀU, row by row: U_i = (A_i − Σ_{k<i} U_ki U_k) / U_ii. U may be A itself.
// False where a pivot is not positive: A is not positive definite in this arithmetic. U is then unfinished.
template <class Team, class Dim, class Real>
MVN_CALL bool cholesky(const Team& team, Dim d, const Real* A, Real* U) {
  constexpr int block = blockRows<Team, Dim>;
  for (int top = 0; top < d; top += block) {
    const int rows = min(block, d - top);
    strips(team, d, [&](auto begin, auto end) {
      const auto first = fromDiagonal(begin, top);
      for (int i = top; i < top + rows; ++i) {
        for (int j = first; j < end; ++j) U[i * d + j] = A[i * d + j];
      }
      combineBlock<-1>(rows, U + top * d, d, U + top, d, 1, U, d, top, first, end);
    });
    team.sync();
    for (int i = top; i < top + rows; ++i) {
      Real* row = U + i * d;
      if constexpr (block > 1) combineRows<-1>(row, U + top * d + i, d, U + top * d, d, i - top, i, int(d));
      const Real pivot = row[i];
      team.sync();
      if (!(pivot > Real(0)) || !isFinite(pivot)) return false;
      const Real root = sqrt(pivot), inverse = Real(1) / root;
      strips(team, d, [&](auto begin, auto end) {
        for (int j = fromDiagonal(begin, i); j < end; ++j) row[j] = row[j] * inverse;
        if (begin <= i && i < end) row[i] = root;
      });
      team.sync();
    }
  }
  return true;
}

// S = UᵀU = LLᵀ: its upper triangle.
template <class Team, class Dim, class Real>
MVN_CALL void multiplyFactor(const Team& team, Dim d, const Real* U, Real* S) {
  strips(team, d, [&](auto begin, auto end) {
    for (int i = 0; i < d; ++i) {
      const auto first = fromDiagonal(begin, i);
      for (int j = first; j < end; ++j) S[i * d + j] = 0;
      combineRows<1>(S + i * d, U + i, d, U, d, i + 1, first, end);
    }
  });
  team.sync();
}

// The lower triangle from the upper one. A barrier is to follow before it is read.
template <class Team, class Dim, class Real> MVN_FN void mirror(const Team& team, Dim d, Real* S) {
  team.each(d, [&](int i) {
    for (int j = 0; j < i; ++j) S[i * d + j] = S[j * d + i];
  });
}

constexpr f64 logTwoPi = 1.8378770664093454836;

// Σ_{i<n} log |x[i·step]|. The numbers go through one logarithm together while their product stays far from over- and
// underflow.
template <class N, class Real> MVN_FN f64 logProduct(N n, const Real* x, int step) {
  constexpr f64 large = 0x1p400, small = 0x1p-400;  // two such factors are still in range
  f64 product = 1, sum = 0;
  for (int i = 0; i < n; ++i) {
    const f64 factor = abs(f64(x[i * step]));
    if (!(factor < large && factor > small)) {
      sum += log(factor);
      continue;
    }
    product *= factor;
    if (product > large || product < small) {
      sum += log(product);
      product = 1;
    }
  }
  return sum + log(product);
}

// ½ log|S| = Σ log |U_ii|
template <class Dim, class Real> MVN_FN f64 logDeterminant(Dim d, const Real* U) { return logProduct(d, U, d + 1); }

}  // namespace mvn
