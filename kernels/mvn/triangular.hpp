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

// X ← L⁻¹X: X_i ← (X_i − Σ_{k<i} L_ik X_k) / L_ii, downwards. `part(begin, i)` is the first column wanted of row i.
template <class Team, class Dim, class Columns, class Real, class Part>
MVN_FN void forward(const Team& team, Dim d, const Real* U, const Real* inverse, Columns columns, Real* X, Part part) {
  constexpr int block = blockRows<Team, Dim>;
  strips(team, columns, [&](auto begin, auto end) {
    for (int top = 0; top < d; top += block) {
      const int rows = min(block, d - top);
      const auto first = part(begin, top);
      combineBlock<-1>(rows, X + top * columns, columns, U + top, d, 1, X, columns, top, first, end);
      for (int i = top; i < top + rows; ++i) {
        Real* row = X + i * columns;
        if constexpr (block > 1) {
          combineRows<-1>(row, U + top * d + i, d, X + top * columns, columns, i - top, first, end);
        }
        for (int j = first; j < end; ++j) row[j] = row[j] * inverse[i];
      }
    }
  });
  team.sync();
}

// X ← L⁻ᵀX: X_i ← (X_i − Σ_{k>i} L_ki X_k) / L_ii, upwards. `part(end, i)` is the end of the columns wanted of row i.
template <class Team, class Dim, class Columns, class Real, class Part>
MVN_FN void backward(const Team& team, Dim d, const Real* U, const Real* inverse, Columns columns, Real* X,
                     Part part) {
  constexpr int block = blockRows<Team, Dim>;
  strips(team, columns, [&](auto begin, auto end) {
    for (int below = d; below > 0; below -= min(block, below)) {
      const int rows = min(block, below), top = below - rows;
      const auto last = part(end, below - 1);
      combineBlock<-1>(rows, X + top * columns, columns, U + top * d + below, 1, d, X + below * columns, columns,
                       d - below, begin, last);
      for (int i = below - 1; i >= top; --i) {
        Real* row = X + i * columns;
        if constexpr (block > 1) {
          combineRows<-1>(row, U + i * d + i + 1, 1, X + (i + 1) * columns, columns, below - 1 - i, begin, last);
        }
        for (int j = begin; j < last; ++j) row[j] = row[j] * inverse[i];
      }
    }
  });
  team.sync();
}

template <class Team, class Dim, class Columns, class Real>
MVN_CALL void solveLower(const Team& team, Dim d, const Real* U, const Real* inverse, Columns columns, Real* X) {
  forward(team, d, U, inverse, columns, X, [](auto begin, int) { return begin; });
}

// The upper triangle of L⁻¹X alone, for an X whose L⁻¹X is symmetric.
template <class Team, class Dim, class Real>
MVN_CALL void solveLowerSymmetric(const Team& team, Dim d, const Real* U, const Real* inverse, Real* X) {
  forward(team, d, U, inverse, d, X, [](auto begin, int i) { return fromDiagonal(begin, i); });
}

template <class Team, class Dim, class Columns, class Real>
MVN_CALL void solveUpper(const Team& team, Dim d, const Real* U, const Real* inverse, Columns columns, Real* X) {
  backward(team, d, U, inverse, columns, X, [](auto end, int) { return end; });
}

// The lower triangle of L⁻ᵀX alone.
template <class Team, class Dim, class Real>
MVN_CALL void solveUpperLowerPart(const Team& team, Dim d, const Real* U, const Real* inverse, Real* X) {
  backward(team, d, U, inverse, d, X, [](auto end, int i) { return upToDiagonal(end, i); });
}

template <class Team, class Dim, class Real> MVN_FN void transpose(const Team& team, Dim d, const Real* X, Real* to) {
  team.each(d, [&](int i) {
    for (int j = 0; j < d; ++j) to[i * d + j] = X[j * d + i];
  });
  team.sync();
}

}  // namespace mvn
