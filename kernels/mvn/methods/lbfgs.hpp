// lbfgs.hpp: limited-memory BFGS, two-loop recursion over the last 8 steps (Nocedal & Wright 2006, algorithm 7.4),
// with a strong Wolfe line search, in coordinates relative to Λ.
//
// A step e is L ← L(I + tE), m ← m + tLz (objective.hpp), and its gradient the relative one, as Cardoso & Laheld (1996)
// and, with L-BFGS, Ablin, Cardoso & Gramfort (2018) have it for mixing matrices. Pairs are of steps and relative
// gradients, each at its own Λ, and are compared as they are. In the entries of L the Hessian's condition is about that
// of the data; here it is 1 at the optimum, so that the number of steps hardly depends on the data.
#pragma once

#include "mvn/methods/gradient_method.hpp"

namespace mvn {

// The last pairs s = t e, y = g₊ − g, with sᵀy > 0, as a ring: e and g relative.
template <class Real> struct Pairs {
  Real* data;
  int n, count = 0;  // pairs ever kept
  Real rho[lbfgsPairs] = {};
  Real scale = 1;  // sᵀy/yᵀy of the last

  MVN_FN Real* s(int k) const { return data + i64(k % lbfgsPairs) * n; }
  MVN_FN Real* y(int k) const { return data + i64(lbfgsPairs + k % lbfgsPairs) * n; }
  MVN_FN int oldest() const { return max(0, count - lbfgsPairs); }

  template <class Team> MVN_FN void keep(const Team& team, Real t, const Real* step, const Point<Real>& from, const Point<Real>& to) {
    Real *moved = s(count), *yield = y(count);
    team.each(n, [&](int i) {
      moved[i] = t * step[i];
      yield[i] = to.relative[i] - from.relative[i];
    });
    const Real curvature = dot(team, n, moved, yield);
    if (!(curvature > Real(0)) || !isFinite(Real(1) / curvature)) return;
    rho[count % lbfgsPairs] = Real(1) / curvature;
    scale = curvature / dot(team, n, yield, yield);
    ++count;
  }
};

// p ← p + a x, and then z·p: one pass where a group has one thread.
template <class Team, class Real>
MVN_FN Real addScaledDot(const Team& team, int n, Real* __restrict p, Real a, const Real* x, const Real* z) {
#if !defined(__CUDACC__)
  if constexpr (Team::simd) {
    constexpr int lanes = lanesOf<Real>;
    Vector<Real> even = splat(Real(0)), odd = even;
    int i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      const Vector<Real> left = load<Real>(p + i) + splat(a) * load<Real>(x + i);
      const Vector<Real> right = load<Real>(p + i + lanes) + splat(a) * load<Real>(x + i + lanes);
      store<Real>(p + i, left);
      store<Real>(p + i + lanes, right);
      even += left * load<Real>(z + i);
      odd += right * load<Real>(z + i + lanes);
    }
    Real sum = sumLanes(even + odd);
    for (; i < n; ++i) {
      p[i] = p[i] + a * x[i];
      sum += p[i] * z[i];
    }
    return sum;
  }
#endif
  addScaled(team, n, p, a, x);
  const Real sum = dot(team, n, z, p);
  return sum;
}

// p ← −H g, H the inverse Hessian that the pairs stand for. Returns the slope gᵀp.
template <class Team, class Real>
MVN_FN Real twoLoops(const Team& team, const Pairs<Real>& pairs, const Real* gradient, Real* p) {
  const int n = pairs.n, oldest = pairs.oldest(), last = pairs.count - 1;
  setToMinus(team, n, p, gradient);
  if (pairs.count == 0) return dot(team, n, gradient, p);
  Real alpha[lbfgsPairs];
  Real along = dot(team, n, pairs.s(last), p);
  for (int k = last; k >= oldest; --k) {
    alpha[k % lbfgsPairs] = pairs.rho[k % lbfgsPairs] * along;
    const Real* next = k > oldest ? pairs.s(k - 1) : pairs.y(oldest);
    along = addScaledDot(team, n, p, -alpha[k % lbfgsPairs], pairs.y(k), next);
  }
  team.each(n, [&](int i) { p[i] = p[i] * pairs.scale; });
  along = along * pairs.scale;
  for (int k = oldest; k <= last; ++k) {
    const Real beta = pairs.rho[k % lbfgsPairs] * along;
    const Real* next = k < last ? pairs.y(k + 1) : gradient;
    along = addScaledDot(team, n, p, alpha[k % lbfgsPairs] - beta, pairs.s(k), next);
  }
  return along;
}

// to[j] ← head U_ij + Σ_{i<k≤j} c[k] U_kj for j = i … d−1, from the rows of U among the unknowns x. On a CPU as many j at
// a time as a vector has lanes, their sum in a register.
template <class Team, class Real>
MVN_FN void combineUnknowns(const Team&, int d, int i, const Real* x, Real head, const Real* c, Real* to) {
  const Real* own = x + packedRow(d, i);
  int j = i;
#if !defined(__CUDACC__)
  if constexpr (Team::simd) {
    constexpr int lanes = lanesOf<Real>;
    for (; j + lanes <= d; j += lanes) {
      Vector<Real> sum = splat(head) * load<Real>(own + j);
      const Real* row = own;
      for (int k = i + 1; k <= j; ++k) {
        row += d - k;
        sum += splat(c[k]) * load<Real>(row + j);
      }
      MVN_UNROLL for (int late = 1; late < lanes; ++late) {  // rows that begin within these columns
        row += d - j - late;
        MVN_UNROLL for (int lane = late; lane < lanes; ++lane) sum[lane] += c[j + late] * row[j + lane];
      }
      store<Real>(to + j, sum);
    }
  }
#endif
  for (; j < d; ++j) {
    Real sum = head * own[j];
    const Real* row = own;
    for (int k = i + 1; k <= j; ++k) {
      row += d - k;
      sum += c[k] * row[j];
    }
    to[j] = sum;
  }
}

// p, the change of the unknowns x for the relative step e: LE, and Lz for the mean.
template <class Team, class Real>
MVN_FN void fromRelative(const Team& team, const Problem<Real>& problem, const Real* x, const Real* e, Real* p) {
  const int d = problem.d, first = d * (d + 1) / 2;
  team.each(d, [&](int i) {
    const Real* own = e + packedRow(d, i);
    combineUnknowns(team, d, i, x, own[i] * Real(diagonalShare), own, p + packedRow(d, i));
  });
  if (!problem.centred) {
    team.lanes([&](int lane) {
      if (lane == 0) combineUnknowns(team, d, 0, x, e[first], e + first, p + first);
    });
  }
  team.sync();
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
        pairs_.keep(team, search_.t, work.step, current, trial);
        exchange(current, trial);
        ++ending.iterations;
      } else if (!forget()) {
        return false;
      }
    }
    do {
      if (watch_.ended(team, problem, current.value, ending)) return false;
      current.slope = twoLoops(team, pairs_, current.relative, work.step);
      if (current.slope < Real(0)) {
        fromRelative(team, problem, current.x, work.step, work.direction);
        search_.begin(team, problem, current, work.direction, Real(1), trial);
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
