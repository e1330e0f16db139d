// cg.hpp: nonlinear conjugate gradients, Polak–Ribière+ (Nocedal & Wright 2006, §5.2), strong Wolfe line search.
#pragma once

#include "mvn/methods/gradient_method.hpp"

namespace mvn {

template <class Team, class Real>
MVN_CALL Ending cg(const Team& team, const Problem<Real>& problem, GradientScratch<Real>& work) {
  constexpr Real curvature = Real(0.1);      // conjugacy wants a nearly exact line search
  constexpr Real orthogonality = Real(0.2);  // Powell's restart: successive gradients are far from orthogonal
  const int n = problem.unknowns();
  Point<Real>&current = work.current, &trial = work.trial;
  Real* p = work.direction;
  Ending ending{Status::stalled, 0};
  Watch<Real> watch;
  current.value = objective(team, problem, current.x, current.gradient, work.objective);
  Real squared = dot(team, n, current.gradient, current.gradient);
  bool steepest = true;  // p is −g
  setToMinus(team, n, p, current.gradient);
  current.slope = -squared;
  Real t = firstStep(squared);
  while (!watch.ended(team, problem, current.value, ending)) {
    const Real taken = current.slope < Real(0)
                           ? wolfeSearch(team, problem, current, p, t, curvature, trial, work.objective)
                           : Real(0);
    if (taken == Real(0)) {
      if (steepest) return ending;
      steepest = true;
      setToMinus(team, n, p, current.gradient);
      current.slope = -squared;
      t = firstStep(squared);
      continue;
    }
    const Real across = dot(team, n, trial.gradient, current.gradient);
    const Real next = dot(team, n, trial.gradient, trial.gradient);
    const Real beta = max(Real(0), (next - across) / squared);
    steepest = beta == Real(0) || abs(across) >= orthogonality * next;
    team.each(n, [&](int i) { p[i] = (steepest ? Real(0) : beta * p[i]) - trial.gradient[i]; });
    team.sync();
    const Real slope = dot(team, n, trial.gradient, p);
    t = taken * current.slope / slope;  // the same first-order decrease as the last step
    squared = next;
    exchange(current, trial);
    current.slope = slope;
    ++ending.iterations;
  }
  return ending;
}

}  // namespace mvn
