// closed_form_tiles_test.cpp: the closed form by tiles is that of fitGroup(), and leaves to it whatever is in doubt.
#include "groups.hpp"

#include "check.hpp"

using namespace groups;

namespace {

Fit alone(const Group& group, Call call) {
  call.packed = false;
  return fit(group, call);
}

Call withDdof(f64 ddof) { return {.ddof = ddof}; }

bool isLeft(const Group& group, const Call& call = {}) {
  Place place(group.d);
  return !fitByTiles(group, call, place);
}

// The scratch, in `block`, once the group has been found to have full rank.
ClosedFormTileScratch ranked(const Group& group, Block<f64>& block) {
  const int d = group.d;
  Scratch count;
  ClosedFormTileScratch(count, d);
  block = staleBlock(count.used);
  Scratch scratch(reinterpret_cast<char*>(block.data()));
  const ClosedFormTileScratch work(scratch, d);
  Numbers covariance(d * d);
  CHECK(standardise(d, group.statistics(), 1 / group.weight, work, covariance.data()));
  CHECK(hasFullRank(d, group.statistics(), 0x1p-53, work));
  return work;
}

}  // namespace

TEST("the fit of fitGroup(), with a residual and a gap that are at least its own") {
  FOR_EACH(d, {1, 2, 3, 4, 5, 8, 23, 24, 31, 33, 64, 65}) {
    for (const f64 condition : {1.0, 100.0, 1e4}) {
      for (const f64 ddof : {0.0, 1.0}) {
        const Group group = groupOf(int(d), condition, 5 * d);
        Place place(group.d);
        CHECK(fitByTiles(group, withDdof(ddof), place));
        const Fit tiles = place.result(), single = alone(group, withDdof(ddof));
        const f64 rounding = 16 * d * condition * 0x1p-52;  // of the whitened residual
        CHECK(tiles.status == Status::converged && tiles.iterations == 0);
        CHECK(tiles.mean == single.mean);
        CHECK(tiles.covariance == single.covariance);
        CHECK(relativeError(tiles.factor, single.factor) <= rounding);
        for (int i = 0; i < d; ++i) {
          for (int j = i + 1; j < d; ++j) CHECK(tiles.factor[i * d + j] == 0);
        }
        CHECK_CLOSE(tiles.logLikelihood, single.logLikelihood, rounding * std::fabs(single.logLikelihood));
        CHECK_CLOSE(tiles.residual, single.residual, rounding);
        CHECK_CLOSE(tiles.gap, single.gap, rounding * (rounding + single.residual));
      }
    }
  }
}

TEST("the residual is a bound: a factor that is off by more shows") {
  const int d = 33;
  const Group group = groupOf(d, 100, 7);
  Block<f64> block;
  const ClosedFormTileScratch work = ranked(group, block);
  for (int j = 0; j < work.strips * side; ++j) work.own[j] = std::sqrt(work.own[j]);
  work.U[stripStart(13 / side) + 1 * side + 13 % side] *= 1 + 1e-6;  // row 1 of column 13

  Scratch size;
  FitScratch(size, d, 0);
  Block<f64> other = staleBlock(size.used);
  Scratch own(reinterpret_cast<char*>(other.data()));
  const FitScratch exact(own, d, 0);
  const SerialTeam team;
  standardise(team, Dynamic{d}, group.statistics(), exact.scale, exact.inverseScale, exact.R);
  for (int k = 0; k < d; ++k) {
    for (int j = k; j < d; ++j) exact.U[k * d + j] = work.U[stripStart(j / side) + k * side + j % side];
  }
  const f64 residual = certify(team, Dynamic{d}, exact.R, exact.m, true, exact.U, exact.inverse, exact.z, exact.T, exact.W).residual;
  const f64 bound = weightedDefect(work.strips, work.R, work.U, work.own);
  CHECK(residual > 1e-9);
  CHECK(bound >= residual * (1 - 1e-5));  // own belongs to the factor before
  CHECK(bound <= 2 * d * residual);
}

TEST("1/(R⁻¹)_jj of a matrix whose inverse is known") {
  const int d = 3;
  const Group group = groupOf(d, 100, Numbers{1, 0.5, 0.25, 0.5, 1, 0.5, 0.25, 0.5, 1}, Numbers(d, 0.0));
  Block<f64> block;
  const ClosedFormTileScratch work = ranked(group, block);
  CHECK_CLOSE(work.own[0], 4.0 / 3, 1e-15);  // R⁻¹ = [4 −2 0; −2 5 −2; 0 −2 4]/3
  CHECK_CLOSE(work.own[1], 5.0 / 3, 1e-15);
  CHECK_CLOSE(work.own[2], 4.0 / 3, 1e-15);
  CHECK(work.own[3] == 1);  // the column that fills up
}

TEST("what is in doubt is left to fitGroup(), and ends as there") {
  FOR_EACH(d, {5, 24, 33}) {
    const Group good = groupOf(int(d), 100, d);
    CHECK(!isLeft(good));
    Group group = good;
    group.scatter[3 * d + 3] = 0;
    CHECK(isLeft(group));
    for (const f64 bad : {NAN, INFINITY, -INFINITY}) {
      for (const int entry : {0, int(d) - 1, int(d * d) - 1, int(2 * d)}) {
        group = good;
        group.scatter[entry] = bad;
        CHECK(isLeft(group));
      }
      group = good;
      group.mean[d - 1] = bad;
      CHECK(isLeft(group));
    }
    group = good;
    group.count = group.weight = d;
    CHECK(isLeft(group));
    group = good;
    group.weight = 1;
    CHECK(isLeft(group, {.ddof = 1}));
    group = good;
    for (int j = 0; j < d; ++j) group.scatter[2 * d + j] = good.scatter[j];  // column 2 is column 0
    for (int j = 0; j < d; ++j) group.scatter[j * d + 2] = good.scatter[j];
    group.scatter[2 * d + 2] = good.scatter[0];
    CHECK(isLeft(group));
    CHECK(fit(group, Call{}).status == Status::singular);
    CHECK(isLeft(groupOf(int(d), 1e14, d)));
    CHECK(isLeft(groupOf(int(d), 1e10, d)));  // of full rank, but the bound on its residual says little
    const Fit coarse = fit(groupOf(int(d), 1e10, d), Call{});
    CHECK(coarse.status == Status::converged && coarse.residual <= 8 * d * 1e10 * 0x1p-52);
  }
}

TEST("what coarsely stored rows leave in doubt is left, however small the residual") {
  FOR_EACH(d, {24, 33, 64}) {
    const Group group = groupOf(int(d), 1e5, 3 * d);
    const Call exact, coarse{.epsilon = 0x1p-10};
    CHECK(alone(group, exact).status == Status::converged && !isLeft(group, exact));
    CHECK(alone(group, coarse).status == Status::singular && isLeft(group, coarse));
  }
}
