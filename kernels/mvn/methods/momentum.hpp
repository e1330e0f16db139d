// momentum.hpp: Nesterov's accelerated gradient (1983), backtracking, adaptive restart (O'Donoghue & Candès 2015).
//
//     x₊ = y − t g(y),   θ₊ = ½ (1 + √(1 + 4θ²)),   y₊ = x₊ + (θ − 1)/θ₊ (x₊ − x)
//
// The momentum starts afresh where g(y)ᵀ(x₊ − x) > 0: it has begun to carry uphill.
#pragma once

#include "mvn/methods/gradient_method.hpp"

namespace mvn {

template <class Team, class Real>
MVN_CALL Ending momentum(const Team& team, const Problem<Real>& problem, GradientScratch<Real>& work) {
  constexpr Real decrease = Real(0.5);  // what a step 1/‖Hessian‖ is sure to give
  constexpr Real growth = Real(1.1);
  const int n = problem.unknowns();
  Point<Real>&current = work.current, &trial = work.trial, &ahead = work.ahead;
  Ending ending{Status::stalled, 0};
  Watch<Real> watch;
  current.value = objective(team, problem, current.x, current.gradient, work.objective);
  Real t = firstStep(dot(team, n, current.gradient, current.gradient)), theta = 1;
  bool leading = false;  // y is ahead of x
  while (!watch.ended(team, problem, current.value, ending)) {
    const Point<Real>* from = &current;
    if (leading) {
      ahead.value = objective(team, problem, ahead.x, ahead.gradient, work.objective);
      if (isFinite(ahead.value.objective)) from = &ahead;
    }
    Point<Real> base = *from;
    setToMinus(team, n, work.direction, base.gradient);
    base.slope = dot(team, n, base.gradient, work.direction);
    const Real taken =
        backtrack(team, problem, base, work.direction, growth * t, decrease, Real(0), trial, work.objective);
    if (taken == Real(0)) {
      if (!leading) return ending;
      leading = false;
      theta = 1;
      continue;
    }
    t = taken;
    const Real uphill = dot(team, n, base.gradient, trial.x) - dot(team, n, base.gradient, current.x);
    const Real next = (Real(1) + sqrt(Real(1) + Real(4) * theta * theta)) / Real(2);
    const Real carry = (theta - Real(1)) / next;
    leading = uphill <= Real(0) && carry > Real(0);
    theta = uphill <= Real(0) ? next : Real(1);
    team.sync();
    team.each(n, [&](int i) { ahead.x[i] = trial.x[i] + carry * (trial.x[i] - current.x[i]); });
    team.sync();
    exchange(current, trial);
    ++ending.iterations;
  }
  return ending;
}

}  // namespace mvn
