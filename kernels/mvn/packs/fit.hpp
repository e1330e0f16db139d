// fit.hpp: the closed form and Newton's method for as many groups at once as a vector has lanes: fitGroup() for a pack.
//
// What is float64 whatever the precision (standard units, rank, certificate) is done by parts of as many groups as a vector
// has float64; a float32 pack may have two of them. Groups that float32 is too coarse for are settled by the code for a team
// as well. (The closed form of few columns has code of its own: closed_form.hpp.)
#pragma once

#include "mvn/fit.hpp"
#include "mvn/packs/certificate.hpp"
#include "mvn/packs/newton.hpp"

namespace mvn {

// Which fits go by packs. Measured in WebAssembly, closed form and newton: 1.3 to 1.6 times as fast to d = 8, twice at
// 12 … 20, 1.6 times at 32, where the matrices of a pack no longer fit in the first-level cache.
MVN_FN bool fitsInPacks(int d) { return d <= 32; }

// f(Fixed<d>) for the smallest dimensions, where loops cost as much as what they do, and for 8; f(Dynamic) else.
template <class Real, class F> MVN_FN void withPackDimension(int d, F f) {
  if constexpr (sizeof(Real) == sizeof(f64)) {
    switch (d) {
      case 1: return f(Fixed<1>{});
      case 2: return f(Fixed<2>{});
      case 3: return f(Fixed<3>{});
      case 4: return f(Fixed<4>{});
      case 8: return f(Fixed<8>{});
    }
  }
  f(Dynamic{d});
}

// What the method needs of a group that goes by itself, in float64, where Real is float32.
template <class Real> MVN_FN i64 singleBytes(int d, Method method) {
  return isRounded<Real> ? solverBytes<f64>(d, method) : 0;
}

// Groups of a part.
constexpr int partLanes = lanesOf<f64>;

template <class Real> struct FitPackScratch {
  static constexpr int parts = packLanes<Real> / partLanes;

  PackScratch part[parts];
  PackNewtonScratch<Vector<Real>> solver;
  FitScratch single;  // of a group that is in doubt, or goes by float64

  MVN_FN FitPackScratch(Scratch& s, int d) : solver(s, d), single(s, d, singleBytes<Real>(d, Method::newton)) {
    for (int p = 0; p < parts; ++p) part[p] = PackScratch(s, d);
  }
};

template <class To> MVN_FN void setLane(int n, To* to, int lane, const f64* from) {
  for (int e = 0; e < n; ++e) laneOf(to, lane)[e * lanesIn<To>] = Element<To>(from[e]);
}

// A lane that hasFullRank() was not sure of, from existence(). Without a maximum it holds the identity from here on.
template <class Dim>
MVN_CALL bool settle(Dim d, const FitGroup& group, const FitOptions& options, int lane, const PackScratch& work,
                     const FitScratch& single) {
  const SerialTeam team;
  const Status status = existence(team, Dynamic{d}, group.statistics, options, single);
  const bool exists = status == Status::converged;
  if (!exists) {
    withoutFit(team, d, group, options.ddof, status);
    for (int i = 0; i < d; ++i) {
      single.scale[i] = single.inverseScale[i] = 1;
      for (int j = 0; j < d; ++j) single.R[i * d + j] = single.U[i * d + j] = i == j;
    }
  }
  setLane(d, work.scale, lane, single.scale);
  setLane(d, work.inverseScale, lane, single.inverseScale);
  setLane(d * d, work.R, lane, single.R);
  setLane(d * d, work.U, lane, single.U);
  return exists;
}

// A group by itself, in float64.
inline MVN_CALL void fitInFloat64(int d, const FitGroup& group, const FitOptions& options, const FitScratch& single) {
  fitGroup<f64>(SerialTeam{}, Dynamic{d}, group, options, single);
}

// A group that float32 has brought to an end, which goes on in float64 where that is short of its tolerance.
template <class Real>
MVN_FN void goOn(int d, const FitGroup& group, const FitOptions& options, const FitScratch& single) {
  if constexpr (isRounded<Real>) {
    if (options.method == Method::closedForm || Status(*group.status) != Status::stalled) return;
    const Continuation rest(group, options);
    fitInFloat64(d, rest.group, rest.options, single);
  }
}

// Fits the groups of a pack that float32 is too coarse for, and takes them from those that are `wanted` of it. The
// last of `count` groups may be in several lanes.
template <class Real, class Dim>
MVN_FN void sortOut(Dim d, const FitGroup (&groups)[packLanes<Real>], int count, const FitOptions& options,
                    const FitPackScratch<Real>& work, bool (&wanted)[packLanes<Real>]) {
  for (int p = 0; p < work.parts; ++p) {
    const auto fine = suffices<Real>(traceOfInverse(d, work.part[p]), splat(options.tolerance));
    for (int lane = partLanes * p; lane < partLanes * (p + 1); ++lane) {
      if (!wanted[lane] || fine[lane % partLanes]) continue;
      if (lane < count) fitInFloat64(d, groups[lane], options, work.single);
      wanted[lane] = false;
    }
  }
}

// Standard units of a part, R's factor in work.U, and which of them have a maximum.
template <class Dim>
MVN_FN void prepare(Dim d, const FitGroup* groups, const FitOptions& options, const PackScratch& work,
                    const FitScratch& single, bool* exists) {
  Statistics statistics[partLanes];
  for (int lane = 0; lane < partLanes; ++lane) statistics[lane] = groups[lane].statistics;
  standardise(d, statistics, work);
  const auto full = hasFullRank(d, statistics, options.epsilon, work);
  const f64 taken = options.method == Method::closedForm ? options.ddof : 0;
  for (int lane = 0; lane < partLanes; ++lane) {
    const bool enough = statistics[lane].count >= d + 1 && statistics[lane].weight > taken;
    exists[lane] = (full[lane] && enough) || settle(d, groups[lane], options, lane, work, single);
  }
}

// Where Newton's method begins, as beginAt() has it; from the standard start L = I, of which it knows.
template <class Real, class Dim>
MVN_FN void begin(Dim d, const FitGroup* groups, const FitOptions& options, const FitPackScratch<Real>& work) {
  if (options.start == Start::standard) return;
  for (int lane = 0; lane < packLanes<Real>; ++lane) {
    const FitGroup& group = groups[lane];
    const FitScratch& single = work.single;
    for (int i = 0; i < d; ++i) single.inverseScale[i] = work.part[lane / partLanes].inverseScale[i][lane % partLanes];
    beginAt(SerialTeam{}, d, options.start, group.statistics.mean, group.startMean, group.startFactor,
            single.inverseScale, single.m, single.U, single.T, single.z);
    setLane(d * d, work.solver.U, lane, single.U);
  }
}

// The method: from R to the factors in work.part[…].U.
template <class Real, class Dim>
MVN_FN void solve(Dim d, const FitGroup* groups, const FitOptions& options, const FitPackScratch<Real>& work,
                  const bool (&exists)[packLanes<Real>], Ending (&ending)[packLanes<Real>]) {
  using V = Vector<Real>;
  constexpr int lanes = packLanes<Real>;
  PackNewtonScratch<V> solver = work.solver;
  for (int lane = 0; lane < lanes; ++lane) ending[lane] = {Status::converged, 0};
  if (options.method == Method::closedForm) return;  // the rank test has left it
  constexpr bool same = sizeof(Real) == sizeof(f64);
  if constexpr (same) {
    solver.R = work.part[0].R;
    solver.found = work.part[0].U;
  } else {
    for (int e = 0; e < d * d; ++e) {
      solver.R[e] = gather<V>([&](int lane) MVN_INLINE { return Real(work.part[lane / partLanes].R[e][lane % partLanes]); });
    }
  }
  begin(d, groups, options, work);
  const Problem<Real> problem{d, nullptr, true, Real(aim * options.tolerance), options.maxIterations, options.stop};
  newton(d, solver, problem, options.start == Start::standard, exists, ending);
  if constexpr (!same) {
    for (int e = 0; e < d * d; ++e) {
      for (int lane = 0; lane < lanes; ++lane) work.part[lane / partLanes].U[e][lane % partLanes] = f64(solver.found[e][lane]);
    }
  }
}

// A factor that certify() can solve with, in one lane.
template <class Dim> MVN_FN bool isInvertible(Dim d, f64v* U, int lane) {
  const f64* own = laneOf(U, lane);
  bool invertible = true;
  for (int i = 0; i < d; ++i) {
    for (int j = i; j < d; ++j) invertible = invertible && isFinite(own[(i * d + j) * partLanes]);
    invertible = invertible && own[i * (d + 1) * partLanes] > 0;
  }
  return invertible;
}

// U ← U √(W/(W − ddof))
template <class Dim>
MVN_FN void stretch(Dim d, const FitGroup* groups, f64 ddof, const PackScratch& work) {
  const f64v weight = gather<f64v>([&](int lane) { return groups[lane].statistics.weight; });
  const f64v factor = rootOf(weight / (weight - splat(ddof)));
  for (int e = 0; e < d * d; ++e) work.U[e] *= factor;
}

// μ = x̄, Λ = D L and S in the units of the data, for one lane.
template <int lane, class Dim>
MVN_FN void writeParameters(Dim d, const FitGroup& group, const FitOptions& options, const PackScratch& work) {
  const Statistics& statistics = group.statistics;
  for (int i = 0; i < d; ++i) {
    group.mean[i] = statistics.mean[i];
    const f64 scale = work.scale[i][lane];
    f64* row = group.factor + i * d;
    for (int j = 0; j <= i; ++j) row[j] = work.U[j * d + i][lane] * scale;
    for (int j = i + 1; j < d; ++j) row[j] = 0;
  }
  if (options.method == Method::closedForm) {
    const f64 share = 1 / (statistics.weight - options.ddof);
    for (int e = 0; e < d * d; ++e) group.covariance[e] = statistics.scatter[e] * share;
    return;
  }
  for (int i = 0; i < d; ++i) {
    for (int j = i; j < d; ++j) {
      group.covariance[i * d + j] = group.covariance[j * d + i] = work.W[i * d + j][lane];
    }
  }
}

// The groups of a part from `lane` on, where `wanted`.
template <int lane, class Dim>
MVN_FN void writeParameters(Dim d, const FitGroup* groups, const FitOptions& options, const PackScratch& work, const bool* wanted) {
  if (wanted[lane]) writeParameters<lane>(d, groups[lane], options, work);
  if constexpr (lane + 1 < partLanes) writeParameters<lane + 1>(d, groups, options, work, wanted);
}

// Certificates and results of a part, where `wanted`.
template <class Dim>
MVN_FN void finish(Dim d, const FitGroup* groups, const FitOptions& options, const PackScratch& work,
                   const Ending* ending, const bool* wanted) {
  const PackCertificate proof = certify(d, work);
  if (options.method != Method::closedForm) {
    gram<true>(d, work.U, [&](int i, int j, f64v sum) MVN_INLINE { work.W[i * d + j] = sum * work.scale[i] * work.scale[j]; });
  }
  writeParameters<0>(d, groups, options, work, wanted);
  for (int lane = 0; lane < partLanes; ++lane) {
    if (!wanted[lane]) continue;
    writeOutcome(SerialTeam{}, d, groups[lane], options, {proof.residual[lane], proof.gap[lane], proof.quadratic[lane]},
                 ending[lane]);
  }
}

// Fits groups[0] … groups[count−1]; the rest of the pack holds copies, of which nothing is written.
template <class Real, class Dim>
MVN_FN void fitPack(Dim d, const FitGroup (&groups)[packLanes<Real>], int count, const FitOptions& options,
                    const FitPackScratch<Real>& work) {
  constexpr int lanes = packLanes<Real>;
  bool wanted[lanes];
  Ending ending[lanes];
  for (int p = 0; p < work.parts; ++p) {
    prepare(d, groups + partLanes * p, options, work.part[p], work.single, wanted + partLanes * p);
  }
  if constexpr (isRounded<Real>) {
    if (options.method != Method::closedForm) sortOut(d, groups, count, options, work, wanted);
  }
  solve(d, groups, options, work, wanted, ending);
  for (int lane = 0; lane < lanes; ++lane) {
    const PackScratch& part = work.part[lane / partLanes];
    wanted[lane] = wanted[lane] && lane < count;
    if (!wanted[lane] || ending[lane].status != Status::stalled || isInvertible(d, part.U, lane % partLanes)) continue;
    withoutFit(SerialTeam{}, d, groups[lane], options.ddof, Status::stalled);
    goOn<Real>(d, groups[lane], options, work.single);
    wanted[lane] = false;
  }
  for (int p = 0; p < work.parts; ++p) {
    const int first = partLanes * p;
    const f64 taken = options.method == Method::closedForm ? options.ddof : 0;
    if (taken != 0) stretch(d, groups + first, taken, work.part[p]);
    finish(d, groups + first, options, work.part[p], ending + first, wanted + first);
  }
  for (int lane = 0; lane < count; ++lane) {
    if (wanted[lane]) goOn<Real>(d, groups[lane], options, work.single);
  }
}

}  // namespace mvn
