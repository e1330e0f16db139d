// bb.hpp: Barzilai & Borwein (1988) steps along −g, made global by the non-monotone Armijo rule of Grippo, Lampariello
// & Lucidi (1986) as in Raydan (1997).
//
//     t = sᵀs/sᵀy  or  sᵀy/yᵀy,  s = x₊ − x,  y = g₊ − g
//
// The short step is taken where it is less than half of the long one (Zhou, Gao & Dai 2006).
#pragma once

#include "mvn/methods/gradient_method.hpp"

namespace mvn {

template <class Team, class Real>
MVN_CALL Ending barzilaiBorwein(const Team& team, const Problem<Real>& problem, GradientScratch<Real>& work) {
  constexpr Real decrease = Real(1e-4), shortShare = Real(0.5), growth = 10;
  constexpr int memory = 10;
  Real recent[memory];  // J/n of the last points
  const int n = problem.unknowns();
  Point<Real>&current = work.current, &trial = work.trial;
  Real* p = work.direction;
  Ending ending{Status::stalled, 0};
  Watch<Real> watch;
  current.value = objective(team, problem, current.x, current.gradient, work.objective);
  for (int k = 0; k < memory; ++k) recent[k] = current.value.objective;
  Real squared = dot(team, n, current.gradient, current.gradient), t = firstStep(squared);
  while (!watch.ended(team, problem, current.value, ending)) {
    setToMinus(team, n, p, current.gradient);
    current.slope = -squared;
    Real highest = current.value.objective;
    for (int k = 0; k < memory; ++k) highest = max(highest, recent[k]);
    const Real allowed = highest - current.value.objective;
    t = backtrack(team, problem, current, p, t, decrease, allowed, trial, work.objective);
    if (t == Real(0)) return ending;

    const Real next = dot(team, n, trial.gradient, trial.gradient);
    const Real across = -trial.slope;                  // gᵀg₊
    const Real curvature = squared - across;           // sᵀy / t
    const Real yield = next - Real(2) * across + squared;  // yᵀy
    if (curvature > Real(0) && yield > Real(0)) {
      const Real longStep = t * squared / curvature, shortStep = t * curvature / yield;
      t = shortStep < shortShare * longStep ? shortStep : longStep;
    } else {
      t = growth * t;
    }
    squared = next;
    exchange(current, trial);
    ++ending.iterations;
    recent[ending.iterations % memory] = current.value.objective;
  }
  return ending;
}

}  // namespace mvn
