// gradient_descent.hpp: x ← x − t g with Armijo backtracking: the plain member of the family, slow by theory.
#pragma once

#include "mvn/methods/gradient_method.hpp"

namespace mvn {

template <class Team, class Real>
MVN_CALL Ending gradientDescent(const Team& team, const Problem<Real>& problem, GradientScratch<Real>& work) {
  constexpr Real decrease = Real(0.3), growth = 2;
  const int n = problem.unknowns();
  Point<Real>&current = work.current, &trial = work.trial;
  Ending ending{Status::stalled, 0};
  Watch<Real> watch;
  current.value = objective(team, problem, current.x, current.gradient, work.objective);
  Real t = firstStep(dot(team, n, current.gradient, current.gradient));
  while (!watch.ended(team, problem, current.value, ending)) {
    setToMinus(team, n, work.direction, current.gradient);
    current.slope = dot(team, n, current.gradient, work.direction);
    t = backtrack(team, problem, current, work.direction, growth * t, decrease, Real(0), trial, work.objective);
    if (t == Real(0)) return ending;
    exchange(current, trial);
    ++ending.iterations;
  }
  return ending;
}

}  // namespace mvn
