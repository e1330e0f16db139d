// gradient.hpp: a gradient method on many groups, as many at once as a vector has lanes.
//
// Every lane has a group, with a machine (methods/gradient_method.hpp) and scratch of its own. Values of J are computed for
// all lanes together, the rest of an iteration lane by lane. Groups need very different numbers of iterations, so a
// lane whose group has ended takes the next one; towards the end a lane without a group computes what another does.
#pragma once

#include "mvn/packs/fit.hpp"
#include "mvn/packs/objective.hpp"

namespace mvn {

template <class Real, class Machine> struct GradientLane {
  FitScratch work;
  GradientScratch<Real> scratch;
  Machine machine;
  Problem<Real> problem;
  FitGroup group;
  bool busy = false;

  // J's matrices: PackObjectiveScratch has them for all lanes.
  static constexpr SharedMatrices<Real> elsewhere{};

  MVN_FN GradientLane(Scratch& s, int d, Method method)
      : work(s, d, 0), scratch(s, d, method, elsewhere), machine(scratch), problem{}, group{} {}

  // Takes a group up; false where it has no maximum or goes by float64, which is then written.
  MVN_FN bool begin(int d, const FitGroup& taken, const FitOptions& options, const FitScratch& single) {
    const SerialTeam team;
    group = taken;
    const Status missing = existence(team, Dynamic{d}, group.statistics, options, work);
    busy = missing == Status::converged;
    if (!busy) {
      withoutFit(team, d, group, options.ddof, missing);
      return false;
    }
    if constexpr (isRounded<Real>) {
      busy = suffices<Real>(traceOfInverse(team, Dynamic{d}, work.U, work.inverse, work.T), options.tolerance);
      if (!busy) {
        fitInFloat64(d, group, options, single);
        return false;
      }
    }
    const bool centred = beginAt(team, d, options.start, group.statistics.mean, group.startMean, group.startFactor,
                                 work.inverseScale, work.m, work.U, work.T, work.z);
    problem = {d, nullptr, centred, Real(aim * options.tolerance), options.maxIterations, options.stop};
    machine = Machine(scratch);
    toUnknowns(team, problem, work.U, work.m, scratch.current.x);
    return true;
  }

  // With the value at machine.wanted; false where the group has ended, which is then written.
  MVN_CALL bool advance(const FitOptions& options, const FitScratch& single) {
    const SerialTeam team;
    if (machine.advance(team, problem, scratch)) return true;
    fromUnknowns(team, problem, scratch.current.x, work.U, work.m);
    finish(team, Dynamic{problem.d}, group, options, problem.centred, work, machine.ending);
    goOn<Real>(problem.d, group, options, single);
    busy = false;
    return false;
  }
};

// groupAt(0) … groupAt(groups − 1), by the lanes given.
template <class Real, class Machine, class GroupAt>
MVN_FN void fitByLanes(int d, GradientLane<Real, Machine> (&all)[packLanes<Real>], int groups, GroupAt groupAt,
                       const FitOptions& options, const PackObjectiveScratch<Vector<Real>>& work,
                       const FitScratch& single) {
  constexpr int lanes = packLanes<Real>;
  int next = 0;
  const auto load = [&](int lane) {
    while (next < groups) {
      if (!all[lane].begin(d, groupAt(next++), options, single)) continue;
      setLane(d * d, work.R, lane, all[lane].work.R);
      return;
    }
  };
  for (int lane = 0; lane < lanes; ++lane) load(lane);
  for (;;) {
    const Real* x[lanes];
    Real *gradient[lanes], *relative[lanes];
    bool centred[lanes];
    Value<Real> value[lanes];
    int working = -1;
    for (int lane = 0; lane < lanes; ++lane) working = all[lane].busy ? lane : working;
    if (working < 0) return;
    for (int lane = 0; lane < lanes; ++lane) {
      const GradientLane<Real, Machine>& own = all[lane];
      x[lane] = all[own.busy ? lane : working].machine.wanted->x;
      gradient[lane] = own.busy ? own.machine.wanted->gradient : own.scratch.trial.gradient;
      relative[lane] = (own.busy ? *own.machine.wanted : own.scratch.trial).relative;
      centred[lane] = !own.busy || own.problem.centred;
    }
    withPackDimension<Real>(d, [&](auto dimension) { objectiveAt(dimension, centred, x, gradient, relative, value, work); });
    for (int lane = 0; lane < lanes; ++lane) {
      if (!all[lane].busy) continue;
      all[lane].machine.wanted->value = value[lane];
      if (!all[lane].advance(options, single) && !all[lane].problem.stopped(SerialTeam{}, 0)) load(lane);
    }
  }
}

template <class Real> MVN_FN i64 gradientPackBytes(int d, Method method) {
  Scratch count;
  FitScratch(count, d, singleBytes<Real>(d, method));
  for (int lane = 0; lane < packLanes<Real>; ++lane) {
    FitScratch(count, d, 0);
    GradientScratch<Real>(count, d, method, SharedMatrices<Real>{});
  }
  PackObjectiveScratch<Vector<Real>>(count, d);
  return count.used;
}

// As fitGroup() for groupAt(0) … groupAt(groups − 1), by a gradient method; `block` has gradientPackBytes().
template <class Real, class GroupAt>
MVN_FN void fitByGradient(int d, int groups, GroupAt groupAt, const FitOptions& options, char* block) {
  withGradientMethod<Real>(options.method, [&](auto type) {
    using Lane = GradientLane<Real, typename decltype(type)::type>;
    Scratch s(block);
    const FitScratch single(s, d, singleBytes<Real>(d, options.method));
    const PackObjectiveScratch<Vector<Real>> work(s, d);
    const auto lane = [&](int) { return Lane(s, d, options.method); };
    const auto fitIn = [&]<int... I>(LaneNumbers<I...>) {
      Lane all[] = {lane(I)...};
      fitByLanes(d, all, groups, groupAt, options, work, single);
    };
    fitIn(LanesOf<packLanes<Real>>{});
  });
}

}  // namespace mvn
