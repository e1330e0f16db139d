// merge_team.hpp: merge.hpp by a team: consecutive statistics of one group, in their order, into one.
//
// A part's mean is kept as two numbers, x̄ = mean + rest: rounded to one, a mean of 1e8 would cost δ = x̄_q − x̄_p
// eight digits.
#pragma once

#include "merge.hpp"
#include "team.hpp"

namespace mvn {

// Statistics of one item or part. `rest` [d] may be 0: the mean is then rounded, and final.
struct SlotRef : StatisticsRef {
  f64* rest;

  MVN_FN f64 restOf(int j) const { return rest ? rest[j] : 0; }
};

// mean + rest for the sum of three numbers, of which the first may be large.
MVN_FN void setMean(const SlotRef& slot, int j, f64 mean, f64 rest, f64 step) {
  const f64 small = rest + step, sum = mean + small;
  slot.mean[j] = sum;
  if (slot.rest) slot.rest[j] = isFinite(sum) ? (mean - sum) + small : 0;
}

template <class Team> MVN_FN void copyStatistics(const Team& team, int d, const SlotRef& to, const SlotRef& from) {
  team.each(d, [&](int j) { setMean(to, j, from.mean[j], from.restOf(j), 0); });
  for (int i = 0; i < d; ++i) {
    team.each(d, [&](int j) { to.scatter[i64(i) * d + j] = from.scatter[i64(i) * d + j]; });
  }
}

template <class Team>
MVN_FN void addStatistics(const Team& team, int d, MergeWeights w, const SlotRef& into, const SlotRef& part) {
  const auto delta = [&](int j) { return (part.mean[j] - into.mean[j]) + (part.restOf(j) - into.restOf(j)); };
  for (int i = 0; i < d; ++i) {
    const f64 crossed = w.cross * delta(i);
    team.each(i + 1, [&](int j) {
      const i64 at = i64(i) * d + j;
      const f64 value = into.scatter[at] + (part.scatter[at] + crossed * delta(j));
      into.scatter[at] = into.scatter[i64(j) * d + i] = value;
    });
  }
  team.sync();
  team.each(d, [&](int j) { setMean(into, j, into.mean[j], into.restOf(j), delta(j) * w.share); });
}

// `parts` slots from `first` on into `target`: in the first, which has a rest where it is a part, and from there.
// slot(s) is the SlotRef of slot s.
template <class Team, class SlotOf>
MVN_FN void mergeSlots(const Team& team, int d, SlotOf slot, i64 first, i64 parts, i64 target) {
  const SlotRef into = slot(first), result = slot(target);
  f64 count = *into.count, weight = *into.weight;
  for (i64 s = first + 1; s < first + parts; ++s) {
    const SlotRef part = slot(s);
    const f64 added = *part.weight;
    count += *part.count;
    if (!(added > 0)) continue;
    if (weight > 0) {
      addStatistics(team, d, mergeWeights(weight, added), into, part);
    } else {
      copyStatistics(team, d, into, part);
    }
    weight += added;
    team.sync();
  }
  if (target != first) copyStatistics(team, d, result, into);
  team.lanes([&](int lane) {
    if (lane != 0) return;
    *result.count = count;
    *result.weight = weight;
  });
}

}  // namespace mvn
