// packs_test.cpp: groups that are fitted side by side get what each of them gets alone.
#include "groups.hpp"

#include "check.hpp"

using namespace groups;

namespace {

constexpr Method packed[] = {Method::closedForm, Method::newton};

// Bit for bit; a NaN is as good as another.
bool same(f64 a, f64 b) { return a == b || (std::isnan(a) && std::isnan(b)); }
bool same(const Numbers& a, const Numbers& b) {
  bool equal = a.size() == b.size();
  for (std::size_t i = 0; equal && i < a.size(); ++i) equal = same(a[i], b[i]);
  return equal;
}
bool same(const Fit& a, const Fit& b) {
  return a.status == b.status && a.iterations == b.iterations && same(a.mean, b.mean) &&
         same(a.covariance, b.covariance) && same(a.factor, b.factor) && same(a.logLikelihood, b.logLikelihood) &&
         same(a.residual, b.residual) && same(a.gap, b.gap);
}

// One of each kind that a pack may meet: easy, in doubt, and without a maximum for one reason or another.
std::vector<Group> company(int d) {
  Group few = groupOf(d, 10, 1), infinite = few, overflown = few, weightless = few, constant = few, collinear = few;
  few.count = few.weight = d;
  infinite.mean[d - 1] = INFINITY;
  overflown.scatter[0] = INFINITY;
  weightless.weight = 0;
  for (int j = 0; j < d; ++j) constant.scatter[j] = constant.scatter[j * d] = 0;
  for (int j = 0; j < d; ++j) collinear.scatter[(d - 1) * d + j] = collinear.scatter[j];
  for (int j = 0; j < d; ++j) collinear.scatter[j * d + d - 1] = collinear.scatter[j * d];
  std::vector<Group> all = {groupOf(d, 10, 2), groupOf(d, 1e2, 3), groupOf(d, 1e9, 4), few,
                            infinite, overflown, weightless, constant};
  all.push_back({d, 0, 0, Numbers(d, NAN), Numbers(d * d, 0)});
  if (d > 1) all.push_back(collinear);
  return all;
}

template <class Real> void checkCompany(int d, const Call& call) {
  const std::vector<Group> all = company(d);
  for (const Group& group : all) {
    const Fit alone = fitPack<Real>({group}, call)[0];
    Call unpacked = call;
    unpacked.packed = false;
    CHECK(alone.status == fit<Real>(group, unpacked).status);
    for (const Group& other : all) {
      std::vector<Group> pack(packLanes<Real>, other);
      for (int lane = 0; lane < packLanes<Real>; ++lane) {
        pack[lane] = group;
        CHECK(same(fitPack<Real>(pack, call)[lane], alone));
        pack[lane] = other;
      }
    }
  }
}

}  // namespace

TEST("a pack and a group alone by the other code agree") {
  FOR_EACH(d, {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 31, 32}) {
    for (const f64 condition : {1.0, 1e2, 1e5}) {
      check::Case of("condition " + std::to_string(int(condition)));
      for (const Method method : packed) {
        check::Case by(method == Method::newton ? "newton" : "closed form");
        const Group group = groupOf(int(d), condition, 7 * d);
        Call call{.method = method, .ddof = method == Method::closedForm && d > 4 ? 1.0 : 0.0};
        const Fit pack = fit(group, call);
        call.packed = false;
        const Fit single = fit(group, call);
        CHECK(pack.status == Status::converged && single.status == Status::converged);
        CHECK(std::abs(pack.iterations - single.iterations) <= 1);
        const f64 rounding = 16 * d * condition * 0x1p-52;  // of the whitened residual
        CHECK(relativeError(pack.covariance, single.covariance) <= rounding);
        CHECK(relativeError(pack.factor, single.factor) <= rounding);
        CHECK_CLOSE(pack.logLikelihood, single.logLikelihood, rounding * std::fabs(single.logLikelihood));
        CHECK_CLOSE(pack.residual, single.residual, rounding);
        CHECK_CLOSE(pack.gap, single.gap, rounding * (rounding + single.residual));  // the gap is quadratic
        CHECK(pack.mean == group.mean);
      }
    }
  }
}

TEST("a group's bits do not depend on its company, nor on its lane") {
  FOR_EACH(d, {1, 2, 3, 4, 7, 9}) {
    for (const Method method : packed) {
      check::Case by(method == Method::newton ? "newton" : "closed form");
      checkCompany<f64>(int(d), {.method = method});
      checkCompany<f32>(int(d), {.method = method, .tolerance = 1e-4, .epsilon = 0x1p-24});
    }
    Random random(d);
    checkCompany<f64>(int(d), {.method = Method::newton, .start = Start::given,
                               .startMean = random.normals(int(d)), .startFactor = random.normals(int(d * d))});
    checkCompany<f64>(int(d), {.method = Method::newton, .start = Start::identity, .maxIterations = 3});
    checkCompany<f64>(int(d), {.ddof = 1});
  }
}

TEST("gradient methods: a group's bits do not depend on the others, nor on their order") {
  FOR_EACH(d, {1, 2, 4, 5}) {
    const std::vector<Group> all = company(int(d));
    const std::vector<Group> reversed(all.rbegin(), all.rend());
    Random random(d);
    const Numbers mean = random.normals(int(d)), factor = random.normals(int(d * d));
    for (int method = int(Method::lbfgs); method <= int(Method::momentum); ++method) {
      check::Case by("method " + std::to_string(method));
      for (const Start start : {Start::standard, Start::given}) {
        const Call call{.method = Method(method), .start = start, .startMean = mean, .startFactor = factor,
                        .maxIterations = 40};
        const std::vector<Fit> forth = fitPack<f64>(all, call), back = fitPack<f64>(reversed, call);
        Call rounded = call;
        rounded.tolerance = 1e-4;
        const std::vector<Fit> single = fitPack<f32>(all, rounded), singleBack = fitPack<f32>(reversed, rounded);
        for (std::size_t k = 0; k < all.size(); ++k) {
          CHECK(same(forth[k], fitPack<f64>({all[k]}, call)[0]));
          CHECK(same(forth[k], back[all.size() - 1 - k]));
          CHECK(same(single[k], fitPack<f32>({all[k]}, rounded)[0]));
          CHECK(same(single[k], singleBack[all.size() - 1 - k]));
        }
      }
    }
  }
}

TEST("gradient methods: a pack and a group alone by the other code agree") {
  FOR_EACH(d, {1, 2, 3, 5, 8, 9}) {
    const Group group = groupOf(int(d), 20, 3 * d);
    Random random(d);
    const Numbers mean = random.normals(int(d)), factor = random.normals(int(d * d));
    for (int method = int(Method::lbfgs); method <= int(Method::momentum); ++method) {
      check::Case by("method " + std::to_string(method));
      for (const Start start : {Start::standard, Start::given}) {
        // After a few steps rounding has not yet grown: the two are at the same point of the same path.
        Call call{.method = Method(method), .start = start, .startMean = mean, .startFactor = factor, .maxIterations = 3};
        const Fit pack = fit(group, call);
        call.packed = false;
        const Fit single = fit(group, call);
        CHECK(pack.status == single.status && pack.iterations == single.iterations);
        CHECK(relativeError(pack.covariance, single.covariance) <= 1e-9);
        CHECK(relativeError(pack.mean, single.mean) <= 1e-9);
        CHECK_CLOSE(pack.residual, single.residual, 1e-9 * single.residual + 1e-12);
      }
    }
  }
}

TEST("groups of one pack that take different numbers of steps") {
  const std::vector<Group> pack = {groupOf(5, 1.0, 1), groupOf(5, 1e8, 2)};
  const std::vector<Fit> fits = fitPack(pack, {.method = Method::newton});
  CHECK(fits[0].iterations < fits[1].iterations);
  for (const Fit& found : fits) CHECK(found.status == Status::converged);
}

TEST("whatever the determinant leaves in doubt is decided as for a group alone") {
  int full = 0, singular = 0;
  FOR_EACH(d, {2, 3, 8, 20, 32}) {
    for (int exponent = 0; exponent <= 18; ++exponent) {
      const Group group = groupOf(int(d), std::pow(10, exponent), exponent);
      Call call{.epsilon = d % 2 ? 0x1p-53 : 0x1p-30};
      const Status pack = fit(group, call).status;
      call.packed = false;
      CHECK(pack == fit(group, call).status);
      ++(pack == Status::converged ? full : singular);
    }
  }
  CHECK(full > 10 && singular > 10);
}

TEST("a pack's inverse: the least own variance of a column, and the trace") {
  const int d = 3;
  const Numbers R = {1, 0.5, 0.25, 0.5, 1, 0.5, 0.25, 0.5, 1};  // R⁻¹ = [4 −2 0; −2 5 −2; 0 −2 4]/3
  Scratch size;
  PackScratch(size, d);
  Block<f64> block = staleBlock(size.used);
  Scratch scratch(reinterpret_cast<char*>(block.data()));
  const PackScratch work(scratch, d);
  for (int lane = 0; lane < lanesOf<f64>; ++lane) setLane(d * d, work.R, lane, R.data());
  const auto positive = factorCholesky(Dynamic{d}, work.R, work.U, work.inverse);
  CHECK(positive[0] && positive[1]);
  const f64v least = leastOwnVariance(Dynamic{d}, work);
  CHECK_CLOSE(least[0], 0.6, 1e-15);
  CHECK_CLOSE(least[1], 0.6, 1e-15);
  const f64v trace = traceOfInverse(Dynamic{d}, work);
  CHECK_CLOSE(trace[0], 13.0 / 3, 1e-14);
  CHECK_CLOSE(trace[1], 13.0 / 3, 1e-14);
}

TEST("the trace of the inverse of a pack is that of a group alone") {
  FOR_EACH(d, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 31, 32}) {
    const Group group = groupOf(int(d), 1e5, d);
    Scratch size;
    FitPackScratch<f32>(size, int(d));
    Block<f64> block = staleBlock(size.used);
    Scratch scratch(reinterpret_cast<char*>(block.data()));
    const FitPackScratch<f32> work(scratch, int(d));
    const FitScratch& single = work.single;
    const Status status = existence(SerialTeam{}, Dynamic{int(d)}, group.statistics(), optionsOf(Call{}), single);
    CHECK(status == Status::converged);
    for (int lane = 0; lane < lanesOf<f64>; ++lane) setLane(d * d, work.part[0].U, lane, single.U);
    const f64 alone = traceOfInverse(SerialTeam{}, Dynamic{int(d)}, single.U, single.inverse, single.T);
    const f64v pack = traceOfInverse(Dynamic{int(d)}, work.part[0]);
    CHECK_CLOSE(pack[0], alone, 1e-10 * alone);
    CHECK(pack[0] == pack[1]);
  }
}

TEST("the closed form of a pack takes columns of any scale as they are") {
  FOR_EACH(d, {1, 2, 3, 4, 5, 8}) {
    for (const f64 scale : {1e-140, 1e-60, 1e60, 1e140}) {  // the product of the variances is beyond any number
      const Group plain = groupOf(int(d), 1e2, 5 * d);
      Group scaled = plain;
      for (int i = 0; i < d; ++i) {
        scaled.mean[i] *= i % 2 ? scale : 1;
        for (int j = 0; j < d; ++j) scaled.scatter[i * d + j] *= (i % 2 ? scale : 1) * (j % 2 ? scale : 1);
      }
      const Fit wanted = fit(plain, Call{}), found = fit(scaled, Call{});
      CHECK(found.status == Status::converged);
      for (int i = 0; i < d; ++i) {
        for (int j = 0; j <= i; ++j) {
          const f64 entry = wanted.factor[i * d + j] * (i % 2 ? scale : 1);
          CHECK_CLOSE(found.factor[i * d + j], entry, 1e-13 * std::fabs(wanted.factor[i * d + i]) * (i % 2 ? scale : 1));
        }
      }
      const f64 shift = -scaled.weight * f64(d / 2) * std::log(scale);
      CHECK_CLOSE(found.logLikelihood, wanted.logLikelihood + shift, 1e-13 * std::fabs(wanted.logLikelihood + shift));
      CHECK(found.residual <= 1e-12);
    }
  }
}

TEST("the logarithm of a pack is right to an ulp") {
  Random random(1);
  for (int k = 0; k < 100000; ++k) {
    const f64 wide = std::exp((random.uniform() - 0.5) * 1400), close = 1 + (random.uniform() - 0.5) * std::exp(-k % 30);
    const f64v found = logOf(gather<f64v>([&](int lane) { return lane % 2 ? close : wide; }));
    const Long first = std::log(Long(wide)), second = std::log(Long(close));
    CHECK_CLOSE(found[0], f64(first), 0x1p-52 * std::fabs(f64(first)));
    CHECK_CLOSE(found[1], f64(second), 0x1p-52 * std::fabs(f64(second)));
  }
  const f64v none = logOf(splat(1.0));
  CHECK(none[0] == 0 && none[1] == 0);
}

TEST("the closed form of a pack states the residual and the gap of fitGroup()") {
  FOR_EACH(d, {1, 2, 3, 5, 8}) {
    for (const f64 rows : {2.0 * d + 3, 2e3, 2e9}) {  // far from the maximum and near it
      Group group = groupOf(int(d), 1e2, 5 * d);
      for (f64& entry : group.scatter) entry *= rows / group.weight;
      group.count = group.weight = rows;
      Call call{.ddof = 1};
      const Fit pack = fit(group, call);
      call.packed = false;
      const Fit single = fit(group, call);
      CHECK(pack.residual > 0);
      CHECK_CLOSE(pack.residual, single.residual, 1e-4 * single.residual);
      CHECK_CLOSE(pack.gap, single.gap, 1e-4 * single.gap);
    }
  }
}
