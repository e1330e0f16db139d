// fit_test.cpp: every method reaches the closed form, or says honestly that it did not.
#include "groups.hpp"

#include "check.hpp"

using namespace groups;

namespace {

constexpr Method iterative[] = {Method::newton, Method::lbfgs,           Method::cg,
                                Method::bb,     Method::gradientDescent, Method::momentum};
constexpr const char* names[] = {"closed-form", "newton", "lbfgs", "cg", "bb", "gradient-descent", "momentum"};

// S at a residual r is S* to within r in the whitened norm, hence to within about r of its largest entry.
constexpr f64 covariancePerResidual = 2;

check::Case caseOf(Method method) { return check::Case(names[int(method)]); }

// What must hold whatever the status says.
void checkHonest(const Group& group, const Fit& fit, const Call& call) {
  const int d = group.d;
  CHECK((fit.status == Status::converged) == (fit.residual <= call.tolerance));
  CHECK(fit.status <= Status::stalled);
  CHECK(fit.gap >= 0);
  CHECK(fit.iterations <= call.maxIterations);
  for (int i = 0; i < d; ++i) {
    CHECK(fit.factor[i * d + i] > 0);
    for (int j = i + 1; j < d; ++j) CHECK(fit.factor[i * d + j] == 0);
    for (int j = 0; j < d; ++j) {
      CHECK(fit.covariance[i * d + j] == fit.covariance[j * d + i]);
      Long sum = 0;
      for (int k = 0; k < d; ++k) sum += Long(fit.factor[i * d + k]) * fit.factor[j * d + k];
      const f64 size = std::sqrt(fit.covariance[i * d + i] * fit.covariance[j * d + j]);
      CHECK_CLOSE(fit.covariance[i * d + j], f64(sum), 4 * (d + 1) * 0x1p-52 * size);
    }
  }
}

// ½ (tr(S⁻¹A_μ)/n − log|A/n| + log|S| − d) in long double; S by the returned factor.
Long referenceGap(const Group& group, const Fit& fit) {
  const int d = group.d;
  std::vector<Long> W(d * d), z(d);
  for (int j = 0; j < d; ++j) {  // L⁻¹ of every column of A_μ/n, then L⁻¹ of every row of that
    z[j] = Long(group.mean[j]) - fit.mean[j];
    for (int i = 0; i < d; ++i) W[i * d + j] = Long(group.scatter[i * d + j]) / group.weight;
  }
  const auto solve = [&](Long* x, int stride) {
    for (int i = 0; i < d; ++i) {
      for (int k = 0; k < i; ++k) x[i * stride] -= Long(fit.factor[i * d + k]) * x[k * stride];
      x[i * stride] /= fit.factor[i * d + i];
    }
  };
  for (int j = 0; j < d; ++j) solve(&W[j], d);
  for (int i = 0; i < d; ++i) solve(&W[i * d], 1);
  solve(z.data(), 1);
  Long sum = 0;
  for (int i = 0; i < d; ++i) sum += W[i * d + i] - 1 + z[i] * z[i];
  for (int k = 0; k < d; ++k) {  // − log|W| by elimination
    sum -= std::log(W[k * d + k]);
    for (int i = k + 1; i < d; ++i) {
      for (int j = d - 1; j >= k; --j) W[i * d + j] -= W[i * d + k] / W[k * d + k] * W[k * d + j];
    }
  }
  return sum / 2;
}

void checkReaches(const Group& group, const Call& call) {
  const Fit best = fit(group, Call{}), found = fit(group, call);
  checkHonest(group, found, call);
  CHECK(found.status == Status::converged);
  CHECK(relativeError(found.covariance, best.covariance) <= covariancePerResidual * call.tolerance);
  CHECK_CLOSE(found.logLikelihood, best.logLikelihood, group.weight * call.tolerance);
}

}  // namespace

TEST("closed form: scatter over n, its factor, and nothing left to gain") {
  FOR_EACH(d, {1, 2, 3, 4, 5, 7, 8, 9, 16, 33, 64}) {
    for (const f64 condition : {1.0, 1e3, 1e6}) {
      const Group group = groupOf(int(d), condition, 11 * d);
      const Fit result = fit(group, Call{});
      CHECK(result.status == Status::converged);
      CHECK(result.iterations == 0);
      CHECK(result.residual <= 8 * d * condition * 0x1p-52);
      CHECK(result.gap >= 0 && result.gap <= result.residual * result.residual);
      for (int e = 0; e < d * d; ++e) CHECK_CLOSE(result.covariance[e], group.scatter[e] / group.weight, 0x1p-52);
      CHECK(result.mean == group.mean);
      Long logDet = 0;
      for (int i = 0; i < d; ++i) logDet += 2 * std::log(Long(result.factor[i * d + i]));
      const f64 logLikelihood = f64(-group.weight / 2 * (d * 1.8378770664093454836L + logDet + d));
      CHECK_CLOSE(result.logLikelihood, logLikelihood, 1e-13 * condition * std::fabs(logLikelihood));
    }
  }
}

TEST("newton reaches 1e-8 from the default start in at most 10 steps") {
  FOR_EACH(d, {1, 2, 3, 4, 5, 8, 9, 16, 33, 64}) {
    for (const f64 condition : {1e1, 1e2, 1e3, 1e4, 1e5, 1e6}) {
      check::Case named("condition " + std::to_string(int(condition)));
      const Group group = groupOf(int(d), condition, d);
      const Call call{.method = Method::newton};
      checkReaches(group, call);
      CHECK(fit(group, call).iterations <= 10);
    }
  }
}

TEST("lbfgs, cg and bb reach 1e-8 from the default start") {
  FOR_EACH(d, {1, 2, 3, 4, 5, 8, 9, 16}) {
    for (const f64 condition : {1e1, 1e2, 1e3}) {
      check::Case named("condition " + std::to_string(int(condition)));
      for (const Method method : {Method::lbfgs, Method::cg, Method::bb}) {
        check::Case of = caseOf(method);
        checkReaches(groupOf(int(d), condition, d), Call{.method = method, .maxIterations = 10000});
      }
    }
  }
}

TEST("lbfgs reaches 1e-8 at condition 1e4 and at d = 33, 64") {
  checkReaches(groupOf(4, 1e4, 1), Call{.method = Method::lbfgs, .maxIterations = 2000});
  checkReaches(groupOf(8, 1e4, 1), Call{.method = Method::lbfgs, .maxIterations = 2000});
  checkReaches(groupOf(33, 1e2, 1), Call{.method = Method::lbfgs});
  checkReaches(groupOf(64, 1e1, 1), Call{.method = Method::lbfgs});
}

TEST("gradient descent and momentum reach 1e-4 at condition 100 within 1000 steps") {
  FOR_EACH(d, {1, 2, 3, 4, 5, 8, 9, 16}) {
    for (const Method method : {Method::gradientDescent, Method::momentum}) {
      check::Case of = caseOf(method);
      checkReaches(groupOf(int(d), 100, d), Call{.method = method, .tolerance = 1e-4});
    }
  }
}

TEST("a budget that is too small ends with max-iterations and an honest residual") {
  for (const Method method : iterative) {
    check::Case of = caseOf(method);
    const Call call{.method = method, .maxIterations = 2};
    const Fit result = fit(groupOf(8, 1e4, 3), call);
    CHECK(result.status == Status::maxIterations);
    CHECK(result.iterations == 2);
    checkHonest(groupOf(8, 1e4, 3), result, call);
  }
}

TEST("a condition beyond the arithmetic still ends honestly") {
  for (const Method method : iterative) {
    check::Case of = caseOf(method);
    const Group group = groupOf(6, 1e10, 5);
    const Call call{.method = method, .maxIterations = 3000};
    checkHonest(group, fit(group, call), call);
  }
}

TEST("the gap is (J − J*)/n, near the optimum and far from it") {
  constexpr f64 exact = 1e-9;          // of the gap itself, at condition 100
  constexpr Long cancellation = 1e-17L;  // what the reference, a difference of terms of size d, can tell
  FOR_EACH(d, {1, 2, 3, 5, 8, 16}) {
    const Group group = groupOf(int(d), 100, d);
    Call call{.start = Start::given, .startMean = Random(d).normals(int(d)), .startFactor = Numbers(d * d, 0.0)};
    for (int i = 0; i < d; ++i) call.startFactor[i * d + i] = 3 + i;
    for (const Method method : {Method::lbfgs, Method::bb}) {
      for (const int budget : {0, 1, 5, 20, 40}) {
        check::Case steps(std::to_string(budget) + " steps");
        call.method = method;
        call.maxIterations = budget;
        const Fit found = fit(group, call);
        Long gap = referenceGap(group, found);
        CHECK_CLOSE(found.gap, f64(gap), exact * f64(gap) + f64(d * cancellation));
      }
    }
  }
}

TEST("the stop flag ends an iteration") {
  const i32 stop = 1;
  const Group group = groupOf(8, 1e4, 3);
  for (const Method method : iterative) CHECK(fit(group, Call{.method = method, .stop = &stop}).iterations == 0);
}

TEST("any start leads to the same maximum: a general factor, a mean far off") {
  FOR_EACH(d, {1, 2, 3, 5, 8, 16}) {
    Random random(100 + d);
    const Group group = groupOf(int(d), 20, d);
    Call call{.start = Start::given, .startMean = random.normals(int(d)), .startFactor = random.normals(int(d * d)),
              .maxIterations = 20000};
    const Numbers direction = call.startMean;
    for (int i = 0; i < d; ++i) call.startFactor[i * d + i] += 3;
    for (const Method method : iterative) {
      check::Case of = caseOf(method);
      call.method = method;
      const f64 away = method == Method::gradientDescent ? 3 : 30;  // plain descent is slow far out
      for (int i = 0; i < d; ++i) call.startMean[i] = group.mean[i] + away * direction[i];
      call.tolerance = method >= Method::gradientDescent ? 1e-4 : 1e-8;
      checkReaches(group, call);
      const Fit found = fit(group, call);
      for (int j = 0; j < d; ++j) CHECK_CLOSE(found.mean[j], group.mean[j], 2 * call.tolerance);
    }
  }
}

TEST("without a budget the start comes back, in the data's units") {
  FOR_EACH(d, {1, 2, 3, 5, 8}) {
    Random random(d);
    Group group = groupOf(int(d), 10, d);
    for (f64& entry : group.scatter) entry *= 1e6;  // columns with a spread of 1000 or so
    Call call{.start = Start::given, .startMean = random.normals(int(d)), .startFactor = random.normals(int(d * d)),
              .maxIterations = 0};
    for (const Method method : {Method::lbfgs, Method::cg, Method::bb, Method::gradientDescent, Method::momentum}) {
      call.method = method;
      const Fit given = fit(group, call);
      CHECK(given.status == Status::maxIterations);
      for (int i = 0; i < d; ++i) {
        CHECK_CLOSE(given.mean[i], call.startMean[i], 1e-12);
        for (int j = 0; j < d; ++j) {
          f64 sum = 0;
          for (int k = 0; k < d; ++k) sum += call.startFactor[i * d + k] * call.startFactor[j * d + k];
          CHECK_CLOSE(given.covariance[i * d + j], sum, 1e-12);
        }
      }
    }
    call.start = Start::identity;
    call.method = Method::lbfgs;
    const Fit identity = fit(group, call);
    CHECK(identity.mean == group.mean);
    for (int e = 0; e < d * d; ++e) CHECK_CLOSE(identity.covariance[e], e % (d + 1) == 0, 1e-15);
    call.start = Start::standard;
    const Fit standard = fit(group, call);
    for (int i = 0; i < d; ++i) {
      const f64 variance = group.scatter[i * d + i] / group.weight;
      for (int j = 0; j < d; ++j) CHECK_CLOSE(standard.covariance[i * d + j], i == j ? variance : 0, 1e-15 * variance);
    }
  }
}

TEST("a given start counts through ΛΛᵀ alone") {
  const Group group = groupOf(3, 50, 1);
  Numbers factor = {2, 0, 0, 0.5, 1, 0, -0.3, 0.2, 0.7}, turned(9);
  const f64 c = std::cos(0.7), s = std::sin(0.7);
  for (int i = 0; i < 3; ++i) {
    turned[i * 3] = c * factor[i * 3] - s * factor[i * 3 + 1];
    turned[i * 3 + 1] = s * factor[i * 3] + c * factor[i * 3 + 1];
    turned[i * 3 + 2] = factor[i * 3 + 2];
  }
  Call call{.method = Method::lbfgs, .start = Start::given, .startMean = {1, 2, 3}, .startFactor = factor,
            .maxIterations = 3};
  const Fit straight = fit(group, call);
  call.startFactor = turned;
  CHECK(relativeError(fit(group, call).factor, straight.factor) <= 1e-11);
}

TEST("a singular start has no likelihood: stalled, and no parameters") {
  Call call{.start = Start::given, .startMean = {0, 0}, .startFactor = {1, 1, 0, 0}};
  for (const Method method : iterative) {
    check::Case of = caseOf(method);
    call.method = method;
    const Fit result = fit(groupOf(2, 10, 1), call);
    CHECK(result.status == Status::stalled);
    CHECK(std::isnan(result.factor[0]) && std::isnan(result.residual));
  }
}

TEST("units do not matter: columns scaled by 1e-12 … 1e12 give the same fit") {
  const int d = 5;
  const Group group = groupOf(d, 100, 9);
  const f64 units[] = {1e-12, 1e12, 1, 1e-5, 1e7};
  Group scaled = group;
  for (int i = 0; i < d; ++i) {
    scaled.mean[i] *= units[i];
    for (int j = 0; j < d; ++j) scaled.scatter[i * d + j] *= units[i] * units[j];
  }
  for (int method = 0; method <= 6; ++method) {
    check::Case of = caseOf(Method(method));
    const Call call{.method = Method(method), .tolerance = method >= 5 ? 1e-4 : 1e-8};
    const Fit plain = fit(group, call), result = fit(scaled, call);
    CHECK(result.status == Status::converged);
    for (int i = 0; i < d; ++i) {
      for (int j = 0; j < d; ++j) {
        const f64 unit = units[i] * units[j];
        CHECK_CLOSE(result.covariance[i * d + j] / unit, plain.covariance[i * d + j], 3 * call.tolerance);
      }
    }
  }
}

TEST("newton from the identity in the data's own units, eight orders of magnitude off either way") {
  for (const f64 unit : {1e-8, 1e8}) {
    Group group = groupOf(4, 100, 2);
    for (f64& entry : group.scatter) entry *= unit * unit;
    for (f64& entry : group.mean) entry *= unit;
    const Fit result = fit(group, Call{.method = Method::newton, .start = Start::identity});
    CHECK(result.status == Status::converged);
    CHECK(result.iterations <= 20);
  }
}

TEST("float32: reaches 1e-4, and the residual that it states is the float64 one") {
  FOR_EACH(d, {1, 2, 3, 4, 5, 8, 9, 16}) {
    for (const Method method : {Method::newton, Method::lbfgs, Method::cg, Method::bb, Method::momentum}) {
      check::Case of = caseOf(method);
      const Group group = groupOf(int(d), 30, d);
      const Call call{.method = method, .tolerance = 1e-4, .epsilon = 0x1p-24};
      const Fit result = fit<f32>(group, call);
      checkHonest(group, result, call);
      CHECK(result.status == Status::converged);
      CHECK(relativeError(result.covariance, fit(group, Call{}).covariance) <= covariancePerResidual * call.tolerance);
    }
  }
}

TEST("newton goes on from near the maximum, whatever the dimension") {
  FOR_EACH(d, {1, 2, 5, 9, 33, 64}) {
    for (const bool packed : {true, false}) {
      const Group group = groupOf(int(d), 30, 5 * d);
      Fit close = fit(group, Call{});
      for (f64& entry : close.factor) entry *= 1 + 1e-3;
      const Call call{.method = Method::newton, .start = Start::given, .startMean = close.mean,
                      .startFactor = close.factor, .packed = packed};
      checkReaches(group, call);
      CHECK(fit(group, call).iterations <= 2);
    }
  }
}

// float32 without float64 to help it, and the residual that condition.hpp expects of it.
struct Alone {
  Fit fit;
  f64 expected;
};
Alone float32Alone(const Group& group, const Call& call) {
  const int d = group.d;
  Place place(d);
  Scratch count;
  FitScratch(count, d, solverBytes<f32>(d, call.method));
  Block<f64> block = staleBlock(count.used);
  Scratch scratch(reinterpret_cast<char*>(block.data()));
  const FitScratch work(scratch, d, solverBytes<f32>(d, call.method));
  const FitOptions options = optionsOf(call);
  CHECK(existence(SerialTeam{}, Dynamic{d}, group.statistics(), options, work) == Status::converged);
  const f64 trace = traceOfInverse(SerialTeam{}, Dynamic{d}, work.U, work.inverse, work.T);
  iterate<f32, Iterative::all>(SerialTeam{}, Dynamic{d}, place.at(group, call), options, work);
  return {place.result(), trace * 0x1p-24};
}

TEST("float32 reaches what the condition of R lets it expect, and no more") {
  int within = 0, reached = 0, beyond = 0, still = 0;
  FOR_EACH(d, {2, 3, 5, 8, 16, 33}) {
    for (f64 condition = 1; condition <= 1e8; condition *= 3) {
      const Group group = groupOf(int(d), condition, 17 * d);
      for (const f64 tolerance : {1e-3, 1e-4, 1e-5}) {
        const Alone alone = float32Alone(group, {.method = Method::newton, .tolerance = tolerance, .epsilon = 0x1p-24});
        const bool converged = alone.fit.status == Status::converged;
        if (alone.expected <= tolerance / 2) ++within, reached += converged;
        if (alone.expected > tolerance * 16) ++beyond, still += converged;
      }
    }
  }
  CHECK(within > 80 && reached == within);
  CHECK(beyond > 80 && still <= beyond / 20);
}

TEST("the trace of R's inverse is that of the inverse") {
  const int d = 3;
  const Numbers R = {1, 0.5, 0.25, 0.5, 1, 0.5, 0.25, 0.5, 1};  // R⁻¹ = [4 −2 0; −2 5 −2; 0 −2 4]/3
  Numbers U(9), inverse(3), T(9);
  CHECK(cholesky(SerialTeam{}, Dynamic{d}, R.data(), U.data()));
  CHECK_CLOSE(traceOfInverse(SerialTeam{}, Dynamic{d}, U.data(), inverse.data(), T.data()), 13.0 / 3, 1e-14);
}

TEST("float32: a group too ill-conditioned for it gets the fit of float64, bit for bit") {
  FOR_EACH(d, {2, 3, 5, 8, 16, 33}) {
    for (const Method method : iterative) {
      check::Case of = caseOf(method);
      const Group group = groupOf(int(d), 1e7, 3 * d);
      Call call{.method = method, .tolerance = 1e-4, .maxIterations = 200, .epsilon = 0x1p-24};
      const Fit single = fit<f32>(group, call);
      call.packed = false;
      const Fit full = fit(group, call);
      CHECK(single.status == full.status && single.iterations == full.iterations);
      CHECK(single.factor == full.factor && single.covariance == full.covariance && single.mean == full.mean);
      CHECK(single.residual == full.residual);
      if (method == Method::newton) CHECK(single.status == Status::converged);
    }
  }
}

TEST("float32: what it leaves short of the tolerance goes on in float64 from there") {
  int went = 0;
  FOR_EACH(d, {2, 3, 5, 8, 16, 33}) {
    for (const Method method : {Method::newton, Method::lbfgs, Method::cg, Method::bb}) {
      check::Case of = caseOf(method);
      for (int seed = 1; seed <= 6; ++seed) {
        const Group group = groupOf(int(d), 100 * seed, seed);
        Call call{.method = method, .maxIterations = 3000, .epsilon = 0x1p-24};
        call.tolerance = 1.1 * float32Alone(group, call).expected;  // just what it is expected to reach
        checkHonest(group, fit<f32>(group, call), call);
        CHECK(fit<f32>(group, call).status == Status::converged);
        call.packed = false;
        const Fit alone = float32Alone(group, call).fit, both = fit<f32>(group, call);
        CHECK(both.status == Status::converged);
        if (alone.status != Status::stalled) continue;
        ++went;
        CHECK(both.iterations > alone.iterations);
      }
    }
  }
  CHECK(went > 20);
}

TEST("float32: the iterations of both are within the budget") {
  const Group group = groupOf(33, 1e3, 2);
  Call call{.method = Method::cg, .tolerance = 1e-5, .epsilon = 0x1p-24};
  const Alone alone = float32Alone(group, call);
  CHECK(alone.fit.status == Status::stalled);
  call.tolerance = alone.expected;
  call.maxIterations = float32Alone(group, call).fit.iterations + 1;
  const Fit found = fit<f32>(group, call);
  CHECK(found.status == Status::maxIterations && found.iterations == call.maxIterations);
  CHECK(found.residual > call.tolerance);
}

TEST("float32: the closed form keeps the rank test's factor, bit for bit that of float64") {
  FOR_EACH(d, {1, 2, 3, 4, 5, 8, 9, 16, 33}) {
    const Group group = groupOf(int(d), 40, d);
    const Fit single = fit<f32>(group, Call{.epsilon = 0x1p-24}), full = fit(group, Call{.epsilon = 0x1p-24});
    CHECK(single.status == Status::converged);
    CHECK(single.factor == full.factor);
    CHECK(single.residual == full.residual);
  }
}

TEST("ddof 1: scatter over n − 1, and the likelihood, residual and gap of what is returned") {
  const int d = 3;
  const Group group = groupOf(d, 10, 4);
  const f64 n = group.weight, ratio = n / (n - 1);
  const Fit result = fit(group, Call{.ddof = 1}), best = fit(group, Call{});
  CHECK(result.status == Status::converged);
  CHECK_CLOSE(result.covariance[4], group.scatter[4] / (n - 1), 1e-15);
  CHECK_CLOSE(result.factor[4], best.factor[4] * std::sqrt(ratio), 1e-14);
  CHECK_CLOSE(result.residual, std::sqrt(f64(d)) / n, 1e-13);
  CHECK_CLOSE(result.gap, d / 2.0 * (1 / ratio - 1 + std::log(ratio)), 1e-13);
  CHECK_CLOSE(best.logLikelihood - result.logLikelihood, n * result.gap, 1e-10);
}

TEST("groups without a maximum: what is left and why") {
  FOR_EACH(d, {1, 2, 3, 5, 8}) {
    Group group = groupOf(int(d), 10, d);
    for (int method = 0; method <= 6; ++method) {
      const Call call{.method = Method(method)};
      group.count = group.weight = d + 1;
      CHECK(fit(group, call).status == Status::converged);
      group.count = group.weight = d;
      const Fit few = fit(group, call);
      CHECK(few.status == Status::tooFewRows);
      CHECK(few.mean == group.mean);
      CHECK_CLOSE(few.covariance[0], group.scatter[0] / d, 1e-15 * group.scatter[0]);
      CHECK(std::isnan(few.factor[0]) && std::isnan(few.logLikelihood));
      CHECK(std::isnan(few.residual) && std::isnan(few.gap));
      CHECK(few.iterations == 0);
    }
    Group none{int(d), 0, 0, Numbers(d, NAN), Numbers(d * d, 0)};
    const Fit empty = fit(none, Call{});
    CHECK(empty.status == Status::empty);
    CHECK(std::isnan(empty.mean[0]) && std::isnan(empty.covariance[0]) && std::isnan(empty.factor[0]));
    group.count = group.weight = 100;
    group.mean[0] = NAN;
    const Fit infinite = fit(group, Call{});
    CHECK(infinite.status == Status::nonFinite);
    CHECK(std::isnan(infinite.mean[0]) && std::isnan(infinite.covariance[0]));
    if (d > 1) CHECK_CLOSE(infinite.covariance[d + 1], group.scatter[d + 1] / 100, 1e-15 * group.scatter[d + 1]);
  }
  Group one{1, 1, 1, {5}, {0}};
  CHECK(fit(one, Call{}).covariance[0] == 0);
  CHECK(std::isnan(fit(one, Call{.ddof = 1}).covariance[0]));
}
