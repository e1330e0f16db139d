// device_fit_test.cpp: the device's fit and evaluate, played on a CPU, give what one thread gives.
#include "device_groups.hpp"

#include "check.hpp"

using namespace device;

namespace {

constexpr const char* names[] = {"closed-form", "newton", "lbfgs", "cg", "bb", "gradient-descent", "momentum"};

// Two paths of rounding from one start to one maximum: what each promises about its distance from it.
constexpr f64 covariancePerResidual = 4;

std::vector<Group> groupsOf(int d) {
  std::vector<Group> all;
  for (const f64 condition : {1.0, 10.0, 100.0}) all.push_back(groups::groupOf(d, condition, 11 * d + i64(condition)));
  return all;
}

template <class Real> FitResults fit(const Batch& batch, const Call& call) {
  FitResults results(batch, call);
  launchSolver(2, sizeof(Real) == sizeof(f32), i64(call.method), results.arguments(batch, call));
  return results;
}

Numbers part(const Numbers& all, i64 index, i64 size) {
  return Numbers(all.begin() + index * size, all.begin() + (index + 1) * size);
}

// Every group against the same by one thread.
template <class Real> void checkAgrees(const std::vector<Group>& all, const Call& call) {
  const Batch batch(all);
  const FitResults found = fit<Real>(batch, call);
  const int d = batch.d;
  for (i64 g = 0; g < batch.groups(); ++g) {
    check::Case which("group " + std::to_string(g));
    const groups::Fit expected = groups::fit<Real>(all[g], call);
    CHECK(found.status[g] == u8(expected.status));
    if (expected.status != Status::converged) continue;
    const f64 tolerance = call.method == Method::closedForm ? 1e-12 : covariancePerResidual * call.tolerance;
    const f64 allowed = sizeof(Real) == sizeof(f32) ? 1e-4 : tolerance;
    CHECK(groups::relativeError(part(found.covariance, g, d * d), expected.covariance) <= allowed);
    CHECK(groups::relativeError(part(found.factor, g, d * d), expected.factor) <= allowed);
    CHECK_CLOSE(found.logLikelihood[g], expected.logLikelihood, allowed * std::fabs(expected.logLikelihood));
    CHECK(found.residual[g] <= call.tolerance && found.gap[g] >= 0);
    for (int i = 0; i < d; ++i) {
      for (int j = i + 1; j < d; ++j) CHECK(found.factor[(g * d + i) * d + j] == 0);
    }
  }
}

}  // namespace

TEST("every method reaches what one thread reaches, in both precisions") {
  FOR_EACH(d, {1, 2, 3, 4, 5, 8, 9, 16, 31, 33}) {
    for (int method = 0; method <= 6; ++method) {
      check::Case of(names[method]);
      const bool slow = Method(method) >= Method::gradientDescent;
      if (slow && d > 9) continue;
      checkAgrees<f64>(groupsOf(int(d)), Call{.method = Method(method), .tolerance = slow ? 1e-4 : 1e-8});
      if (d > 16) continue;  // float32 stalls here or there, as rounding has it
      check::Case single("float32");
      checkAgrees<f32>(groupsOf(int(d)), Call{.method = Method(method), .tolerance = 1e-4, .epsilon = 0x1p-24});
    }
  }
}

TEST("wide groups, by blocks whose scratch is in global memory") {
  FOR_EACH(d, {64, 65, 130}) {
    checkAgrees<f64>({groups::groupOf(int(d), 10, 3)}, Call{});
    checkAgrees<f64>({groups::groupOf(int(d), 10, 3)}, Call{.method = Method::newton});
  }
  checkAgrees<f64>({groups::groupOf(64, 10, 3)}, Call{.method = Method::lbfgs});
}

TEST("any start, ddof 1") {
  FOR_EACH(d, {1, 3, 8, 33}) {
    checkAgrees<f64>(groupsOf(int(d)), Call{.ddof = 1, .tolerance = 1});
    groups::Random random(100 + d);
    const Numbers mean = random.normals(int(d));
    Numbers factor = random.normals(int(d * d));
    for (int i = 0; i < d; ++i) factor[i * d + i] += 3;
    for (const Method method : {Method::newton, Method::lbfgs}) {
      check::Case of(names[int(method)]);
      checkAgrees<f64>(groupsOf(int(d)), Call{.method = method, .start = Start::identity});
      checkAgrees<f64>(groupsOf(int(d)),
                       Call{.method = method, .start = Start::given, .startMean = mean, .startFactor = factor});
    }
  }
}

TEST("groups without a maximum do not disturb the others") {
  FOR_EACH(d, {1, 3, 8, 33}) {
    std::vector<Group> all(7, groups::groupOf(int(d), 10, 5));
    all[1].count = all[1].weight = d;
    all[2] = Group{int(d), 0, 0, Numbers(d, NAN), Numbers(d * d, 0)};
    all[3].mean[0] = NAN;
    all[4].scatter.assign(d * d, 0.0);
    all[5].scatter[d * d - 1] = INFINITY;
    const u8 expected[] = {0, u8(Status::tooFewRows), u8(Status::empty), u8(Status::nonFinite), u8(Status::singular),
                           u8(Status::nonFinite), 0};
    for (const Method method : {Method::closedForm, Method::newton, Method::lbfgs}) {
      const FitResults found = fit<f64>(Batch(all), Call{.method = method});
      for (int g = 0; g < 7; ++g) CHECK(found.status[g] == expected[g]);
      CHECK(part(found.covariance, 0, d * d) == part(found.covariance, 6, d * d));
      CHECK(std::isnan(found.factor[d * d]) && std::isnan(found.logLikelihood[1]));
      CHECK(found.iterations[1] == 0);
    }
  }
}

TEST("the stop word ends long iterations") {
  const i32 stop = 1;
  for (const Method method : {Method::bb, Method::gradientDescent, Method::momentum, Method::lbfgs}) {
    const Call call{.method = method, .tolerance = 0, .maxIterations = 100000, .stop = &stop};
    const FitResults found = fit<f64>(Batch({groups::groupOf(8, 1e8, 3)}), call);
    CHECK(found.iterations[0] == 15);  // asked after every 16th
  }
}

TEST("evaluate gives what one thread gives") {
  FOR_EACH(d, {1, 2, 3, 5, 8, 16, 33, 65, 130}) {
    std::vector<Group> all(3, groups::groupOf(int(d), 10, 7 * d));
    all[1].count = all[1].weight = 0;
    groups::Random random(d);
    Numbers mean, factor;
    for (int g = 0; g < 3; ++g) {
      const Numbers m = random.normals(int(d));
      Numbers f = random.normals(int(d * d));
      for (int i = 0; i < d; ++i) f[i * d + i] += 2 + std::sqrt(f64(d));
      mean.insert(mean.end(), m.begin(), m.end());
      factor.insert(factor.end(), f.begin(), f.end());
    }
    const Batch batch(all);
    EvaluateResults found(batch);
    launchSolver(3, 0, 0, found.arguments(batch, mean, factor));
    EvaluateResults single(batch);
    launchSolver(3, 1, 0, single.arguments(batch, mean, factor));
    for (const i64 g : {0, 2}) {
      const groups::Evaluation expected =
          groups::evaluate(all[g], part(mean, g, d), part(factor, g, d * d), false);
      // Λ's condition reaches some hundreds, its square that of the products.
      const auto agrees = [&](const EvaluateResults& results, f64 tolerance) {
        CHECK(results.status[g] == 0);
        CHECK_CLOSE(results.j1[g], expected.j1, tolerance * all[g].weight * d);
        CHECK_CLOSE(results.j2[g], expected.j2, tolerance * expected.j2);
        CHECK(groups::relativeError(part(results.dj1dFactor, g, d * d), expected.dj1dFactor) <= tolerance);
        CHECK(groups::relativeError(part(results.dj2dMean, g, d), expected.dj2dMean) <= tolerance);
        CHECK(groups::relativeError(part(results.dj2dFactor, g, d * d), expected.dj2dFactor) <= tolerance);
      };
      agrees(found, 1e-11);
      if (d <= 8) agrees(single, 5e-3);
    }
    CHECK(found.status[1] == u8(Status::empty) && found.j1[1] == 0 && found.dj2dFactor[d * d] == 0);
  }
}
