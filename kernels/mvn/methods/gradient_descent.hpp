// gradient_descent.hpp: x ← x − t g with Armijo backtracking: the plain member of the family, slow by theory.
#pragma once

#include "mvn/methods/gradient_method.hpp"

namespace mvn {

template <class Real> struct GradientDescent {
  Point<Real>* wanted;
  Ending ending{Status::stalled, 0};

  MVN_FN explicit GradientDescent(GradientScratch<Real>& work) : wanted(&work.current) {}

  template <class Team> MVN_FN bool advance(const Team& team, const Problem<Real>& problem, GradientScratch<Real>& work) {
    constexpr Real decrease = Real(0.3), growth = 2;
    const int n = problem.unknowns();
    Point<Real>&current = work.current, &trial = work.trial;
    if (wanted == &current) {
      search_.t = firstStep(dot(team, n, current.gradient, current.gradient));
    } else {
      const Search search = search_.advance(team, problem, current, work.direction, decrease, Real(0), trial);
      if (search != Search::found) return search == Search::going;
      exchange(current, trial);
      ++ending.iterations;
    }
    if (watch_.ended(team, problem, current.value, ending)) return false;
    setToMinus(team, n, work.direction, current.gradient);
    current.slope = dot(team, n, current.gradient, work.direction);
    search_.begin(team, problem, current, work.direction, growth * search_.t, trial);
    wanted = &trial;
    return true;
  }

 private:
  Watch<Real> watch_;
  Backtracking<Real> search_;
};

}  // namespace mvn
