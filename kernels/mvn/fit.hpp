// fit.hpp: the maximum likelihood parameters of one group, from its sufficient statistics.
//
// Everything is done in standardised coordinates (standardise.hpp). The rank decision and the final certificate are
// float64 whatever the precision; `Real` is the arithmetic of the method between them. A group that float32 is too coarse
// for (condition.hpp) goes by float64 from the start; one that float32 leaves short of its tolerance goes on in float64
// from there, and its iterations count those of both.
#pragma once

#include "certificate.hpp"
#include "condition.hpp"
#include "methods/bb.hpp"
#include "methods/cg.hpp"
#include "methods/gradient_descent.hpp"
#include "methods/lbfgs.hpp"
#include "methods/momentum.hpp"
#include "methods/newton.hpp"
#include "rank.hpp"
#include "start.hpp"

namespace mvn {

struct FitOptions {
  Method method;
  Start start;
  f64 ddof, tolerance;
  int maxIterations;
  f64 epsilon;  // rounding unit of the rows as stored
  const i32* stop;
  int spent = 0;  // iterations that led to the start
};

// Of the tolerance: so that the certificate, which rounds differently, finds r ≤ tolerance too.
constexpr f64 aim = 0.9;

// Where one group's start is read and its results are written.
struct FitGroup {
  Statistics statistics;
  const f64 *startMean, *startFactor;    // [d], [d, d] where start = given
  f64 *mean, *covariance, *factor;       // [d], [d, d], [d, d]
  f64 *logLikelihood, *residual, *gap;   // one each
  i32* iterations;
  u8* status;
};

// What a fit shares whatever its method and precision, all float64, and a block for the method's own.
struct FitScratch {
  f64 *scale, *inverseScale, *R, *m, *U, *inverse, *z, *T, *W;
  char* own;

  MVN_FN constexpr FitScratch(Scratch& s, int d, i64 ownBytes)
      : scale(s.take<f64>(d)), inverseScale(s.take<f64>(d)), R(s.take<f64>(d * d)), m(s.take<f64>(d)),
        U(s.take<f64>(d * d)), inverse(s.take<f64>(d)), z(s.take<f64>(d)), T(s.take<f64>(d * d)),
        W(s.take<f64>(d * d)), own(s.take<char>(ownBytes)) {}
};

// Matrices in the method's arithmetic: in float64 those of FitScratch, which are free while it runs, so that as many
// teams as can be share a device's memory.
template <class Real> struct SolverScratch {
  Real* R;
  SharedMatrices<Real> shared;

  MVN_FN SolverScratch(Scratch& s, int d, const FitScratch& fit)
      : R(matrix(s, d, fit.R)), shared{matrix(s, d, fit.U), matrix(s, d, fit.T), matrix(s, d, fit.W)} {}

 private:
  MVN_FN static Real* matrix(Scratch& s, int d, f64* free) {
    if constexpr (isRounded<Real>) return s.take<Real>(d * d);
    else return free;
  }
};

// The method's own block: in float32 there is room for float64 too, which may have to go on. The closed form has none.
template <class Real> MVN_FN i64 solverBytes(int d, Method method) {
  if (method == Method::closedForm) return 0;
  Scratch count, none;
  const SolverScratch<Real> solver(count, d, FitScratch(none, d, 0));
  if (method == Method::newton) NewtonScratch<Real>(count, d, solver.shared);
  if (method > Method::newton) GradientScratch<Real>(count, d, method, solver.shared);
  if constexpr (isRounded<Real>) return max(count.used, solverBytes<f64>(d, method));
  return count.used;
}

// Mean and covariance where they are defined, NaN for all that a fit would have given.
template <class Team>
MVN_CALL void withoutFit(const Team& team, int d, const FitGroup& group, f64 ddof, Status status) {
  const Statistics& statistics = group.statistics;
  const f64 divisor = statistics.weight - ddof;
  const f64 share = divisor > 0 ? 1 / divisor : notANumber<f64>;
  team.each(d, [&](int i) {
    const bool known = isFinite(statistics.mean[i]);
    group.mean[i] = known ? statistics.mean[i] : notANumber<f64>;
    for (int j = 0; j < d; ++j) {
      const f64 scatter = statistics.scatter[i * d + j];
      const bool defined = known && isFinite(statistics.mean[j]) && isFinite(scatter);
      group.covariance[i * d + j] = defined ? scatter * share : notANumber<f64>;
      group.factor[i * d + j] = notANumber<f64>;
    }
  });
  team.lanes([&](int lane) {
    if (lane != 0) return;
    *group.logLikelihood = *group.residual = *group.gap = notANumber<f64>;
    *group.iterations = 0;
    *group.status = u8(status);
  });
  team.sync();
}

// The methods that a copy of the code has: the closed form alone, or one kind that iterates. A device has a kernel for
// each, with the registers it needs.
enum class Iterative { none, newton, gradient, all };

MVN_FN constexpr bool includes(Iterative methods, Iterative kind) { return methods == Iterative::all || methods == kind; }

// f(machine type) of a gradient method, as a value of no size.
template <class Method> struct MethodType {
  using type = Method;
};

template <class Real, class F> MVN_FN auto withGradientMethod(Method method, F f) {
  switch (method) {
    case Method::cg: return f(MethodType<ConjugateGradients<Real>>{});
    case Method::bb: return f(MethodType<BarzilaiBorwein<Real>>{});
    case Method::gradientDescent: return f(MethodType<GradientDescent<Real>>{});
    case Method::momentum: return f(MethodType<Momentum<Real>>{});
    default: return f(MethodType<Lbfgs<Real>>{});
  }
}

// The unknowns of a gradient method from (U, m), where it is to begin, and back.
template <class Team, class Real, class Factor>
MVN_FN void toUnknowns(const Team& team, const Problem<Real>& problem, const Factor* U, const f64* m, Real* x) {
  const int d = problem.d;
  packFactor(team, d, U, x);
  if (!problem.centred) copy(team, d, x + d * (d + 1) / 2, m);
}
template <class Team, class Real, class Factor>
MVN_FN void fromUnknowns(const Team& team, const Problem<Real>& problem, const Real* x, Factor* U, f64* m) {
  const int d = problem.d;
  unpackFactor(team, d, x, U);
  if (!problem.centred) copy(team, d, m, x + d * (d + 1) / 2);
}

// The chosen method from (work.m, work.U), which it replaces. `centred` tells, before and after, whether m = 0.
template <class Real, Iterative methods, class Team, class Dim>
MVN_CALL Ending solve(const Team& team, Dim d, const FitOptions& options, const FitScratch& work, bool& centred) {
  Scratch own(work.own);
  const SolverScratch<Real> solver(own, d, work);
  Real* const U = solver.shared.U;
  Ending ending{Status::stalled, 0};
  if constexpr (isRounded<Real>) {
    copy(team, d * d, solver.R, work.R);
    copy(team, d * d, U, work.U);
  }
  if (options.method <= Method::newton) centred = true;  // μ = x̄ at once
  const Real tolerance = Real(aim * options.tolerance);
  const Problem<Real> problem{d, solver.R, centred, tolerance, options.maxIterations, options.stop};
  const Method method = options.method;
  if constexpr (includes(methods, Iterative::newton)) {
    if (method == Method::newton) ending = newton(team, d, problem, U, NewtonScratch<Real>(own, d, solver.shared));
  }
  if constexpr (includes(methods, Iterative::gradient)) {
    if (method > Method::newton) {
      GradientScratch<Real> scratch(own, d, method, solver.shared);
      toUnknowns(team, problem, U, work.m, scratch.current.x);
      ending = withGradientMethod<Real>(method, [&](auto machine) {
        return run<typename decltype(machine)::type>(team, problem, scratch);
      });
      fromUnknowns(team, problem, scratch.current.x, U, work.m);
    }
  }
  if constexpr (isRounded<Real>) copy(team, d * d, work.U, U);
  return ending;
}

// μ = x̄ + D m, Λ = D L, in the units of the data. certify(), which is to follow, has a barrier before they are read.
template <class Team, class Dim>
MVN_CALL void writeParameters(const Team& team, Dim d, const FitGroup& group, const FitOptions& options, bool centred,
                            const FitScratch& work) {
  const Statistics& statistics = group.statistics;
  team.each(d, [&](int i) {
    const f64 scale = work.scale[i];
    group.mean[i] = centred ? statistics.mean[i] : statistics.mean[i] + scale * work.m[i];
    f64* row = group.factor + i * d;
    for (int j = 0; j <= i; ++j) row[j] = work.U[j * d + i] * scale;
    for (int j = i + 1; j < d; ++j) row[j] = 0;
  });
  if (options.method == Method::closedForm) {
    const f64 share = 1 / (statistics.weight - options.ddof);
    team.each(d, [&](int i) {
      for (int j = 0; j < d; ++j) group.covariance[i * d + j] = statistics.scatter[i * d + j] * share;
    });
    return;
  }
  multiplyFactor(team, d, work.U, work.T);
  team.each(d, [&](int i) {
    for (int j = i; j < d; ++j) {
      const f64 value = work.T[i * d + j] * work.scale[i] * work.scale[j];
      group.covariance[i * d + j] = value;
      group.covariance[j * d + i] = value;
    }
  });
}

// Whether the likelihood has a maximum: `converged` if so, else what is missing. Leaves scale, R and R's factor in U.
template <class Team, class Dim>
MVN_CALL Status existence(const Team& team, Dim d, const Statistics& statistics, const FitOptions& options,
                        const FitScratch& work) {
  if (!(statistics.count > 0)) return Status::empty;
  if (!allFinite(team, d, statistics)) return Status::nonFinite;
  if (statistics.count < d + 1 || !(statistics.weight > 0)) return Status::tooFewRows;
  if (options.method == Method::closedForm && !(statistics.weight > options.ddof)) return Status::tooFewRows;
  if (hasConstantColumn(team, d, statistics)) return Status::singular;
  standardise(team, d, statistics, work.scale, work.inverseScale, work.R);
  const f64 threshold = smallestPivotAllowed(d, statistics, work.inverseScale, options.epsilon);
  const bool full = hasFullRank(team, d, work.R, threshold, work.U, work.W, work.T, work.z);
  return full ? Status::converged : Status::singular;
}

// U ← factor·U
template <class Team, class Dim> MVN_FN void stretch(const Team& team, Dim d, f64 factor, f64* U) {
  team.each(d, [&](int i) {
    for (int j = i; j < d; ++j) U[i * d + j] *= factor;
  });
  team.sync();
}

// A factor that certify() can solve with.
template <class Team, class Dim> MVN_FN bool isInvertible(const Team& team, Dim d, const f64* U) {
  return team.sumOver(d, [&](int i) {
    f64 finite = 0;
    for (int j = i; j < d; ++j) finite += U[i * d + j] - U[i * d + j];
    return finite == 0 && U[i * d + i] > 0 ? 0 : 1;
  }) == 0;
}

// Residual, gap, log-likelihood and a status that agrees with them, beside the parameters as written.
template <class Team, class Dim>
MVN_FN void writeOutcome(const Team& team, Dim d, const FitGroup& group, const FitOptions& options,
                         const Certificate& proof, Ending ending) {
  const f64 logDet = 2 * logDeterminant(d, group.factor);
  Status status = ending.status;
  if (options.method != Method::closedForm) {
    if (proof.residual <= options.tolerance) {
      status = Status::converged;
    } else if (status == Status::converged) {
      status = Status::stalled;
    }
  }
  team.lanes([&](int lane) {
    if (lane != 0) return;
    *group.logLikelihood = -0.5 * group.statistics.weight * (d * logTwoPi + logDet + proof.quadratic);
    *group.residual = proof.residual;
    *group.gap = proof.gap;
    *group.iterations = options.spent + ending.iterations;
    *group.status = u8(status);
  });
  team.sync();
}

template <class Team, class Dim>
MVN_CALL void writeCertificate(const Team& team, Dim d, const FitGroup& group, const FitOptions& options, bool centred,
                               const FitScratch& work, Ending ending) {
  const Certificate proof = certify(team, d, work.R, work.m, centred, work.U, work.inverse, work.z, work.T, work.W);
  writeOutcome(team, d, group, options, proof, ending);
}

// The results of (work.m, work.U).
template <class Team, class Dim>
MVN_FN void finish(const Team& team, Dim d, const FitGroup& group, const FitOptions& options, bool centred,
                   const FitScratch& work, Ending ending) {
  // No parameters to speak of: a start without a likelihood, or float32 too coarse for this R.
  if (ending.status == Status::stalled && !isInvertible(team, d, work.U)) {
    return withoutFit(team, d, group, options.ddof, Status::stalled);
  }
  writeParameters(team, d, group, options, centred, work);
  writeCertificate(team, d, group, options, centred, work, ending);
}

// An iterative method from the start, once existence() has found that there is a maximum.
template <class Real, Iterative methods, class Team, class Dim>
MVN_FN void iterate(const Team& team, Dim d, const FitGroup& group, const FitOptions& options, const FitScratch& work) {
  bool centred = beginAt(team, d, options.start, group.statistics.mean, group.startMean, group.startFactor,
                         work.inverseScale, work.m, work.U, work.T, work.z);
  const Ending ending = solve<Real, methods>(team, d, options, work, centred);
  finish(team, d, group, options, centred, work, ending);
}

// What is asked of float64 where float32 has stalled: to go on from the results, if there are any, with the iterations
// that are left.
struct Continuation {
  FitGroup group;
  FitOptions options;

  MVN_FN Continuation(const FitGroup& left, const FitOptions& asked) : group(left), options(asked) {
    if (!isFinite(*left.residual)) return;
    group.startMean = left.mean;
    group.startFactor = left.factor;
    options.start = Start::given;
    options.spent = *left.iterations;
    options.maxIterations -= options.spent;
  }
};

template <class Real, Iterative methods = Iterative::all, class Team, class Dim>
MVN_FN void fitGroup(const Team& team, Dim d, const FitGroup& group, const FitOptions& options,
                     const FitScratch& work) {
  const Statistics& statistics = group.statistics;
  const Status missing = existence(team, d, statistics, options, work);
  if (missing != Status::converged) return withoutFit(team, d, group, options.ddof, missing);
  if constexpr (includes(methods, Iterative::none)) {
    if (options.method == Method::closedForm) {
      // The rank test, which is float64 in either precision, has left the factor of R in U: it is the one there is.
      const f64 weight = statistics.weight;
      if (options.ddof != 0) stretch(team, d, sqrt(weight / (weight - options.ddof)), work.U);
      return finish(team, d, group, options, true, work, {Status::converged, 0});
    }
  }
  if constexpr (methods != Iterative::none) {
    if constexpr (isRounded<Real>) {
      if (suffices<Real>(traceOfInverse(team, d, work.U, work.inverse, work.T), options.tolerance)) {
        iterate<Real, methods>(team, d, group, options, work);
        if (Status(*group.status) != Status::stalled) return;
        const Continuation rest(group, options);
        return iterate<f64, methods>(team, d, rest.group, rest.options, work);
      }
    }
    iterate<f64, methods>(team, d, group, options, work);
  }
}

}  // namespace mvn
