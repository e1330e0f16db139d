// rank_test.cpp: collinear and constant columns are found whatever the rounding, ill-conditioned ones are let be.
#include "groups.hpp"

#include "check.hpp"
#include "mvn/moments.hpp"

using namespace groups;

namespace {

// The statistics as the moments kernel computes them.
Group momentsOf(int d, const Numbers& rows) {
  const int n = int(rows.size()) / d;
  Group group{d, 0, 0, Numbers(d), Numbers(d * d)};
  std::vector<f64> block(momentsScratch<f64, f64>(d) / 8 + 2);
  const StatisticsRef out{&group.count, &group.weight, group.mean.data(), group.scatter.data()};
  moments<f64, false>(rows.data(), nullptr, n, d, out, reinterpret_cast<char*>(block.data()));
  return group;
}

f64 asStored(f64 x, bool single) { return single ? f64(f32(x)) : x; }

// d columns around `offset`, the last of them the sum of two others.
Numbers collinearRows(int d, int n, f64 offset, bool single, std::uint64_t seed) {
  Random random(seed);
  Numbers rows(n * d);
  for (int a = 0; a < n; ++a) {
    f64* row = rows.data() + a * d;
    for (int j = 0; j < d; ++j) row[j] = asStored(offset + (1 + j) * random.normal(), single);
    row[d - 1] = asStored(row[0] + row[1], single);
  }
  return rows;
}

}  // namespace

TEST("c = a + b is found at any offset and number of rows") {
  FOR_EACH(d, {3, 4, 8, 17}) {
    for (const f64 offset : {0.0, 1e4, 1e8}) {
      check::Case around("offset " + std::to_string(offset));
      for (const int n : {int(d) + 1, 50, 1000, 100000}) {
        if (n * d > 500000) continue;
        check::Case rows("n = " + std::to_string(n));
        for (int seed = 0; seed < (n > 1000 ? 2 : 20); ++seed) {
          const Group group = momentsOf(int(d), collinearRows(int(d), n, offset, false, seed));
          CHECK(fit(group, Call{}).status == Status::singular);
        }
      }
    }
    for (const f64 offset : {0.0, 10.0, 1e3}) {
      for (int seed = 0; seed < 20; ++seed) {
        const Group group = momentsOf(int(d), collinearRows(int(d), 200, offset, true, seed));
        CHECK(fit(group, Call{.epsilon = 0x1p-24}).status == Status::singular);
      }
    }
  }
}

TEST("the same without the collinear column has full rank") {
  FOR_EACH(d, {3, 4, 8}) {
    for (const f64 offset : {0.0, 1e4, 1e8}) {
      for (int seed = 0; seed < 20; ++seed) {
        Numbers rows = collinearRows(int(d), 200, offset, false, seed);
        Random random(seed + 1000);
        for (int a = 0; a < 200; ++a) rows[a * d + d - 1] += 1e-2 * random.normal();
        CHECK(fit(momentsOf(int(d), rows), Call{}).status == Status::converged);
      }
    }
  }
}

TEST("a column times a number, a permuted copy, and units of 1e±12") {
  FOR_EACH(d, {2, 3, 8}) {
    for (const f64 factor : {3.0, 2.54, 1e-12, 1e12, -1.0}) {
      Random random(d);
      Numbers rows = random.normals(int(40 * d));
      for (int a = 0; a < 40; ++a) rows[a * d + d - 1] = factor * rows[a * d];
      CHECK(fit(momentsOf(int(d), rows), Call{}).status == Status::singular);
    }
  }
}

TEST("constant columns: exactly, and up to the last place as stored") {
  FOR_EACH(d, {1, 2, 3, 8}) {
    for (const f64 value : {0.0, 0.1, 1e8, -1e-300}) {
      Random random(d);
      Numbers rows = random.normals(int(30 * d)), toggled = rows;
      for (int a = 0; a < 30; ++a) {
        rows[a * d] = value;
        toggled[a * d] = a % 2 ? value : std::nextafter(value, INFINITY);
      }
      CHECK(fit(momentsOf(int(d), rows), Call{}).status == Status::singular);
      if (std::fabs(value) >= 0.1) CHECK(fit(momentsOf(int(d), toggled), Call{}).status == Status::singular);
    }
  }
}

TEST("ill-conditioned is not singular") {
  FOR_EACH(d, {2, 3, 4, 8, 16, 33, 64}) {
    for (int seed = 0; seed < 5; ++seed) {
      CHECK(fit(groupOf(int(d), 1e10, seed), Call{}).status == Status::converged);
      // A covariance of condition 1e11 through the scales of its columns.
      Group group = groupOf(int(d), 1e6, seed);
      for (int i = 0; i < d; ++i) {
        for (int j = 0; j < d; ++j) group.scatter[i * d + j] *= std::pow(10, (i % 5 + j % 5) / 2.0 - 2);
      }
      CHECK(fit(group, Call{}).status == Status::converged);
    }
  }
}

TEST("fewer directions than columns: n = d + 1 rows in general position are enough, in a plane they are not") {
  FOR_EACH(d, {2, 3, 5, 9}) {
    Random random(d);
    const int n = int(d) + 1;
    Numbers rows = random.normals(int(n * d));
    CHECK(fit(momentsOf(int(d), rows), Call{}).status == Status::converged);
    for (int j = 0; j < d; ++j) rows[j] = rows[d + j];  // two equal rows
    CHECK(fit(momentsOf(int(d), rows), Call{}).status == Status::singular);
  }
}

TEST("pivots with complete pivoting, from a matrix whose plain pivots hide its rank") {
  // Kahan's matrix: no plain pivot is below 0.1, the smallest singular value is 3e-8.
  const int d = 40;
  const f64 s = std::sin(1.3), c = std::cos(1.3);
  Numbers U(d * d, 0.0), A(d * d, 0.0), spare(d * d), left(d);
  for (int i = 0; i < d; ++i) {
    for (int j = i; j < d; ++j) U[i * d + j] = std::pow(s, i) * (i == j ? 1 : -c);
  }
  for (int i = 0; i < d; ++i) {
    for (int j = 0; j < d; ++j) {
      for (int k = 0; k < d; ++k) A[i * d + j] += U[k * d + i] * U[k * d + j];
    }
  }
  Numbers copyOfA = A;
  CHECK(pivotsExceed(SerialTeam{}, d, 1e-14, copyOfA.data(), spare.data(), left.data()));
  for (int j = 0; j < d; ++j) A[j * d + 3] = A[j * d + 7];  // column 3 becomes column 7
  for (int j = 0; j < d; ++j) A[3 * d + j] = A[7 * d + j];
  CHECK(!pivotsExceed(SerialTeam{}, d, 1e-14, A.data(), spare.data(), left.data()));
}
