// accumulate.cpp: the exports group_bytes, accumulate_scratch, accumulate and accumulated (see kernels/README.md).
//
// Rows in the order of a file, which is no order of groups. Each is put behind the rows of its group that wait; when they are a run, the run's
// moments are merged into the group's statistics. So every row is written once, nobody sorts, and statistics are fetched from memory once a
// run. Where a group's runs begin and end depends on its own rows alone. Rows are taken relative to one of the group's first: rounded, a
// mean of 1e8 would cost the difference of two means eight digits.
#include "cpu/export.hpp"
#include "mvn/merge.hpp"
#include "mvn/moments.hpp"
#include "mvn/simd.hpp"
#include "mvn/specialise.hpp"

using namespace mvn;

namespace {

// Rows of a run: at least so many that its moments take longer than to fetch the group, and with many columns as many as make the run as
// long as the scatter that they are merged into; at most what its moments need to take no longer a row than those of many.
constexpr i64 leastRun = 16, mostRun = 64;

constexpr i64 LINE = 8;  // words of a cache line

// In the order of FIELDS in src/engines/native/accumulator.ts.
struct Accumulation {
  i64 dims;
  i64 weighted;
  i64 page_bits;      // a page is of 2^page_bits groups
  i64 lane_bits;      // 2^lane_bits threads share the groups: group g belongs to number g mod 2^lane_bits
  i64 lane_groups;    // for how many groups of a lane there is room in `waiting`
  f64* const* pages;  // groups one after the other, as Places says
  u8* waiting;        // [lanes, lane_groups]: how many rows of a group wait, those of one thread together
};

i64 runRows(i64 d) { return d < leastRun ? leastRun : d < mostRun ? (d + LINE - 1) / LINE * LINE : mostRun; }

using Bytes = decltype(sizeof(f64));  // of 64 bits wherever an address is

constexpr Bytes bytesOf(i64 words) { return Bytes(words) * sizeof(f64); }

i64 wholeLines(i64 words) { return (words + LINE - 1) / LINE * LINE; }

i64 statisticsWords(i64 d) { return 2 + d + d * d; }

// Where what belongs to a group lies from its first word on: the rows that wait, their weights, the statistics (of the scatter, the upper
// triangle) and what rows are relative to.
struct Places {
  i64 weights, statistics, origin, words;

  Places(i64 d, bool weighted)
      : weights(runRows(d) * d),
        statistics(weights + (weighted ? runRows(d) : 0)),
        origin(statistics + statisticsWords(d)),
        words(wholeLines(origin + d)) {}
};

StatisticsRef statisticsAt(f64* words, i64 d) { return {words, words + 1, words + 2, words + 2 + d}; }

// One thread's work.
template <class Dim> class Lane {
 public:
  Lane(const Accumulation& all, Dim d, i64 lane, char* scratch)
      : all(all),
        d(d),
        lane(lane),
        places(d, all.weighted),
        waiting(all.waiting + lane * all.lane_groups),
        part(statisticsAt(reinterpret_cast<f64*>(scratch), d)),
        scratch(scratch + bytesOf(wholeLines(statisticsWords(d)))) {}

  void add(const f64* x, const f64* weights, const unsigned* codes, i64 rows) {
    constexpr i64 strip = 512, ahead = 12;
    unsigned own[strip + ahead];
    for (i64 first = 0; first < rows; first += strip) {
      const i64 end = min(rows, first + strip);
      const unsigned mask = (unsigned(1) << all.lane_bits) - 1;
      i64 count = 0;
      for (i64 r = first; r < end; ++r) {  // without a branch that nobody can foretell
        own[count] = unsigned(r - first);
        count += (codes[r] & mask) == unsigned(lane);
      }
      for (i64 k = 0; k < count; ++k) {
        if (k + ahead < count) expect(codes[first + own[k + ahead]]);
        const i64 r = first + own[k];
        take(codes[r], x + r * d, all.weighted ? weights[r] : 1);
      }
    }
  }

  // Everything that waits is merged; the lane's statistics go to where those of all groups lie.
  void finish(i64 groups, const StatisticsRef& to) {
    for (i64 g = lane; g < groups; g += i64(1) << all.lane_bits) {
      f64* group = groupAt(g);
      u8& rows = waiting[g >> all.lane_bits];
      if (rows) merge(group, rows);
      rows = 0;
      copyOut({to.count + g, to.weight + g, to.mean + g * d, to.scatter + g * d * d}, group);
    }
  }

 private:
  const Accumulation& all;
  const Dim d;
  const i64 lane;
  const Places places;
  u8* const waiting;
  const StatisticsRef part;
  char* const scratch;

  f64* groupAt(i64 g) const {
    return all.pages[g >> all.page_bits] + (g & ((i64(1) << all.page_bits) - 1)) * places.words;
  }

  void expect(unsigned code) const {
    prefetch(groupAt(code) + waiting[code >> all.lane_bits] * i64(d), i64(d) * i64(sizeof(f64)));
  }

  void take(unsigned code, const f64* row, f64 weight) {
    f64* group = groupAt(code);
    u8& rows = waiting[code >> all.lane_bits];
    __builtin_memcpy(group + rows * i64(d), row, bytesOf(d));
    if (all.weighted) group[places.weights + rows] = weight;
    if (++rows < runRows(d)) return;
    merge(group, rows);
    rows = 0;
  }

  void merge(f64* group, i64 rows) const {
    const StatisticsRef whole = statisticsAt(group + places.statistics, d);
    f64* __restrict origin = group + places.origin;
    if (*whole.count == 0) __builtin_memcpy(origin, group + heaviest(group, rows) * d, bytesOf(d));
    for (i64 r = 0; r < rows; ++r) {
      f64* __restrict row = group + r * d;
      for (int j = 0; j < d; ++j) row[j] -= origin[j];
    }
    if (all.weighted) moments<f64, true>(group, group + places.weights, rows, d, part, scratch);
    else moments<f64, false>(group, nullptr, rows, d, part, scratch);
    mergeUpper(d, whole, part);
  }

  // Its place among the rows that wait: one of hardly any weight may be far from all others.
  i64 heaviest(const f64* group, i64 rows) const {
    i64 found = 0;
    if (!all.weighted) return found;
    const f64* weights = group + places.weights;
    for (i64 r = 1; r < rows; ++r) {
      if (weights[r] > weights[found]) found = r;
    }
    return found;
  }

  void copyOut(const StatisticsRef& to, f64* group) const {
    const StatisticsRef from = statisticsAt(group + places.statistics, d);
    *to.count = *from.count;
    *to.weight = *from.weight;
    if (*from.count == 0) return writeEmpty(d, to);
    for (int j = 0; j < d; ++j) to.mean[j] = group[places.origin + j] + from.mean[j];
    for (i64 i = 0; i < d; ++i) {
      for (i64 j = i; j < d; ++j) to.scatter[i * d + j] = to.scatter[j * d + i] = from.scatter[i * d + j];
    }
  }
};

}  // namespace

MVN_EXPORT(group_bytes) i64 group_bytes(i32 d, i32 weighted) { return i64(bytesOf(Places(d, weighted).words)); }

MVN_EXPORT(accumulate_scratch) i64 accumulate_scratch(i32 d) {
  return i64(bytesOf(wholeLines(statisticsWords(d)))) + momentsScratch<f64, f64>(d);
}

MVN_EXPORT(accumulate)
void accumulate(const Accumulation* all, i32 lane, const f64* x, const f64* weights, const unsigned* codes, i32 rows,
                char* scratch) {
  withDimension<f64>(SerialTeam{}, int(all->dims), [&](auto d) { Lane(*all, d, lane, scratch).add(x, weights, codes, rows); });
}

MVN_EXPORT(accumulated)
void accumulated(const Accumulation* all, i32 lane, i32 groups, f64* count, f64* weight, f64* mean, f64* scatter,
                 char* scratch) {
  withDimension<f64>(SerialTeam{}, int(all->dims), [&](auto d) { Lane(*all, d, lane, scratch).finish(groups, {count, weight, mean, scatter}); });
}
