// cg.hpp: nonlinear conjugate gradients, Polak–Ribière+ (Nocedal & Wright 2006, §5.2), strong Wolfe line search.
#pragma once

#include "mvn/methods/gradient_method.hpp"

namespace mvn {

template <class Real> struct ConjugateGradients {
  Point<Real>* wanted;
  Ending ending{Status::stalled, 0};

  MVN_FN explicit ConjugateGradients(GradientScratch<Real>& work) : wanted(&work.current) {}

  template <class Team> MVN_FN bool advance(const Team& team, const Problem<Real>& problem, GradientScratch<Real>& work) {
    constexpr Real curvature = Real(0.1);  // conjugacy wants a nearly exact line search
    Point<Real>&current = work.current, &trial = work.trial;
    if (wanted == &current) {
      squared_ = dot(team, problem.unknowns(), current.gradient, current.gradient);
      descend(team, problem, work);
    } else {
      const Search search = search_.advance(team, problem, current, work.direction, curvature, trial);
      if (search == Search::going) return true;
      if (search == Search::found) {
        turn(team, problem, work);
      } else {
        if (steepest_) return false;
        descend(team, problem, work);
      }
    }
    for (;;) {
      if (watch_.ended(team, problem, current.value, ending)) return false;
      if (current.slope < Real(0)) break;
      if (steepest_) return false;
      descend(team, problem, work);
    }
    search_.begin(team, problem, current, work.direction, t_, trial);
    wanted = &trial;
    return true;
  }

 private:
  Real squared_ = 0, t_ = 0;  // gᵀg, and the first step to try
  bool steepest_ = true;      // p is −g
  Watch<Real> watch_;
  WolfeSearch<Real> search_;

  // p ← −g
  template <class Team>
  MVN_FN void descend(const Team& team, const Problem<Real>& problem, GradientScratch<Real>& work) {
    steepest_ = true;
    setToMinus(team, problem.unknowns(), work.direction, work.current.gradient);
    work.current.slope = -squared_;
    t_ = firstStep(squared_);
  }

  // To the point found; p ← βp − g₊.
  template <class Team>
  MVN_FN void turn(const Team& team, const Problem<Real>& problem, GradientScratch<Real>& work) {
    constexpr Real orthogonality = Real(0.2);  // Powell's restart: successive gradients are far from orthogonal
    const int n = problem.unknowns();
    Point<Real>&current = work.current, &trial = work.trial;
    Real* p = work.direction;
    const Real across = dot(team, n, trial.gradient, current.gradient);
    const Real next = dot(team, n, trial.gradient, trial.gradient);
    const Real beta = max(Real(0), (next - across) / squared_);
    steepest_ = beta == Real(0) || abs(across) >= orthogonality * next;
    team.each(n, [&](int i) { p[i] = (steepest_ ? Real(0) : beta * p[i]) - trial.gradient[i]; });
    const Real slope = dot(team, n, trial.gradient, p);
    t_ = search_.t * current.slope / slope;  // the same first-order decrease as the last step
    squared_ = next;
    exchange(current, trial);
    current.slope = slope;
    ++ending.iterations;
  }
};

}  // namespace mvn
