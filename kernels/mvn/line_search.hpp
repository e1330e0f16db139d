// line_search.hpp: how far to go along a direction p from x, and what counts as a decrease.
//
// Near the optimum J/n is flat to the last bit while its gradient still has digits. The change of J/n over a step t is
// therefore taken from the two values where they differ by more than their rounding, and from the two slopes else:
//     ½ t (φ'(0) + φ'(t)),
// exact for a quadratic. This is the approximate Wolfe condition of Hager & Zhang (2005), in one place for all
// methods, and what lets float32 converge.
#pragma once

#include "objective.hpp"

namespace mvn {

// A point that the method stands on or tries: unknowns, gradient, J/n, r, and the slope along the direction in use.
template <class Real> struct Point {
  Real *x, *gradient;
  Value<Real> value;
  Real slope;
};

template <class Real>
MVN_FN Real change(const Point<Real>& from, const Point<Real>& to, Real t) {
  const Real difference = to.value.objective - from.value.objective;
  if (!(abs(difference) <= from.value.noise)) return difference;
  return t * (from.slope + to.slope) / Real(2);
}

// to ← J/n, gradient and slope at from.x + t p.
template <class Team, class Real>
MVN_FN void step(const Team& team, const Problem<Real>& problem, const Point<Real>& from, const Real* p, Real t,
                 Point<Real>& to, const ObjectiveScratch<Real>& work) {
  const int n = problem.unknowns();
  team.each(n, [&](int i) { to.x[i] = from.x[i] + t * p[i]; });
  team.sync();
  to.value = objective(team, problem, to.x, to.gradient, work);
  to.slope = isFinite(to.value.objective) ? dot(team, n, to.gradient, p) : Real(0);
}

// Minimiser of the cubic through value and slope at a and b (Nocedal & Wright, eq. 3.59), kept inside by a tenth of
// the interval; its middle where the cubic has none. `rise` is φ(b) − φ(a).
template <class Real> MVN_FN Real cubicStep(Real a, Real slopeA, Real b, Real slopeB, Real rise) {
  const Real width = b - a;
  const Real d1 = slopeA + slopeB - Real(3) * rise / width;
  const Real root = d1 * d1 - slopeA * slopeB;
  Real at = (a + b) / Real(2);
  if (root >= Real(0)) {
    const Real d2 = width > Real(0) ? sqrt(root) : -sqrt(root);
    const Real guess = b - width * (slopeB + d2 - d1) / (slopeB - slopeA + Real(2) * d2);
    if (isFinite(guess)) at = guess;
  }
  const Real margin = abs(width) / Real(10), low = min(a, b) + margin, high = max(a, b) - margin;
  return min(max(at, low), high);
}

// Strong Wolfe: φ(t) ≤ φ(0) + c₁ t φ'(0) and |φ'(t)| ≤ c₂ |φ'(0)|. `from.slope` is φ'(0) < 0; on success `to` is the
// point at t, and t is returned. 0 when no such t is found: p no longer descends beyond rounding.
template <class Team, class Real>
MVN_CALL Real wolfeSearch(const Team& team, const Problem<Real>& problem, const Point<Real>& from, const Real* p,
                          Real t, Real curvature, Point<Real>& to, const ObjectiveScratch<Real>& work) {
  constexpr Real decrease = Real(1e-4), expansion = 4;
  constexpr int trials = 30;
  Real low = 0, lowSlope = from.slope, lowChange = 0;  // the best end of the bracket
  Real high = 0, highSlope = 0, highChange = 0;        // the other end, once there is one
  bool bracketed = false;
  for (int trial = 0; trial < trials; ++trial) {
    step(team, problem, from, p, t, to, work);
    if (!isFinite(to.value.objective)) {  // over the barrier: no values to interpolate
      high = t;
      highChange = infinity<Real>;
      bracketed = true;
      t = low + (t - low) / Real(4);
      continue;
    }
    const Real risen = change(from, to, t);
    const bool enough = risen <= decrease * t * from.slope && (low == Real(0) || risen <= lowChange);
    if (enough && abs(to.slope) <= -curvature * from.slope) return t;
    if (!enough || to.slope * (bracketed ? high - low : Real(1)) >= Real(0)) {
      if (enough) {  // the minimum lies between low and t
        high = low;
        highSlope = lowSlope;
        highChange = lowChange;
        low = t;
        lowSlope = to.slope;
        lowChange = risen;
      } else {
        high = t;
        highSlope = to.slope;
        highChange = risen;
      }
      bracketed = true;
    } else {
      low = t;
      lowSlope = to.slope;
      lowChange = risen;
      if (!bracketed) {
        t = t * expansion;
        continue;
      }
    }
    if (abs(high - low) <= roundingUnit<Real> * abs(low)) return 0;
    t = isFinite(highChange) ? cubicStep(low, lowSlope, high, highSlope, highChange - lowChange)
                             : low + (high - low) / Real(4);
  }
  return 0;
}

}  // namespace mvn
