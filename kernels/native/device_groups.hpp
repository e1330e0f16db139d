// device_groups.hpp: batches of groups for fit and evaluate as a device takes them.
#pragma once

#include "device.hpp"
#include "groups.hpp"

namespace device {

using groups::Call;
using groups::Group;
using groups::Numbers;

// Statistics of groups of one d, one array a quantity.
struct Batch {
  int d;
  Numbers count, weight, mean, scatter;

  explicit Batch(const std::vector<Group>& all) : d(all[0].d) {
    for (const Group& group : all) {
      count.push_back(group.count);
      weight.push_back(group.weight);
      mean.insert(mean.end(), group.mean.begin(), group.mean.end());
      scatter.insert(scatter.end(), group.scatter.begin(), group.scatter.end());
    }
  }
  i64 groups() const { return i64(count.size()); }

  template <class Arguments> Arguments arguments() const {
    Arguments a{};
    a.count = count.data();
    a.weight = weight.data();
    a.mean = mean.data();
    a.scatter = scatter.data();
    a.groups = groups();
    a.dims = d;
    return a;
  }
};

struct FitResults {
  Numbers mean, covariance, factor, logLikelihood, residual, gap;
  std::vector<i32> iterations;
  std::vector<u8> status;

  // A call with `call`, whose start holds for every group.
  FitResults(const Batch& batch, const Call& call)
      : mean(batch.groups() * batch.d, groups::unwritten), covariance(batch.scatter.size(), groups::unwritten),
        factor(covariance), logLikelihood(batch.groups(), groups::unwritten), residual(logLikelihood),
        gap(logLikelihood), iterations(batch.groups(), -1), status(batch.groups(), 99) {
    for (i64 g = 0; g < batch.groups(); ++g) {
      startMean_.insert(startMean_.end(), call.startMean.begin(), call.startMean.end());
      startFactor_.insert(startFactor_.end(), call.startFactor.begin(), call.startFactor.end());
    }
  }

  FitArguments arguments(const Batch& batch, const Call& call) {
    FitArguments a = batch.arguments<FitArguments>();
    a.method = i64(call.method);
    a.start = i64(call.start);
    a.startMean = startMean_.data();
    a.startFactor = startFactor_.data();
    a.ddof = call.ddof;
    a.tolerance = call.tolerance;
    a.maxIterations = call.maxIterations;
    a.epsilon = call.epsilon;
    a.stop = call.stop;
    a.outMean = mean.data();
    a.outCovariance = covariance.data();
    a.outFactor = factor.data();
    a.outLogLikelihood = logLikelihood.data();
    a.outResidual = residual.data();
    a.outGap = gap.data();
    a.outIterations = iterations.data();
    a.outStatus = status.data();
    return a;
  }

 private:
  Numbers startMean_, startFactor_;
};

struct EvaluateResults {
  Numbers j1, j2, objective, dj1dFactor, dj2dMean, dj2dFactor;
  std::vector<u8> status;

  explicit EvaluateResults(const Batch& batch)
      : j1(batch.groups(), groups::unwritten), j2(j1), objective(j1),
        dj1dFactor(batch.scatter.size(), groups::unwritten), dj2dMean(batch.mean.size(), groups::unwritten),
        dj2dFactor(dj1dFactor), status(batch.groups(), 99) {}

  EvaluateArguments arguments(const Batch& batch, const Numbers& mean, const Numbers& factor) {
    EvaluateArguments a = batch.arguments<EvaluateArguments>();
    a.atMean = mean.data();
    a.atFactor = factor.data();
    a.j1 = j1.data();
    a.j2 = j2.data();
    a.objective = objective.data();
    a.dj1dFactor = dj1dFactor.data();
    a.dj2dMean = dj2dMean.data();
    a.dj2dFactor = dj2dFactor.data();
    a.status = status.data();
    return a;
  }
};

}  // namespace device
