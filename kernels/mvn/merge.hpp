// merge.hpp: the statistics of two sets of rows of one group, merged.
//
//     W = W_p + W_q,   δ = x̄_q − x̄_p
//     x̄ = x̄_p + δ·W_q/W
//     A = A_p + A_q + δᵀδ·W_p W_q/W
//
// Source: Chan, Golub & LeVeque (1983). Weights take the place of counts. A column of equal values has δ = 0 exactly,
// so its scatter stays exactly 0.
#pragma once

#include "real.hpp"

namespace mvn {

struct MergeWeights {
  f64 share;  // W_q/W: how far the mean moves towards the second part
  f64 cross;  // W_p W_q/W
};

MVN_FN MergeWeights mergeWeights(f64 first, f64 second) {
  f64 share = second / (first + second);
  return {share, first * share};
}

// Statistics of one group: count and weight, mean [d], scatter [d, d] row-major, symmetric.
struct StatisticsRef {
  f64 *count, *weight, *mean, *scatter;
};

MVN_FN void mergeInto(int d, StatisticsRef into, StatisticsRef part) {
  *into.count += *part.count;
  if (!(*part.weight > 0)) return;
  if (!(*into.weight > 0)) {
    *into.weight = *part.weight;
    for (int j = 0; j < d; ++j) into.mean[j] = part.mean[j];
    for (i64 e = 0; e < i64(d) * d; ++e) into.scatter[e] = part.scatter[e];
    return;
  }
  MergeWeights w = mergeWeights(*into.weight, *part.weight);
  *into.weight += *part.weight;
  for (int i = 0; i < d; ++i) {
    f64 crossed = w.cross * (part.mean[i] - into.mean[i]);
    f64* row = into.scatter + i64(i) * d;
    for (int j = i; j < d; ++j) {
      row[j] += part.scatter[i64(i) * d + j] + crossed * (part.mean[j] - into.mean[j]);
      into.scatter[i64(j) * d + i] = row[j];
    }
  }
  for (int j = 0; j < d; ++j) into.mean[j] += (part.mean[j] - into.mean[j]) * w.share;
}

// `parts` statistics of one group, one after the other in each array, merged in their order into the first.
MVN_FN void mergeParts(int parts, int d, StatisticsRef all) {
  for (i64 p = 1; p < parts; ++p) {
    mergeInto(d, all, {all.count + p, all.weight + p, all.mean + p * d, all.scatter + p * d * d});
  }
}

}  // namespace mvn
