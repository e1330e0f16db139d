// momentum.hpp: Nesterov's accelerated gradient (1983), backtracking, adaptive restart (O'Donoghue & Candès 2015).
//
//     x₊ = y − t g(y),   θ₊ = ½ (1 + √(1 + 4θ²)),   y₊ = x₊ + (θ − 1)/θ₊ (x₊ − x)
//
// The momentum starts afresh where g(y)ᵀ(x₊ − x) > 0: it has begun to carry uphill.
#pragma once

#include "mvn/methods/gradient_method.hpp"

namespace mvn {

template <class Real> struct Momentum {
  Point<Real>* wanted;
  Ending ending{Status::stalled, 0};

  MVN_FN explicit Momentum(GradientScratch<Real>& work) : wanted(&work.current) {}

  template <class Team> MVN_FN bool advance(const Team& team, const Problem<Real>& problem, GradientScratch<Real>& work) {
    constexpr Real decrease = Real(0.5);  // what a step 1/‖Hessian‖ is sure to give
    const int n = problem.unknowns();
    Point<Real>&current = work.current, &trial = work.trial, &ahead = work.ahead;
    if (wanted == &ahead) {
      const bool inside = isFinite(ahead.value.objective);
      return descendFrom(team, problem, inside ? ahead : current, work);
    }
    if (wanted == &current) {
      t_ = firstStep(dot(team, n, current.gradient, current.gradient));
    } else {
      const Search search = search_.advance(team, problem, base_, work.direction, decrease, Real(0), trial);
      if (search == Search::going) return true;
      if (search == Search::found) {
        carryOn(team, problem, work);
      } else {
        if (!leading_) return false;
        leading_ = false;
        theta_ = 1;
      }
    }
    if (watch_.ended(team, problem, current.value, ending)) return false;
    if (!leading_) return descendFrom(team, problem, current, work);
    wanted = &ahead;
    return true;
  }

 private:
  Real t_ = 0, theta_ = 1;
  bool leading_ = false;  // y is ahead of x
  Point<Real> base_{};    // y, where the step begins
  Watch<Real> watch_;
  Backtracking<Real> search_;

  template <class Team>
  MVN_FN bool descendFrom(const Team& team, const Problem<Real>& problem, const Point<Real>& from,
                          GradientScratch<Real>& work) {
    constexpr Real growth = Real(1.1);
    const int n = problem.unknowns();
    base_ = from;
    setToMinus(team, n, work.direction, base_.gradient);
    base_.slope = dot(team, n, base_.gradient, work.direction);
    search_.begin(team, problem, base_, work.direction, growth * t_, work.trial);
    wanted = &work.trial;
    return true;
  }

  // To the point found, x₊, and y₊ ahead of it.
  template <class Team>
  MVN_FN void carryOn(const Team& team, const Problem<Real>& problem, GradientScratch<Real>& work) {
    const int n = problem.unknowns();
    Point<Real>&current = work.current, &trial = work.trial, &ahead = work.ahead;
    t_ = search_.t;
    const Real uphill = dot(team, n, base_.gradient, trial.x) - dot(team, n, base_.gradient, current.x);
    const Real next = (Real(1) + sqrt(Real(1) + Real(4) * theta_ * theta_)) / Real(2);
    const Real carry = (theta_ - Real(1)) / next;
    leading_ = uphill <= Real(0) && carry > Real(0);
    theta_ = uphill <= Real(0) ? next : Real(1);
    team.each(n, [&](int i) { ahead.x[i] = trial.x[i] + carry * (trial.x[i] - current.x[i]); });
    team.sync();
    exchange(current, trial);
    ++ending.iterations;
  }
};

}  // namespace mvn
