// bb.hpp: Barzilai & Borwein (1988) steps along −g, made global by the non-monotone Armijo rule of Grippo, Lampariello
// & Lucidi (1986) as in Raydan (1997).
//
//     t = sᵀs/sᵀy  or  sᵀy/yᵀy,  s = x₊ − x,  y = g₊ − g
//
// The short step is taken where it is less than half of the long one (Zhou, Gao & Dai 2006).
#pragma once

#include "mvn/methods/gradient_method.hpp"

namespace mvn {

template <class Real> struct BarzilaiBorwein {
  Point<Real>* wanted;
  Ending ending{Status::stalled, 0};

  MVN_FN explicit BarzilaiBorwein(GradientScratch<Real>& work) : wanted(&work.current) {}

  template <class Team> MVN_FN bool advance(const Team& team, const Problem<Real>& problem, GradientScratch<Real>& work) {
    constexpr Real decrease = Real(1e-4);
    const int n = problem.unknowns();
    Point<Real>&current = work.current, &trial = work.trial;
    if (wanted == &current) {
      for (int k = 0; k < memory; ++k) recent_[k] = current.value.objective;
      squared_ = dot(team, n, current.gradient, current.gradient);
      t_ = firstStep(squared_);
    } else {
      const Search search = search_.advance(team, problem, current, work.direction, decrease, allowed_, trial);
      if (search != Search::found) return search == Search::going;
      chooseStep(dot(team, n, trial.gradient, trial.gradient), -trial.slope);
      exchange(current, trial);
      ++ending.iterations;
      recent_[ending.iterations % memory] = current.value.objective;
    }
    if (watch_.ended(team, problem, current.value, ending)) return false;
    setToMinus(team, n, work.direction, current.gradient);
    current.slope = -squared_;
    Real highest = current.value.objective;
    for (int k = 0; k < memory; ++k) highest = max(highest, recent_[k]);
    allowed_ = highest - current.value.objective;
    search_.begin(team, problem, current, work.direction, t_, trial);
    wanted = &trial;
    return true;
  }

 private:
  static constexpr int memory = 10;
  Real recent_[memory] = {};  // J/n of the last points
  Real squared_ = 0, t_ = 0, allowed_ = 0;
  Watch<Real> watch_;
  Backtracking<Real> search_;

  // The next t, from g₊ᵀg₊ and gᵀg₊.
  MVN_FN void chooseStep(Real next, Real across) {
    constexpr Real shortShare = Real(0.5), growth = 10;
    const Real t = search_.t;
    const Real curvature = squared_ - across;                // sᵀy / t
    const Real yield = next - Real(2) * across + squared_;   // yᵀy
    if (curvature > Real(0) && yield > Real(0)) {
      const Real longStep = t * squared_ / curvature, shortStep = t * curvature / yield;
      t_ = shortStep < shortShare * longStep ? shortStep : longStep;
    } else {
      t_ = growth * t;
    }
    squared_ = next;
  }
};

}  // namespace mvn
