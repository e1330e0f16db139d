// triangular.hpp: L⁻¹X and L⁻ᵀX for a factor kept as U = Lᵀ (cholesky.hpp), X d×columns, row-major, in place.
//
// Nothing is inverted. The columns of X are independent of each other: the lanes share them without a barrier.
#pragma once

#include "cholesky.hpp"

namespace mvn {

// Reciprocals of the diagonal: one division a pivot instead of one an entry.
template <class Team, class Dim, class Real>
MVN_FN void invertDiagonal(const Team& team, Dim d, const Real* U, Real* inverse) {
  team.each(d, [&](int i) { inverse[i] = Real(1) / U[i * d + i]; });
  team.sync();
}

// X ← L⁻¹X: X_i ← (X_i − Σ_{k<i} L_ik X_k) / L_ii, downwards.
template <class Team, class Dim, class Columns, class Real>
MVN_CALL void solveLower(const Team& team, Dim d, const Real* U, const Real* inverse, Columns columns, Real* X) {
  strips(team, columns, [&](auto begin, auto end) {
    for (int i = 0; i < d; ++i) {
      Real* row = X + i * columns;
      subtractRows(row, U + i, d, X, columns, i, begin, end);
      for (int j = begin; j < end; ++j) row[j] = row[j] * inverse[i];
    }
  });
  team.sync();
}

// The upper triangle of L⁻¹X alone, for an X whose L⁻¹X is symmetric.
template <class Team, class Dim, class Real>
MVN_CALL void solveLowerSymmetric(const Team& team, Dim d, const Real* U, const Real* inverse, Real* X) {
  strips(team, d, [&](auto begin, auto end) {
    for (int i = 0; i < d; ++i) {
      Real* row = X + i * d;
      const auto first = fromDiagonal(begin, i);
      subtractRows(row, U + i, d, X, d, i, first, end);
      for (int j = first; j < end; ++j) row[j] = row[j] * inverse[i];
    }
  });
  team.sync();
}

// X ← L⁻ᵀX: X_i ← (X_i − Σ_{k>i} L_ki X_k) / L_ii, upwards.
template <class Team, class Dim, class Columns, class Real>
MVN_CALL void solveUpper(const Team& team, Dim d, const Real* U, const Real* inverse, Columns columns, Real* X) {
  strips(team, columns, [&](auto begin, auto end) {
    for (int i = d - 1; i >= 0; --i) {
      Real* row = X + i * columns;
      subtractRows(row, U + i * d + i + 1, 1, X + (i + 1) * columns, columns, d - i - 1, begin, end);
      for (int j = begin; j < end; ++j) row[j] = row[j] * inverse[i];
    }
  });
  team.sync();
}

// The lower triangle of L⁻ᵀX alone.
template <class Team, class Dim, class Real>
MVN_CALL void solveUpperLowerPart(const Team& team, Dim d, const Real* U, const Real* inverse, Real* X) {
  strips(team, d, [&](auto begin, auto end) {
    for (int i = d - 1; i >= 0; --i) {
      Real* row = X + i * d;
      const auto last = upToDiagonal(end, i);
      subtractRows(row, U + i * d + i + 1, 1, X + (i + 1) * d, d, d - i - 1, begin, last);
      for (int j = begin; j < last; ++j) row[j] = row[j] * inverse[i];
    }
  });
  team.sync();
}

template <class Team, class Dim, class Real> MVN_FN void transpose(const Team& team, Dim d, const Real* X, Real* to) {
  team.each(d, [&](int i) {
    for (int j = 0; j < d; ++j) to[i * d + j] = X[j * d + i];
  });
  team.sync();
}

}  // namespace mvn
