// lbfgs.hpp: limited-memory BFGS, two-loop recursion over the last 8 steps (Nocedal & Wright 2006, algorithm 7.4),
// with a strong Wolfe line search.
#pragma once

#include "mvn/methods/gradient_method.hpp"

namespace mvn {

// The last pairs s = x₊ − x, y = g₊ − g, with sᵀy > 0, as a ring.
template <class Real> struct Pairs {
  Real* data;
  int n, count = 0;  // pairs ever kept
  Real rho[lbfgsPairs] = {};

  MVN_FN Real* s(int k) const { return data + i64(k % lbfgsPairs) * n; }
  MVN_FN Real* y(int k) const { return data + i64(lbfgsPairs + k % lbfgsPairs) * n; }
  MVN_FN int oldest() const { return max(0, count - lbfgsPairs); }

  template <class Team> MVN_FN void keep(const Team& team, const Point<Real>& from, const Point<Real>& to) {
    Real *step = s(count), *yield = y(count);
    team.each(n, [&](int i) {
      step[i] = to.x[i] - from.x[i];
      yield[i] = to.gradient[i] - from.gradient[i];
    });
    team.sync();
    const Real curvature = dot(team, n, step, yield);
    if (!(curvature > Real(0)) || !isFinite(Real(1) / curvature)) return;
    rho[count % lbfgsPairs] = Real(1) / curvature;
    ++count;
  }
};

// p ← −H g, H the inverse Hessian that the pairs stand for.
template <class Team, class Real>
MVN_FN void twoLoops(const Team& team, const Pairs<Real>& pairs, const Real* gradient, Real* p) {
  const int n = pairs.n;
  Real alpha[lbfgsPairs];
  setToMinus(team, n, p, gradient);
  if (pairs.count == 0) return;
  for (int k = pairs.count - 1; k >= pairs.oldest(); --k) {
    alpha[k % lbfgsPairs] = pairs.rho[k % lbfgsPairs] * dot(team, n, pairs.s(k), p);
    team.sync();
    addScaled(team, n, p, -alpha[k % lbfgsPairs], pairs.y(k));
  }
  const int last = pairs.count - 1;
  const Real scale = Real(1) / (pairs.rho[last % lbfgsPairs] * dot(team, n, pairs.y(last), pairs.y(last)));
  team.each(n, [&](int i) { p[i] = p[i] * scale; });
  team.sync();
  for (int k = pairs.oldest(); k < pairs.count; ++k) {
    const Real beta = pairs.rho[k % lbfgsPairs] * dot(team, n, pairs.y(k), p);
    team.sync();
    addScaled(team, n, p, alpha[k % lbfgsPairs] - beta, pairs.s(k));
  }
}

template <class Real> struct Lbfgs {
  Point<Real>* wanted;
  Ending ending{Status::stalled, 0};

  MVN_FN explicit Lbfgs(GradientScratch<Real>& work) : wanted(&work.current), pairs_{work.pairs, 0} {}

  template <class Team> MVN_FN bool advance(const Team& team, const Problem<Real>& problem, GradientScratch<Real>& work) {
    constexpr Real curvature = Real(0.9);
    Point<Real>&current = work.current, &trial = work.trial;
    pairs_.n = problem.unknowns();
    if (wanted != &current) {
      const Search search = search_.advance(team, problem, current, work.direction, curvature, trial);
      if (search == Search::going) return true;
      if (search == Search::found) {
        pairs_.keep(team, current, trial);
        exchange(current, trial);
        ++ending.iterations;
      } else if (!forget()) {
        return false;
      }
    }
    do {
      if (watch_.ended(team, problem, current.value, ending)) return false;
      twoLoops(team, pairs_, current.gradient, work.direction);
      current.slope = dot(team, pairs_.n, current.gradient, work.direction);
      if (current.slope < Real(0)) {
        const Real t = pairs_.count > 0 ? Real(1) : firstStep(-current.slope);
        search_.begin(team, problem, current, work.direction, t, trial);
        wanted = &trial;
        return true;
      }
    } while (forget());
    return false;
  }

 private:
  Pairs<Real> pairs_;
  Watch<Real> watch_;
  WolfeSearch<Real> search_;

  // Back to −g, where the pairs have led astray; false if there are none.
  MVN_FN bool forget() {
    const bool any = pairs_.count > 0;
    pairs_.count = 0;
    return any;
  }
};

}  // namespace mvn
