// rank.hpp: does the scatter have full rank, that is, has the likelihood a maximum?
//
// An exactly collinear column can pass a Cholesky by rounding, so the test asks whether the variance that a column has
// beside the others is more than the rounding of the rows and of the arithmetic can produce.
//
// The rank is not full where a column has no variance at all, or where a Cholesky of the correlation matrix R with complete
// pivoting meets a pivot of at most
//     τ = 32 d (2^-52 + ε² max_j(1 + x̄_j²/s_j²)).
// A pivot is the share of a column's variance that the columns before it leave unexplained. Rounding one stored value
// moves it by at most ε|x|, which is a share ε²x²/s² of the variance; the sums over the rows are good to some 2^-52.
// The factor leaves room above what was measured: an exact sum of two columns, d = 3 … 17, n = d+1 … 10⁵, means up to
// 1e8, leaves a pivot of at most 6.2 of these units. A column that is constant up to its last place as stored has
// s_j ≤ ε|x̄_j|: then τ > 1, and no pivot is.
#pragma once

#include "cholesky.hpp"
#include "standardise.hpp"

namespace mvn {

constexpr f64 rankSlack = 32;

template <class Team, class Dim>
MVN_FN bool hasConstantColumn(const Team& team, Dim d, const Statistics& group) {
  return team.sumOver(d, [&](int j) { return group.scatter[j * d + j] > 0 ? 0 : 1; }) != 0;
}

// `offset` is max_j x̄_j²/s_j².
MVN_FN f64 smallestPivotAllowed(int d, f64 offset, f64 epsilon) {
  return rankSlack * d * (2 * roundingUnit<f64> + epsilon * epsilon * (1 + offset));
}

template <class Dim>
MVN_FN f64 smallestPivotAllowed(Dim d, const Statistics& group, const f64* inverseScale, f64 epsilon) {
  f64 offset = 0;
  for (int j = 0; j < d; ++j) {
    const f64 ratio = group.mean[j] * inverseScale[j];
    offset = max(offset, ratio * ratio);
  }
  return smallestPivotAllowed(int(d), offset, epsilon);
}

// Exchanges columns (and rows) k and p > k of the symmetric A, and of the rows of U that are done; column k's variance
// moves to p. From its second phase on each lane touches its own columns alone.
template <class Team> MVN_FN void exchange(const Team& team, int d, int k, int p, f64* A, f64* U, f64* left) {
  team.each(d, [&](int i) {
    const f64 kept = A[i * d + k];
    A[i * d + k] = A[i * d + p];
    A[i * d + p] = kept;
    if (i < k) {
      const f64 above = U[i * d + k];
      U[i * d + k] = U[i * d + p];
      U[i * d + p] = above;
    }
  });
  team.sync();
  team.each(d, [&](int j) {
    const f64 kept = A[k * d + j];
    A[k * d + j] = A[p * d + j];
    A[p * d + j] = kept;
    if (j == p) left[p] = left[k];
  });
}

// Cholesky of A with complete pivoting: true if every pivot is above `threshold`. Uses up A; U and left [d] are scratch.
template <class Team>
MVN_CALL bool pivotsExceed(const Team& team, int d, f64 threshold, f64* A, f64* U, f64* left) {
  team.each(d, [&](int j) { left[j] = A[j * d + j]; });  // variance left in each column
  team.sync();
  for (int k = 0; k < d; ++k) {
    int p = k;
    for (int j = k + 1; j < d; ++j) p = left[j] > left[p] ? j : p;
    const f64 pivot = left[p];
    team.sync();
    if (!(pivot > threshold)) return false;
    if (p != k) exchange(team, d, k, p, A, U, left);
    f64* row = U + k * d;
    const f64 inverse = 1 / sqrt(pivot);
    strips(team, Dynamic{d}, [&](int begin, int end) {
      const int first = max(begin, k + 1);
      for (int j = first; j < end; ++j) row[j] = A[k * d + j];
      combineRows<-1>(row, U + k, d, U, d, k, first, end);
      for (int j = first; j < end; ++j) {
        row[j] *= inverse;
        left[j] -= row[j] * row[j];
      }
    });
    team.sync();
  }
  return true;
}

// R's rank; `factor` gets R's Cholesky factor where it is full. `spare`, `work` [d, d], `left` [d] are scratch.
// A plain Cholesky settles the common case: the determinant is the product of the pivots in any order, none of them is
// above 1, so the smallest of a pivoted factorisation is at least the determinant.
template <class Team, class Dim>
MVN_FN bool hasFullRank(const Team& team, Dim d, const f64* R, f64 threshold, f64* factor, f64* spare, f64* work,
                        f64* left) {
  if (!cholesky(team, d, R, factor)) return false;
  f64 determinant = 1;
  for (int i = 0; i < d; ++i) determinant *= factor[i * d + i] * factor[i * d + i];
  team.sync();
  if (determinant > threshold) return true;
  copy(team, d * d, work, R);
  return pivotsExceed(team, d, threshold, work, spare, left);
}

}  // namespace mvn
