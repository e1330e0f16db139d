// groups.hpp: seeded groups and one-call forms of fit and evaluate, for the tests of the solver kernels.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "block.hpp"
#include "mvn/closed_form_tiles.hpp"
#include "mvn/evaluate.hpp"
#include "mvn/packs/closed_form.hpp"
#include "mvn/packs/gradient.hpp"

namespace groups {

using namespace mvn;
using check::Block;
using Numbers = std::vector<f64>;
using Long = long double;

// splitmix64, and normal deviates by Box & Muller.
struct Random {
  std::uint64_t state;
  explicit Random(std::uint64_t seed) : state(seed) {}

  f64 uniform() {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (f64((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
  }
  f64 normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(6.283185307179586 * uniform()); }
  Numbers normals(int n) {
    Numbers x(n);
    for (f64& value : x) value = normal();
    return x;
  }
};

// Q diag(1 … 1/condition) Qᵀ, Q a random rotation, eigenvalues evenly spaced in their logarithm.
inline Numbers covarianceOf(int d, f64 condition, Random& random) {
  Numbers Q = random.normals(d * d), S(d * d, 0.0);
  for (int i = 0; i < d; ++i) {
    for (int pass = 0; pass < 2; ++pass) {
      for (int k = 0; k < i; ++k) {
        Long along = 0;
        for (int j = 0; j < d; ++j) along += Long(Q[i * d + j]) * Q[k * d + j];
        for (int j = 0; j < d; ++j) Q[i * d + j] -= f64(along * Q[k * d + j]);
      }
    }
    Long squared = 0;
    for (int j = 0; j < d; ++j) squared += Long(Q[i * d + j]) * Q[i * d + j];
    for (int j = 0; j < d; ++j) Q[i * d + j] = f64(Q[i * d + j] / std::sqrt(squared));
  }
  for (int i = 0; i < d; ++i) {
    for (int j = 0; j <= i; ++j) {
      Long sum = 0;
      for (int k = 0; k < d; ++k) {
        sum += Long(Q[k * d + i]) * Q[k * d + j] * std::pow(Long(condition), d > 1 ? -Long(k) / (d - 1) : 0);
      }
      S[i * d + j] = S[j * d + i] = f64(sum);
    }
  }
  return S;
}

struct Group {
  int d;
  f64 count, weight;
  Numbers mean, scatter;

  Statistics statistics() const { return {count, weight, mean.data(), scatter.data()}; }
};

inline Group groupOf(int d, f64 n, const Numbers& S, const Numbers& mean) {
  Group group{d, n, n, mean, S};
  for (f64& entry : group.scatter) entry *= n;
  return group;
}
inline Group groupOf(int d, f64 condition, std::uint64_t seed) {
  Random random(seed);
  const Numbers S = covarianceOf(d, condition, random);
  return groupOf(d, 10.0 * d + 10, S, random.normals(d));
}

// Statistics of rows [n, d], in long double.
inline Group groupOf(int d, const Numbers& rows) {
  const int n = int(rows.size()) / d;
  Group group{d, f64(n), f64(n), Numbers(d), Numbers(d * d)};
  std::vector<Long> mean(d, 0);
  for (int a = 0; a < n; ++a) {
    for (int j = 0; j < d; ++j) mean[j] += Long(rows[a * d + j]) / n;
  }
  for (int i = 0; i < d; ++i) {
    group.mean[i] = f64(mean[i]);
    for (int j = 0; j < d; ++j) {
      Long sum = 0;
      for (int a = 0; a < n; ++a) sum += (rows[a * d + i] - mean[i]) * (rows[a * d + j] - mean[j]);
      group.scatter[i * d + j] = f64(sum);
    }
  }
  return group;
}

struct Fit {
  Numbers mean, covariance, factor;
  f64 logLikelihood, residual, gap;
  i32 iterations;
  Status status;
};

struct Call {
  Method method = Method::closedForm;
  Start start = Start::standard;
  Numbers startMean = {}, startFactor = {};
  f64 ddof = 0, tolerance = 1e-8;
  int maxIterations = 1000;
  f64 epsilon = 0x1p-53;
  const i32* stop = nullptr;
  bool packed = true;  // in a pack, where the engine would
};

constexpr f64 unwritten = 12345.678;  // whatever a fit leaves as it was shows

// Room for one result, and where it is written.
struct Place {
  Fit fit;
  u8 status = 99;

  explicit Place(int d)
      : fit{Numbers(d, unwritten), Numbers(d * d, unwritten), Numbers(d * d, unwritten), unwritten, unwritten, unwritten,
            -1, Status::empty} {}
  FitGroup at(const Group& group, const Call& call) {
    return {group.statistics(), call.startMean.data(), call.startFactor.data(), fit.mean.data(), fit.covariance.data(),
            fit.factor.data(), &fit.logLikelihood, &fit.residual, &fit.gap, &fit.iterations, &status};
  }
  Fit result() {
    fit.status = Status(status);
    return fit;
  }
};

inline FitOptions optionsOf(const Call& call) {
  return {call.method, call.start, call.ddof, call.tolerance, call.maxIterations, call.epsilon, call.stop};
}

// Stale scratch must not show.
inline Block<f64> staleBlock(i64 bytes) { return Block<f64>(bytes / sizeof(f64) + 2, NAN); }

// Groups of one dimension side by side: one pack of them, or any number by a gradient method.
template <class Real = f64> std::vector<Fit> fitPack(const std::vector<Group>& groups, const Call& call) {
  constexpr int lanes = packLanes<Real>;
  const int d = groups[0].d, count = int(groups.size());
  std::vector<Place> places(count, Place(d));
  std::vector<Fit> results;
  if (call.method > Method::newton) {
    Block<f64> block = staleBlock(gradientPackBytes<Real>(d, call.method));
    const auto groupAt = [&](int k) { return places[k].at(groups[k], call); };
    fitByGradient<Real>(d, count, groupAt, optionsOf(call), reinterpret_cast<char*>(block.data()));
    for (Place& place : places) results.push_back(place.result());
    return results;
  }
  if (hasClosedFormPack(d, call.method)) {
    Block<f64> block = staleBlock(closedFormPackBytes(d));
    const auto groupAt = [&](int k) { return places[k].at(groups[k], call); };
    fitClosedFormPacks(d, count, groupAt, optionsOf(call), reinterpret_cast<char*>(block.data()));
    for (Place& place : places) results.push_back(place.result());
    return results;
  }
  FitGroup pack[lanes];
  for (int lane = 0; lane < lanes; ++lane) {
    const int k = min(lane, count - 1);
    pack[lane] = places[k].at(groups[k], call);
  }
  Scratch size;
  FitPackScratch<Real>(size, d);
  Block<f64> block = staleBlock(size.used);
  Scratch scratch(reinterpret_cast<char*>(block.data()));
  const FitPackScratch<Real> work(scratch, d);
  withPackDimension<Real>(d, [&](auto dimension) {
    mvn::fitPack<Real>(dimension, pack, count, optionsOf(call), work);
  });
  for (Place& place : places) results.push_back(place.result());
  return results;
}

// The closed form by tiles; false where that leaves the group to the other code.
inline bool fitByTiles(const Group& group, const Call& call, Place& place) {
  Scratch count;
  ClosedFormTileScratch(count, group.d);
  Block<f64> block = staleBlock(count.used);
  Scratch scratch(reinterpret_cast<char*>(block.data()));
  return fitClosedFormByTiles(group.d, place.at(group, call), optionsOf(call), ClosedFormTileScratch(scratch, group.d));
}

template <class Real = f64> Fit fit(const Group& group, const Call& call) {
  const int d = group.d;
  if (call.packed && fitsByTiles(d, call.method)) {
    Place place(d);
    if (fitByTiles(group, call, place)) return place.result();
  }
  if (call.packed && fitsInPacks(d)) return fitPack<Real>({group}, call)[0];
  Place place(d);
  Scratch count;
  FitScratch(count, d, solverBytes<Real>(d, call.method));
  Block<f64> block = staleBlock(count.used);
  Scratch scratch(reinterpret_cast<char*>(block.data()));
  const FitScratch work(scratch, d, solverBytes<Real>(d, call.method));
  fitGroup<Real>(SerialTeam{}, Dynamic{d}, place.at(group, call), optionsOf(call), work);
  return place.result();
}

struct Evaluation {
  f64 j1, j2, objective;
  Numbers dj1dFactor, dj2dMean, dj2dFactor;
  int status;
};

template <class Real = f64>
Evaluation evaluate(const Group& group, const Numbers& mean, const Numbers& factor, bool specialised = true) {
  const int d = group.d;
  const Numbers vector(d, unwritten), matrix(d * d, unwritten);
  Evaluation out{unwritten, unwritten, unwritten, matrix, vector, matrix, 0};
  u8 status = 99;
  const EvaluateGroup io{group.statistics(), mean.data(), factor.data(), &out.j1, &out.j2, &out.objective,
                         out.dj1dFactor.data(), out.dj2dMean.data(), out.dj2dFactor.data(), &status};
  Scratch count;
  EvaluateScratch<Real>(count, d);
  Block<f64> block = staleBlock(count.used);
  Scratch scratch(reinterpret_cast<char*>(block.data()));
  const EvaluateScratch<Real> work(scratch, d);
  if (specialised) {
    withDimension<Real>(SerialTeam{}, d, [&](auto dimension) { evaluateGroup(SerialTeam{}, dimension, io, work); });
  } else {
    evaluateGroup(SerialTeam{}, Dynamic{d}, io, work);
  }
  out.status = status;
  return out;
}

// Largest |a − b| relative to the largest |b|.
inline f64 relativeError(const Numbers& a, const Numbers& b) {
  f64 error = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const f64 difference = std::fabs(a[i] - b[i]);
    error = difference <= error ? error : difference;  // NaN is kept
    size = std::fmax(size, std::fabs(b[i]));
  }
  return size > 0 ? error / size : error;
}

}  // namespace groups
