// moments_test.cpp: the moments and their merge, against two passes over the rows in long double.
#include "moments_reference.hpp"

using namespace mvn;

namespace {

std::vector<long long> sizesFor(int d) {
  int chunk = chunkRows(d);
  return {0, 1, 2, d, d + 1, 31, 32, 33, 39, 47, 50, chunk - 1, chunk, chunk + 1, 3 * chunk + 5};
}

// Runs f on every arithmetic: f(momentsOf, referenceOf, tolerance).
template <class F> void inEachArithmetic(F f) {
  { check::Case c("float64"); f(momentsOf<f64, f64>, referenceOf<f64>, tolerance); }
  { check::Case c("float32 rows"); f(momentsOf<f64, f32>, referenceOf<f32>, tolerance); }
  { check::Case c("float32 sums"); f(momentsOf<f32, f32>, referenceOf<f32>, singleTolerance); }
}

#define EACH_DIMENSION FOR_EACH(d, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 31, 32, 33, 64, 65})
#define SOME_DIMENSIONS FOR_EACH(d, {1, 2, 3, 4, 5, 7, 8, 9, 16, 33})

}  // namespace

TEST("agrees with two passes in long double for every dimension and size") {
  EACH_DIMENSION {
    for (long long n : sizesFor(d)) {
      check::Case c("n = " + std::to_string(n));
      Rows rows = normalRows(n, d), heavy = weighted(rows);
      inEachArithmetic([&](auto compute, auto reference, double tolerance) {
        checkClose(compute(rows), reference(rows), tolerance);
        check::Case c("weighted");
        checkClose(compute(heavy), reference(heavy), tolerance);
      });
    }
  }
}

TEST("a group without rows has count 0, mean NaN and scatter 0") {
  SOME_DIMENSIONS {
    Rows none = normalRows(0, d), absent = normalRows(5, d);
    absent.weights.assign(5, 0.0);
    inEachArithmetic([&](auto compute, auto, double) {
      for (const Result& result : {compute(none), compute(absent)}) {
        CHECK(result.count == 0 && result.weight == 0);
        for (double m : result.mean) CHECK(std::isnan(m));
        for (double a : result.scatter) CHECK(a == 0);
      }
    });
  }
}

TEST("keeps its digits at an offset of 1e8") {
  SOME_DIMENSIONS {
    Rows rows = normalRows(3 * chunkRows(d) + 5, d);
    for (double& x : rows.x) x += 1e8;
    checkClose(momentsOf<f64, f64>(rows), referenceOf<f64>(rows), tolerance);
    Rows heavy = weighted(rows);
    checkClose(momentsOf<f64, f64>(heavy), referenceOf<f64>(heavy), tolerance);
  }
}

TEST("keeps its digits where the first row is far from the others") {
  SOME_DIMENSIONS {
    Rows rows = normalRows(3 * chunkRows(d) + 5, d);
    for (int j = 0; j < d; ++j) rows.x[j] = 1e6;
    checkClose(momentsOf<f64, f64>(rows), referenceOf<f64>(rows), outlierTolerance);
    // Of hardly any weight: it must not be the shift.
    Rows heavy = weighted(rows);
    heavy.weights[0] = 1e-20;
    checkClose(momentsOf<f64, f64>(heavy), referenceOf<f64>(heavy), tolerance);
  }
}

TEST("columns of scales from 1e-12 to 1e12 do not disturb each other") {
  SOME_DIMENSIONS {
    Rows rows = normalRows(chunkRows(d) + 7, d);
    for (i64 r = 0; r < rows.n; ++r) {
      for (int j = 0; j < d; ++j) rows.x[r * d + j] *= std::pow(10.0, j % 25 - 12);
    }
    inEachArithmetic([&](auto compute, auto reference, double tolerance) {
      checkClose(compute(rows), reference(rows), tolerance);
    });
  }
}

TEST("a weight of 2 is the row twice") {
  SOME_DIMENSIONS {
    Rows rows = normalRows(chunkRows(d) - 3, d), twice = rows;
    rows.weights.assign(rows.n, 2.0);
    twice.x.insert(twice.x.end(), rows.x.begin(), rows.x.end());
    twice.n *= 2;
    inEachArithmetic([&](auto compute, auto, double tolerance) {
      Result doubled = compute(rows), listed = compute(twice);
      listed.count /= 2;
      checkClose(doubled, listed, tolerance);
    });
  }
}

TEST("weights of any size give the same mean, in float32 too") {
  SOME_DIMENSIONS {
    for (double unit : {1e-60, 1e60}) {
      Rows rows = weighted(normalRows(chunkRows(d) + 7, d));
      for (double& w : rows.weights) w *= unit;
      inEachArithmetic([&](auto compute, auto reference, double tolerance) {
        checkClose(compute(rows), reference(rows), tolerance);
      });
    }
  }
}

TEST("a row of weight 0 is as absent, even where it holds NaN") {
  SOME_DIMENSIONS {
    for (double hole : {double(NAN), double(INFINITY), 1e300}) {
      Rows rows = weighted(normalRows(2 * chunkRows(d) + 5, d)), holed = rows;
      for (i64 r = 0; r < rows.n; ++r) {
        if (rows.weights[r] > 0) continue;
        for (int j = 0; j < d; ++j) holed.x[r * d + j] = hole;
      }
      inEachArithmetic([&](auto compute, auto, double) { checkSame(compute(rows), compute(holed)); });
    }
  }
}

TEST("a column of equal values has scatter exactly 0") {
  SOME_DIMENSIONS {
    for (int column = 0; column < d; ++column) {
      Rows rows = normalRows(3 * chunkRows(d) + 5, d);
      for (i64 r = 0; r < rows.n; ++r) rows.x[r * d + column] = double(0.1f);
      inEachArithmetic([&](auto compute, auto, double) {
        for (const Result& result : {compute(rows), compute(weighted(rows))}) {
          CHECK(result.mean[column] == double(0.1f));
          for (int j = 0; j < d; ++j) CHECK(result.scatter[i64(column) * d + j] == 0);
        }
      });
    }
  }
}

TEST("a NaN or an infinity spoils its own column and no other") {
  SOME_DIMENSIONS {
    int chunk = chunkRows(d);
    for (double bad : {double(NAN), double(INFINITY), -double(INFINITY)}) {
      for (i64 at : {i64(0), i64(1), i64(chunk - 1), i64(chunk), i64(2 * chunk + 4)}) {
        for (int column = 0; column < d; column += 1 + d / 9) {
          Rows clean = normalRows(2 * chunk + 5, d), rows = clean;
          rows.x[at * d + column] = bad;
          inEachArithmetic([&](auto compute, auto, double) {
            for (bool heavy : {false, true}) {
              if (heavy) rows.weights.assign(rows.n, 0.5), clean.weights = rows.weights;
              else rows.weights.clear(), clean.weights.clear();
              Result spoilt = compute(rows), expected = compute(clean);
              expected.mean[column] = NAN;
              for (int j = 0; j < d; ++j) {
                expected.scatter[i64(column) * d + j] = expected.scatter[i64(j) * d + column] = NAN;
              }
              checkSame(spoilt, expected);
            }
          });
        }
      }
    }
  }
}

TEST("where squares overflow the mean is still right") {
  SOME_DIMENSIONS {
    Rows rows = normalRows(chunkRows(d) + 5, d);
    for (double& x : rows.x) x *= 1e200;
    Result result = momentsOf<f64, f64>(rows), expected = referenceOf<f64>(rows);
    for (int j = 0; j < d; ++j) {
      CHECK_CLOSE(result.mean[j], expected.mean[j], 1e-13 * 1e200);
      CHECK(!std::isfinite(result.scatter[i64(j) * d + j]));
    }
  }
}

TEST("parts merged in order are the whole") {
  SOME_DIMENSIONS {
    int chunk = chunkRows(d);
    for (bool heavy : {false, true}) {
      Rows rows = normalRows(5 * chunk + 3, d);
      if (heavy) rows = weighted(rows);
      std::vector<i64> cuts = {0, 0, chunk, 3 * chunk, 3 * chunk, rows.n};  // two parts without rows among them
      int parts = int(cuts.size()) - 1;
      std::vector<double> count, weight, mean, scatter;
      for (int p = 0; p < parts; ++p) {
        Result part = momentsOf<f64, f64>(slice(rows, cuts[p], cuts[p + 1]));
        count.push_back(part.count);
        weight.push_back(part.weight);
        mean.insert(mean.end(), part.mean.begin(), part.mean.end());
        scatter.insert(scatter.end(), part.scatter.begin(), part.scatter.end());
      }
      mergeParts(parts, d, {count.data(), weight.data(), mean.data(), scatter.data()});
      Result merged(d);
      merged.count = count[0];
      merged.weight = weight[0];
      merged.mean.assign(mean.begin(), mean.begin() + d);
      merged.scatter.assign(scatter.begin(), scatter.begin() + i64(d) * d);
      checkClose(merged, momentsOf<f64, f64>(rows), tolerance);
    }
  }
}

TEST("a merge keeps NaN to its column and zeros exact") {
  constexpr int d = 3, parts = 2;
  double count[parts] = {4, 6}, weight[parts] = {4, 6};
  double mean[parts * d] = {1, 5, NAN, 2, 5, 3};
  double scatter[parts * d * d] = {3, 0, NAN, 0, 0, NAN, NAN, NAN, NAN, 4, 0, 1, 0, 0, 0, 1, 0, 2};
  mergeParts(parts, d, {count, weight, mean, scatter});
  CHECK(count[0] == 10 && weight[0] == 10);
  CHECK_CLOSE(mean[0], 1.6, 1e-15);
  CHECK(mean[1] == 5 && std::isnan(mean[2]));
  CHECK_CLOSE(scatter[0], 3 + 4 + 2.4, 1e-14);
  CHECK(scatter[1] == 0 && scatter[3] == 0 && scatter[4] == 0);
  for (int e : {2, 5, 6, 7, 8}) CHECK(std::isnan(scatter[e]));
}

TEST("a group gives the same bits alone, among others, and after them in the same scratch") {
  SOME_DIMENSIONS {
    Rows all = weighted(normalRows(900, d));
    for (bool heavy : {false, true}) {
      const i64 first = 301, rows = 555;
      Rows own = slice(all, first, first + rows);
      if (!heavy) own.weights.clear();
      Result alone = momentsOf<f64, f64>(own);
      check::Block<char> scratch(momentsScratch<f64, f64>(d));
      Result before(d), among(d);
      auto group = [&](i64 at, i64 n, Result& out) {
        const double *x = all.x.data() + at * d, *w = all.weights.data() + at;
        if (heavy) moments<f64, true>(x, w, n, d, out.ref(), scratch.data());
        else moments<f64, false>(x, nullptr, n, d, out.ref(), scratch.data());
      };
      group(0, first, before);
      group(first, rows, among);
      checkSame(alone, among);
    }
  }
}
