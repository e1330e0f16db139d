// accumulate_test.cpp: rows in no order are taken in, against two passes over each group's rows in long double.
#include <algorithm>

#include "cpu/accumulate.cpp"
#include "moments_reference.hpp"

namespace {

// Rows of all groups as a file has them.
struct Table {
  Rows rows;
  std::vector<unsigned> codes;
  i64 groups;
};

// Group g has about as many rows as its number says; in each block of them groups come in any order.
Table tableOf(i64 n, int d, i64 groups, bool heavy) {
  Table table{heavy ? weighted(normalRows(n, d)) : normalRows(n, d), {}, groups};
  std::mt19937_64 random(7);
  for (i64 r = 0; r < n; ++r) table.codes.push_back(unsigned(std::max(random() % groups, random() % groups)));
  return table;
}

Rows rowsOf(const Table& table, i64 group) {
  const Rows& all = table.rows;
  Rows own{0, all.d, {}, {}};
  for (i64 r = 0; r < all.n; ++r) {
    if (table.codes[r] != group) continue;
    ++own.n;
    own.x.insert(own.x.end(), all.x.begin() + r * all.d, all.x.begin() + (r + 1) * all.d);
    if (!all.weights.empty()) own.weights.push_back(all.weights[r]);
  }
  return own;
}

// Takes the rows in, block by block, in memory of exactly the size that it needs.
std::vector<Result> accumulatedOf(const Table& table, i64 block, i64 lane_bits = 1, i64 page_bits = 2) {
  const Rows& rows = table.rows;
  const i64 d = rows.d, lanes = i64(1) << lane_bits, in_page = i64(1) << page_bits;
  const bool heavy = !rows.weights.empty();
  const i64 page_words = group_bytes(i32(d), heavy) / i64(sizeof(f64)) * in_page;
  std::vector<check::Block<f64>> memory;
  std::vector<f64*> pages;
  for (i64 g = 0; g < table.groups; g += in_page) memory.emplace_back(page_words);
  for (auto& page : memory) {
    std::fill_n(page.data(), page_words, 0.0);
    pages.push_back(page.data());
  }
  const i64 lane_groups = (table.groups + lanes - 1) / lanes;
  std::vector<u8> waiting(lanes * lane_groups, 0);
  const Accumulation all{d, heavy, page_bits, lane_bits, lane_groups, pages.data(), waiting.data()};
  check::Block<char> scratch(accumulate_scratch(i32(d)));
  for (i64 first = 0; first < rows.n; first += block) {
    const i64 count = std::min(block, rows.n - first);
    const std::vector<f64> x(rows.x.begin() + first * d, rows.x.begin() + (first + count) * d);
    const std::vector<unsigned> codes(table.codes.begin() + first, table.codes.begin() + first + count);
    std::vector<f64> weights;
    if (heavy) weights.assign(rows.weights.begin() + first, rows.weights.begin() + first + count);
    for (i64 lane = 0; lane < lanes; ++lane) {
      accumulate(&all, i32(lane), x.data(), heavy ? weights.data() : nullptr, codes.data(), i32(count),
                 scratch.data());
    }
  }
  const i64 groups = table.groups;
  std::vector<f64> count(groups, -1), weight(groups, -1), mean(groups * d, -1), scatter(groups * d * d, -1);
  for (i64 lane = 0; lane < lanes; ++lane) {
    accumulated(&all, i32(lane), i32(groups), count.data(), weight.data(), mean.data(), scatter.data(),
                scratch.data());
  }
  std::vector<Result> results;
  for (i64 g = 0; g < groups; ++g) {
    Result result{int(d)};
    result.count = count[g];
    result.weight = weight[g];
    result.mean.assign(mean.begin() + g * d, mean.begin() + (g + 1) * d);
    result.scatter.assign(scatter.begin() + g * d * d, scatter.begin() + (g + 1) * d * d);
    results.push_back(result);
  }
  return results;
}

void checkEach(const Table& table, double tolerance) {
  const std::vector<Result> results = accumulatedOf(table, 97);
  for (i64 g = 0; g < table.groups; ++g) {
    check::Case c("group " + std::to_string(g));
    const Rows own = rowsOf(table, g);
    const bool empty = referenceOf<f64>(own).count == 0;
    checkClose(results[g], empty ? momentsOf<f64, f64>(own) : referenceOf<f64>(own), tolerance);
  }
}

}  // namespace

TEST("agrees with two passes in long double for every dimension") {
  FOR_EACH(d, {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 33, 64, 65, 70}) {
    for (bool heavy : {false, true}) checkEach(tableOf(1500, d, 11, heavy), tolerance);
  }
}

TEST("keeps its digits at an offset of 1e8, and where the first row is far from the others") {
  FOR_EACH(d, {1, 3, 8, 9}) {
    for (bool heavy : {false, true}) {
      Table table = tableOf(3000, d, 5, heavy);
      for (double& x : table.rows.x) x += 1e8;
      checkEach(table, tolerance);
      // Of hardly any weight: nothing may be relative to it.
      if (!heavy) continue;
      table.codes[0] = 4;
      table.rows.weights[0] = 1e-20;
      for (int j = 0; j < d; ++j) table.rows.x[j] = 0;
      checkEach(table, tolerance);
    }
  }
}

TEST("gives the same bits however rows are cut into blocks, groups into pages, and for one lane and two") {
  FOR_EACH(d, {1, 3, 8, 9, 20}) {
    for (bool heavy : {false, true}) {
      const Table table = tableOf(2000, d, 13, heavy);
      const std::vector<Result> once = accumulatedOf(table, 2000, 0, 4);
      const std::vector<Result> others[] = {accumulatedOf(table, 1), accumulatedOf(table, 600, 1, 0),
                                            accumulatedOf(table, 513, 0, 1)};
      for (const auto& other : others) {
        for (i64 g = 0; g < table.groups; ++g) checkSame(other[g], once[g]);
      }
    }
  }
}

TEST("a group that is complete before the others come has the bits that it has among them") {
  Table mixed = tableOf(900, 8, 3, true);
  Table sorted{{mixed.rows.n, mixed.rows.d, {}, {}}, {}, mixed.groups};
  for (i64 g : {2, 0, 1}) {
    const Rows own = rowsOf(mixed, g);
    sorted.rows.x.insert(sorted.rows.x.end(), own.x.begin(), own.x.end());
    sorted.rows.weights.insert(sorted.rows.weights.end(), own.weights.begin(), own.weights.end());
    sorted.codes.insert(sorted.codes.end(), own.n, unsigned(g));
  }
  const std::vector<Result> one = accumulatedOf(mixed, 100), other = accumulatedOf(sorted, 100);
  for (i64 g = 0; g < mixed.groups; ++g) checkSame(one[g], other[g]);
}

TEST("a group without rows, or whose rows have no weight, has count 0, mean NaN and scatter 0") {
  Table table = tableOf(50, 3, 4, true);
  table.groups = 6;
  for (i64 r = 0; r < 50; ++r) {
    if (table.codes[r] != 3) continue;
    table.rows.weights[r] = 0;
    table.rows.x[r * 3] = NAN;
  }
  const std::vector<Result> results = accumulatedOf(table, 7);
  FOR_EACH(g, {3, 4, 5}) {
    CHECK(results[g].count == 0 && results[g].weight == 0);
    for (double m : results[g].mean) CHECK(std::isnan(m));
    for (double a : results[g].scatter) CHECK(a == 0);
  }
}

TEST("a value that is not finite spoils its column alone, and equal values have a scatter of exactly 0") {
  FOR_EACH(d, {3, 9}) {
    Table table = tableOf(400, d, 4, false);
    for (i64 r = 0; r < 400; ++r) table.rows.x[r * d + 1] = 0.1;
    const i64 spoilt = std::find(table.codes.begin(), table.codes.end(), 2u) - table.codes.begin();
    for (double value : {double(NAN), double(INFINITY)}) {
      table.rows.x[spoilt * d] = value;
      const std::vector<Result> results = accumulatedOf(table, 100);
      const Table sound = tableOf(400, d, 4, false);
      for (i64 g = 0; g < 4; ++g) {
        const Result& result = results[g];
        CHECK(std::isnan(result.mean[0]) == (g == 2) && std::isnan(result.scatter[0]) == (g == 2));
        CHECK(result.mean[1] == 0.1 && result.scatter[d + 1] == 0);
        if (d == 9) CHECK(result.mean[2] == accumulatedOf(sound, 100)[g].mean[2]);
      }
    }
  }
}
