// moments_reference.hpp: rows to test the moments with, and two passes over them in long double to compare with.
//
// Rows, weights and results lie in vectors of exactly their size, so that AddressSanitizer sees every read beyond them.
#pragma once

#include <random>

#include "block.hpp"
#include "check.hpp"
#include "mvn/moments.hpp"

namespace mvn {

// Relative to √(A_ii A_jj). With K the shift's distance from the mean in units of the spread, a chunk's products are
// 1 + K² times what is left after ȳᵀΣy is taken from them, and so are their rounding errors: here K reaches 4, in sums
// of 256 addends with u = 1.1e-16, and of 128 with u = 6e-8 (random errors: about √256·17·u).
constexpr double tolerance = 1e-13;
constexpr double singleTolerance = 2e-5;
// The worst that a shift can do: 1 + K² is then at most about the rows of a chunk.
constexpr double outlierTolerance = 1e-12;

struct Rows {
  i64 n;
  int d;
  std::vector<double> x;        // [n, d]
  std::vector<double> weights;  // [n], or empty: none
};

struct Result {
  double count = -1, weight = -1;
  std::vector<double> mean, scatter;
  StatisticsRef ref() { return {&count, &weight, mean.data(), scatter.data()}; }
  explicit Result(int d) : mean(d, -1), scatter(i64(d) * d, -1) {}
};

template <class Sum, class Row> inline Result momentsOf(const Rows& rows) {
  std::vector<Row> x(rows.x.begin(), rows.x.end());
  check::Block<char> scratch(momentsScratch<Sum, Row>(rows.d));
  Result result(rows.d);
  if (rows.weights.empty()) moments<Sum, false>(x.data(), nullptr, rows.n, rows.d, result.ref(), scratch.data());
  else moments<Sum, true>(x.data(), rows.weights.data(), rows.n, rows.d, result.ref(), scratch.data());
  return result;
}

// Two passes in long double, over the rows as the kernel sees them. The mean is found relative to a row, so that one
// row (or equal ones) has exactly itself as its mean, and once more relative to that, should the row be far off.
template <class Row> Result referenceOf(const Rows& rows) {
  using Long = long double;
  Result result(rows.d);
  std::vector<Long> mean(rows.d), scatter(i64(rows.d) * rows.d), y(rows.d), sum(rows.d), first(rows.d);
  Long count = 0, weight = 0;
  auto eachRow = [&](auto visit) {  // visit(weight, y): rows that count, relative to `mean`
    for (i64 r = 0; r < rows.n; ++r) {
      Long w = rows.weights.empty() ? 1.0 : rows.weights[r];
      if (w == 0) continue;
      for (int j = 0; j < rows.d; ++j) y[j] = Long(Row(rows.x[r * rows.d + j])) - mean[j];
      visit(w);
    }
  };
  eachRow([&](Long w) {
    if (count == 0) first = y;
    count += 1;
    weight += w;
  });
  mean = first;
  for (int refinement = 0; refinement < 2; ++refinement) {
    sum.assign(rows.d, 0);
    eachRow([&](Long w) { for (int j = 0; j < rows.d; ++j) sum[j] += w * y[j]; });
    for (int j = 0; j < rows.d; ++j) mean[j] += sum[j] / weight;
  }
  eachRow([&](Long w) {
    for (int i = 0; i < rows.d; ++i) {
      for (int j = 0; j < rows.d; ++j) scatter[i64(i) * rows.d + j] += w * y[i] * y[j];
    }
  });
  result.count = double(count);
  result.weight = double(weight);
  for (int j = 0; j < rows.d; ++j) result.mean[j] = double(mean[j]);
  for (i64 e = 0; e < i64(scatter.size()); ++e) result.scatter[e] = double(scatter[e]);
  return result;
}

// Mean: to `tolerance` of the spread, and to the rounding of the mean itself. Scatter: of √(A_ii A_jj).
inline void checkClose(const Result& actual, const Result& expected, double tolerance) {
  int d = int(expected.mean.size());
  CHECK(actual.count == expected.count);
  CHECK_CLOSE(actual.weight, expected.weight, 1e-15 * expected.weight * std::sqrt(expected.count));
  for (int i = 0; i < d; ++i) {
    double spread = std::sqrt(expected.scatter[i64(i) * d + i] / expected.weight);
    double allowed = tolerance * spread + 2 * roundingUnit<f64> * std::fabs(expected.mean[i]);
    CHECK_CLOSE(actual.mean[i], expected.mean[i], expected.count > 0 ? allowed : 0);
    for (int j = 0; j < d; ++j) {
      double scale = std::sqrt(expected.scatter[i64(i) * d + i]) * std::sqrt(expected.scatter[i64(j) * d + j]);
      CHECK_CLOSE(actual.scatter[i64(i) * d + j], expected.scatter[i64(i) * d + j], tolerance * scale);
      CHECK(actual.scatter[i64(i) * d + j] == actual.scatter[i64(j) * d + i] || std::isnan(scale));
    }
  }
}

inline bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

inline void checkSame(const Result& a, const Result& b) {
  CHECK(same(a.count, b.count));
  CHECK(same(a.weight, b.weight));
  for (size_t j = 0; j < a.mean.size(); ++j) CHECK(same(a.mean[j], b.mean[j]));
  for (size_t e = 0; e < a.scatter.size(); ++e) CHECK(same(a.scatter[e], b.scatter[e]));
}

// Correlated normal rows: every column shares a factor with the others.
inline Rows normalRows(i64 n, int d, unsigned seed = 1) {
  std::mt19937_64 random(seed * 7919 + unsigned(n) * 31 + unsigned(d));
  std::normal_distribution<double> normal;
  Rows rows{n, d, std::vector<double>(n * d), {}};
  for (i64 r = 0; r < n; ++r) {
    double common = normal(random);
    for (int j = 0; j < d; ++j) rows.x[r * d + j] = common + normal(random);
  }
  return rows;
}

// Weights of 0, 1 and 2 and between.
inline Rows weighted(Rows rows) {
  std::mt19937_64 random(5);
  for (i64 r = 0; r < rows.n; ++r) rows.weights.push_back(random() % 4 == 0 ? 0.0 : double(random() % 1000 + 1) / 500);
  return rows;
}

inline Rows slice(const Rows& rows, i64 first, i64 last) {
  Rows part{last - first, rows.d, {rows.x.begin() + first * rows.d, rows.x.begin() + last * rows.d}, {}};
  if (!rows.weights.empty()) part.weights.assign(rows.weights.begin() + first, rows.weights.begin() + last);
  return part;
}

}  // namespace mvn
