// merge_team.hpp: merge.hpp by a team: consecutive statistics of one group, in their order, into one.
#pragma once

#include "merge.hpp"
#include "team.hpp"

namespace mvn {

template <class Team> MVN_FN void copyStatistics(const Team& team, int d, StatisticsRef to, StatisticsRef from) {
  team.each(d, [&](int j) { to.mean[j] = from.mean[j]; });
  for (int i = 0; i < d; ++i) {
    team.each(d, [&](int j) { to.scatter[i64(i) * d + j] = from.scatter[i64(i) * d + j]; });
  }
}

template <class Team>
MVN_FN void addStatistics(const Team& team, int d, MergeWeights w, StatisticsRef into, StatisticsRef part) {
  for (int i = 0; i < d; ++i) {
    const f64 crossed = w.cross * (part.mean[i] - into.mean[i]);
    team.each(i + 1, [&](int j) {
      const i64 at = i64(i) * d + j;
      const f64 value = into.scatter[at] + (part.scatter[at] + crossed * (part.mean[j] - into.mean[j]));
      into.scatter[at] = into.scatter[i64(j) * d + i] = value;
    });
  }
  team.sync();
  team.each(d, [&](int j) { into.mean[j] += (part.mean[j] - into.mean[j]) * w.share; });
}

// Slots first … first + parts − 1 of `all` into slot `target`, which may be the first of them.
template <class Team>
MVN_FN void mergeSlots(const Team& team, int d, StatisticsRef all, i64 first, i64 parts, i64 target) {
  const auto slot = [&](i64 s) {
    return StatisticsRef{all.count + s, all.weight + s, all.mean + s * d, all.scatter + s * d * d};
  };
  const StatisticsRef into = slot(target);
  if (target != first) copyStatistics(team, d, into, slot(first));
  f64 count = all.count[first], weight = all.weight[first];
  team.sync();
  for (i64 s = first + 1; s < first + parts; ++s) {
    const f64 added = all.weight[s];
    count += all.count[s];
    if (!(added > 0)) continue;
    if (weight > 0) {
      addStatistics(team, d, mergeWeights(weight, added), into, slot(s));
    } else {
      copyStatistics(team, d, into, slot(s));
    }
    weight += added;
    team.sync();
  }
  team.lanes([&](int lane) {
    if (lane != 0) return;
    *into.count = count;
    *into.weight = weight;
  });
  team.sync();
}

}  // namespace mvn
