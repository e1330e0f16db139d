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

// A point that the method stands on or tries: unknowns, gradient, relative gradient for a method that asks for it (null
// else), J/n, r, and the slope along the direction in use.
template <class Real> struct Point {
  Real *x, *gradient, *relative;
  Value<Real> value;
  Real slope;
};

template <class Real>
MVN_FN Real change(const Point<Real>& from, const Point<Real>& to, Real t) {
  const Real difference = to.value.objective - from.value.objective;
  if (!(abs(difference) <= from.value.noise)) return difference;
  return t * (from.slope + to.slope) / Real(2);
}

// to.x ← from.x + t p
template <class Team, class Real>
MVN_FN void place(const Team& team, const Problem<Real>& problem, const Point<Real>& from, const Real* p, Real t,
                  Point<Real>& to) {
  team.each(problem.unknowns(), [&](int i) { to.x[i] = from.x[i] + t * p[i]; });
  team.sync();
}

// The slope along p at a point whose value is known.
template <class Team, class Real>
MVN_FN Real slopeAlong(const Team& team, const Problem<Real>& problem, const Point<Real>& at, const Real* p) {
  return isFinite(at.value.objective) ? dot(team, problem.unknowns(), at.gradient, p) : Real(0);
}

// How a search goes on once the value at its point is known.
enum class Search : u8 { going, found, failed };

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

// Strong Wolfe: φ(t) ≤ φ(0) + c₁ t φ'(0) and |φ'(t)| ≤ c₂ |φ'(0)|. `from.slope` is φ'(0) < 0. The search places `to`,
// and is advanced when the value there is known; where it has found, `to` is the point at t. It fails where there is no
// such t: p no longer descends beyond rounding.
template <class Real> struct WolfeSearch {
  Real t = 0;

  template <class Team>
  MVN_FN void begin(const Team& team, const Problem<Real>& problem, const Point<Real>& from, const Real* p, Real first,
                    Point<Real>& to) {
    *this = {};
    t = first;
    low_ = {0, from.slope, 0};
    place(team, problem, from, p, t, to);
  }

  template <class Team>
  MVN_CALL Search advance(const Team& team, const Problem<Real>& problem, const Point<Real>& from, const Real* p,
                          Real curvature, Point<Real>& to) {
    constexpr int trials = 30;
    to.slope = slopeAlong(team, problem, to, p);
    const Search outcome = judge(from, to, curvature);
    if (outcome != Search::going) return outcome;
    if (++trial_ == trials) return Search::failed;
    place(team, problem, from, p, t, to);
    return Search::going;
  }

 private:
  struct End {
    Real t = 0, slope = 0, change = 0;
  };
  End low_, high_;  // the best end of the bracket, and the other, once there is one
  bool bracketed_ = false;
  int trial_ = 0;

  // Moves t on, unless the point there will do.
  MVN_FN Search judge(const Point<Real>& from, const Point<Real>& to, Real curvature) {
    constexpr Real decrease = Real(1e-4), expansion = 4;
    if (!isFinite(to.value.objective)) {  // over the barrier: no values to interpolate
      high_.t = t;
      high_.change = infinity<Real>;
      bracketed_ = true;
      t = low_.t + (t - low_.t) / Real(4);
      return Search::going;
    }
    const End here{t, to.slope, change(from, to, t)};
    const bool enough =
        here.change <= decrease * t * from.slope && (low_.t == Real(0) || here.change <= low_.change);
    if (enough && abs(here.slope) <= -curvature * from.slope) return Search::found;
    if (!enough) {
      high_ = here;
      bracketed_ = true;
    } else if (here.slope * (bracketed_ ? high_.t - low_.t : Real(1)) >= Real(0)) {  // the minimum lies before t
      high_ = low_;
      low_ = here;
      bracketed_ = true;
    } else {
      low_ = here;
      if (!bracketed_) {
        t = t * expansion;
        return Search::going;
      }
    }
    if (abs(high_.t - low_.t) <= roundingUnit<Real> * abs(low_.t)) return Search::failed;
    t = isFinite(high_.change) ? cubicStep(low_.t, low_.slope, high_.t, high_.slope, high_.change - low_.change)
                               : low_.t + (high_.t - low_.t) / Real(4);
    return Search::going;
  }
};

// The longest of t, t/2, t/4 … along p with a change of at most `allowed` + c₁ t φ'(0): Armijo's rule. Used as
// WolfeSearch is.
template <class Real> struct Backtracking {
  Real t = 0;

  template <class Team>
  MVN_FN void begin(const Team& team, const Problem<Real>& problem, const Point<Real>& from, const Real* p, Real first,
                    Point<Real>& to) {
    t = first;
    halved_ = 0;
    place(team, problem, from, p, t, to);
  }

  template <class Team>
  MVN_FN Search advance(const Team& team, const Problem<Real>& problem, const Point<Real>& from, const Real* p,
                        Real decrease, Real allowed, Point<Real>& to) {
    constexpr int halvings = 60;
    to.slope = slopeAlong(team, problem, to, p);
    if (change(from, to, t) <= allowed + decrease * t * from.slope) return Search::found;
    if (++halved_ == halvings) return Search::failed;
    t = t / Real(2);
    place(team, problem, from, p, t, to);
    return Search::going;
  }

 private:
  int halved_ = 0;
};

}  // namespace mvn
