// device_moments_test.cpp: the device's moments and merge, played on a CPU, against two passes in long double.
#include "device.hpp"

#include <algorithm>

#include "check.hpp"
#include "moments_reference.hpp"

using namespace mvn;
using namespace device;

namespace {

struct RowType {
  const char* name;
  i64 code;
  bool matrixUnits;
  Result (*reference)(const Rows&);
  f64 tolerance;
};
constexpr RowType rowTypes[] = {{"float64", 0, false, referenceOf<f64>, tolerance},
                                {"float32 rows", 1, false, referenceOf<f32>, tolerance},
                                {"float32 sums", 2, false, referenceOf<f32>, singleTolerance},
                                {"float64, matrix units", 0, true, referenceOf<f64>, tolerance},
                                {"float32 rows, matrix units", 1, true, referenceOf<f32>, tolerance}};

// Several items in one launch: slot i gets item i.
std::vector<Result> momentsOf(const RowType& type, const std::vector<Rows>& items) {
  const int d = items[0].d;
  const bool weighted = !items.back().weights.empty();
  std::vector<f64> x, weights;
  std::vector<i64> first, length, target;
  for (const Rows& item : items) {
    first.push_back(i64(x.size()) / d);
    length.push_back(item.n);
    target.push_back(i64(items.size()) - 1 - i64(target.size()));  // any slot may be the target
    x.insert(x.end(), item.x.begin(), item.x.end());
    weights.insert(weights.end(), item.weights.begin(), item.weights.end());
  }
  const AlignedRows rows(x, type.code != 0);
  const i64 slots = i64(items.size());
  std::vector<f64> count(slots, -1), weight(slots, -1), mean(slots * d, -1), scatter(slots * d * d, -1);
  MomentsArguments a{};
  a.rows = rows.data();
  a.weights = weighted ? weights.data() : nullptr;
  a.first = first.data();
  a.length = length.data();
  a.target = target.data();
  a.items = slots;
  a.dims = d;
  a.count = count.data();
  a.weight = weight.data();
  a.mean = mean.data();
  a.scatter = scatter.data();
  launchMoments(0, type.code, weighted, a, type.matrixUnits);
  std::vector<Result> results;
  for (const i64 slot : target) {
    Result result(d);
    result.count = count[slot];
    result.weight = weight[slot];
    std::copy_n(mean.begin() + slot * d, d, result.mean.begin());
    std::copy_n(scatter.begin() + slot * d * d, d * d, result.scatter.begin());
    results.push_back(result);
  }
  return results;
}

Result momentsOf(const RowType& type, const Rows& rows) { return momentsOf(type, std::vector<Rows>{rows})[0]; }

std::vector<i64> sizesFor(int d) {
  const i64 chunk = chunkRows(d);
  return {0, 1, 2, d + 1, 31, chunk, chunk + 1, 2 * chunk + 5};
}

#define DIMENSIONS FOR_EACH(d, {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 28, 29, 33, 50, 61, 65})
#define SOME_DIMENSIONS FOR_EACH(d, {1, 3, 4, 5, 8, 17, 33})
#define EACH_ROW_TYPE \
  for (const RowType& type : rowTypes) \
    if (check::Case of(type.name); of)
#define EACH_FLOAT64 EACH_ROW_TYPE if (type.code == 0)

}  // namespace

TEST("agrees with two passes in long double for every dimension and size") {
  DIMENSIONS {
    EACH_ROW_TYPE {
      std::vector<Rows> items, heavy;
      for (const i64 n : sizesFor(int(d))) {
        items.push_back(normalRows(n, int(d)));
        heavy.push_back(weighted(items.back()));
      }
      const std::vector<Result> found = momentsOf(type, items);
      for (size_t i = 0; i < items.size(); ++i) checkClose(found[i], type.reference(items[i]), type.tolerance);
      check::Case c("weighted");
      const std::vector<Result> weighed = momentsOf(type, heavy);
      for (size_t i = 0; i < items.size(); ++i) checkClose(weighed[i], type.reference(heavy[i]), type.tolerance);
    }
  }
}

TEST("wide rows, by blocks whose scratch is in global memory") {
  FOR_EACH(d, {128, 257}) {
    const Rows rows = normalRows(140, int(d));
    checkClose(momentsOf(rowTypes[0], rows), referenceOf<f64>(rows), tolerance);
  }
}

TEST("an item gives the same bits alone and among others") {
  SOME_DIMENSIONS {
    EACH_FLOAT64 {
      std::vector<Rows> items;
      for (int i = 0; i < 9; ++i) items.push_back(weighted(normalRows(100 * i + 7, int(d), unsigned(i))));
      const std::vector<Result> together = momentsOf(type, items);
      for (size_t i = 0; i < items.size(); ++i) checkSame(momentsOf(type, items[i]), together[i]);
    }
  }
}

TEST("keeps its digits at an offset of 1e8 and beside a light outlier") {
  SOME_DIMENSIONS {
    EACH_FLOAT64 {
      Rows rows = normalRows(3 * chunkRows(int(d)) + 5, int(d));
      for (double& x : rows.x) x += 1e8;
      checkClose(momentsOf(type, rows), referenceOf<f64>(rows), tolerance);
      Rows heavy = weighted(rows);
      for (int j = 0; j < d; ++j) heavy.x[j] = 1e14;
      heavy.weights[0] = 1e-20;
      checkClose(momentsOf(type, heavy), referenceOf<f64>(heavy), tolerance);
    }
  }
}

TEST("a row of weight 0 is as absent, whatever it holds") {
  SOME_DIMENSIONS {
    EACH_ROW_TYPE {
      const Rows rows = weighted(normalRows(2 * chunkRows(int(d)) + 5, int(d)));
      for (const double hole : {double(NAN), double(INFINITY)}) {
        Rows holed = rows;
        for (i64 r = 0; r < rows.n; ++r) {
          for (int j = 0; j < d; ++j) holed.x[r * d + j] = rows.weights[r] > 0 ? rows.x[r * d + j] : hole;
        }
        checkSame(momentsOf(type, rows), momentsOf(type, holed));
      }
      Rows absent = normalRows(300, int(d));
      absent.weights.assign(300, 0.0);
      const Result none = momentsOf(type, absent);
      CHECK(none.count == 0 && none.weight == 0 && std::isnan(none.mean[0]));
      for (const double a : none.scatter) CHECK(a == 0);
    }
  }
}

TEST("a column of equal values has scatter exactly 0; NaN and infinity spoil their own column and no other") {
  SOME_DIMENSIONS {
    EACH_ROW_TYPE {
      for (const bool heavy : {false, true}) {
        Rows rows = normalRows(2 * chunkRows(int(d)) + 5, int(d));
        const int column = int(d) / 2;
        for (i64 r = 0; r < rows.n; ++r) rows.x[r * d + column] = double(0.1f);
        if (heavy) rows = weighted(rows);
        Result clean = momentsOf(type, rows);
        CHECK(clean.mean[column] == double(0.1f));
        for (int j = 0; j < d; ++j) CHECK(clean.scatter[i64(column) * d + j] == 0);
        for (i64 at : {i64(0), i64(1), rows.n - 1}) {
          if (heavy) rows.weights[at] = 0.5;
          clean = momentsOf(type, rows);
          Rows spoilt = rows;
          spoilt.x[at * d + column] = at == 0 ? INFINITY : NAN;
          clean.mean[column] = NAN;
          for (int j = 0; j < d; ++j) clean.scatter[i64(column) * d + j] = clean.scatter[i64(j) * d + column] = NAN;
          checkSame(momentsOf(type, spoilt), clean);
        }
      }
    }
  }
}

TEST("weights of any size give the same mean, in float32 too") {
  SOME_DIMENSIONS {
    EACH_ROW_TYPE {
      for (const double unit : {1e-60, 1e60}) {
        Rows rows = weighted(normalRows(chunkRows(int(d)) + 7, int(d)));
        for (double& w : rows.weights) w *= unit;
        checkClose(momentsOf(type, rows), type.reference(rows), type.tolerance);
      }
    }
  }
}

TEST("parts merged in order are the whole, at an offset of 1e8 too") {
  FOR_EACH(d, {1, 3, 8, 33, 40}) {
    for (const auto& [offset, matrixUnits] : {std::pair{0.0, false}, {1e8, false}, {1e8, true}}) {
      const i64 chunk = chunkRows(int(d));
      Rows rows = weighted(normalRows(5 * chunk + 3, int(d)));
      for (double& x : rows.x) x += offset;
      const std::vector<i64> first = {0, 0, chunk, 3 * chunk, 3 * chunk};
      const std::vector<i64> last = {0, chunk, 3 * chunk, 3 * chunk, rows.n};
      const i64 parts = i64(first.size());
      std::vector<i64> length, target;  // slot 0 is the group's
      for (i64 p = 0; p < parts; ++p) {
        length.push_back(last[p] - first[p]);
        target.push_back(p + 1);
      }
      std::vector<f64> count(parts + 1), weight(parts + 1), mean((parts + 1) * d), scatter((parts + 1) * d * d),
          rest(parts * d);
      const auto slots = [&](auto a) {
        a.dims = d;
        a.count = count.data();
        a.weight = weight.data();
        a.mean = mean.data();
        a.scatter = scatter.data();
        a.meanRest = rest.data();
        a.firstPart = 1;
        return a;
      };
      MomentsArguments items = slots(MomentsArguments{});
      items.rows = rows.x.data();
      items.weights = rows.weights.data();
      items.first = first.data();
      items.length = length.data();
      items.target = target.data();
      items.items = parts;
      launchMoments(0, 0, 1, items, matrixUnits);
      const i64 from = 1;
      for (const i64 to : {i64(1), i64(0)}) {  // in place, and what is left of that as a group of one part
        const i64 many = to == 1 ? parts : 1;
        MergeArguments merge = slots(MergeArguments{});
        merge.first = &from;
        merge.parts = &many;
        merge.target = &to;
        merge.merges = 1;
        launchMoments(1, 0, 0, merge);
        Result merged{int(d)};
        merged.count = count[to];
        merged.weight = weight[to];
        std::copy_n(mean.begin() + to * d, d, merged.mean.begin());
        std::copy_n(scatter.begin() + to * d * d, d * d, merged.scatter.begin());
        checkClose(merged, referenceOf<f64>(rows), tolerance);
      }
    }
  }
}
