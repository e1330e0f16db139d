// gradient_method.hpp: what the methods share that use only current and past gradients.
#pragma once

#include "mvn/line_search.hpp"

namespace mvn {

constexpr int lbfgsPairs = 8;

template <class Real> struct GradientScratch {
  ObjectiveScratch<Real> objective;
  Point<Real> current, trial, ahead;  // `current` holds the start, and the result
  Real* direction;
  Real *step, *pairs;  // L-BFGS: the direction as a relative step, s and y of the last ones

  MVN_FN GradientScratch(Scratch& s, int d, Method method, const SharedMatrices<Real>& shared)
      : objective(s, d, shared) {
    const int n = d * (d + 1) / 2 + d;
    Point<Real>* points[] = {&current, &trial, &ahead};
    for (Point<Real>* point : points) {
      point->x = s.take<Real>(n);
      point->gradient = s.take<Real>(n);
      point->relative = nullptr;
    }
    direction = s.take<Real>(n);
    step = pairs = nullptr;
    if (method != Method::lbfgs) return;
    current.relative = ahead.x;
    trial.relative = ahead.gradient;
    step = s.take<Real>(n);
    pairs = s.take<Real>(i64(2) * lbfgsPairs * n);
  }
};

template <class Real> MVN_FN void exchange(Point<Real>& a, Point<Real>& b) {
  const Point<Real> kept = a;
  a = b;
  b = kept;
}

// p ← −g, each lane its own elements.
template <class Team, class Real> MVN_FN void setToMinus(const Team& team, int n, Real* p, const Real* gradient) {
  team.each(n, [&](int i) { p[i] = -gradient[i]; });
}

// Whether to go on. Stalled: J/n has moved within its rounding and r has not fallen for many steps in a row.
template <class Real> struct Watch {
  Real lowest = infinity<Real>, objective = infinity<Real>;
  int flat = 0;

  template <class Team>
  MVN_FN bool ended(const Team& team, const Problem<Real>& problem, const Value<Real>& at, Ending& ending) {
    constexpr int patience = 50;
    constexpr Real fallen = Real(0.99);
    const bool moved = !(abs(objective - at.objective) <= at.noise);
    flat = moved || at.residual < fallen * lowest ? 0 : flat + 1;
    lowest = min(lowest, at.residual);
    objective = at.objective;
    if (at.residual <= problem.tolerance) {
      ending.status = Status::converged;
    } else if (!isFinite(at.objective) || flat >= patience) {
      ending.status = Status::stalled;
    } else if (ending.iterations >= problem.maxIterations || problem.stopped(team, ending.iterations)) {
      ending.status = Status::maxIterations;
    } else {
      return false;
    }
    return true;
  }
};

// A first step along −g: one unit of length at most.
template <class Real> MVN_FN Real firstStep(Real gradientSquared) {
  return min(Real(1), Real(1) / sqrt(gradientSquared));
}

// One group by one method, from work.current, which it replaces. `Method` is a machine that asks for values of J:
//
//     Method<Real> method(work);       wants the value at the start
//     method.wanted                    the point at which it wants J/n, r and the gradient next
//     method.advance(team, …)          goes on when they are there; false when it has ended
//     method.ending                    how
//
// A machine does not evaluate J itself, so that several groups can be evaluated at once (packs/gradient.hpp).
template <class Method, class Team, class Real>
MVN_CALL Ending run(const Team& team, const Problem<Real>& problem, GradientScratch<Real>& work) {
  Method method(work);
  do {
    Point<Real>& at = *method.wanted;
    at.value = objective(team, problem, at.x, at.gradient, at.relative, work.objective);
  } while (method.advance(team, problem, work));
  return method.ending;
}

}  // namespace mvn
