// race_test.cpp: no phase of a device's kernels reads what another lane writes in it.
//
// Every kernel runs with a fiber for each lane, in both orders, over poisoned scratch, and must give the very bits of
// the serial emulation (fiber_team.hpp); under ThreadSanitizer no two lanes may touch a word in one phase either, one
// of them writing, whatever the result. It sees the phases that these cases reach.
#include "device_groups.hpp"
#include "fiber_team.hpp"

#include "check.hpp"
#include "moments_reference.hpp"

using namespace device;

namespace {

// One team a block, so that each takes several entries of a short list, one after the other.
Described narrow(Described described) {
  described.threads = described.width;
  return described;
}

// Plays the launch by fibers; false where lanes parted ways.
template <class Operation, class Arguments>
bool playFibers(const Described& described, const Arguments& a, LaneOrder order) {
  bool met = true;
  launch(narrow(described), a, [&](const Arguments& complete, i64 grid, i64 threads, char* shared) {
    playGrid(complete, grid, threads, shared, [&](i64 index, i64 teams, char* block) {
      Fibers fibers(int(complete.width), [&](int) {
        playList<Operation>(FiberTeam{int(complete.width)}, index, teams, complete, block);
      });
      met = met && fibers.run(order);
    });
  });
  return met;
}

template <class Operation, class Arguments> void playSerially(const Described& described, const Arguments& a) {
  launch(narrow(described), a, [&](const Arguments& complete, i64 grid, i64 threads, char* shared) {
    emulate<Operation, Arguments>(&complete, grid, threads, shared);
  });
}

#if defined(__SANITIZE_THREAD__)
constexpr LaneOrder orders[] = {LaneOrder::ascending};  // it sees the order that did not happen
#else
constexpr LaneOrder orders[] = {LaneOrder::ascending, LaneOrder::descending};
#endif

// results(play) launches by `play` and returns all that came out, as numbers.
template <class Operation, class Arguments, class Results>
void checkSameBits(const Described& described, Results results) {
  const Numbers serial = results([&](const Arguments& a) { playSerially<Operation>(described, a); });
  for (const LaneOrder order : orders) {
    check::Case of(order == LaneOrder::ascending ? "ascending" : "descending");
    const Numbers fibers = results([&](const Arguments& a) { CHECK(playFibers<Operation>(described, a, order)); });
    int different = 0;
    for (size_t i = 0; i < serial.size(); ++i) different += !same(serial[i], fibers[i]);
    CHECK(different == 0);
  }
}

Numbers joined(std::initializer_list<const Numbers*> parts) {
  Numbers all;
  for (const Numbers* part : parts) all.insert(all.end(), part->begin(), part->end());
  return all;
}

template <class Operation, class Row> void checkMoments(i64 type, const Rows& rows, bool matrixUnits = false) {
  const int d = rows.d;
  const std::vector<Row> x(rows.x.begin(), rows.x.end());
  const i64 first[] = {0, rows.n / 2, 0, 2}, length[] = {rows.n, rows.n - rows.n / 2, 0, d + 2}, target[] = {0, 1, 2, 3};
  checkSameBits<Operation, MomentsArguments>(describe(0, type, !rows.weights.empty(), d, matrixUnits), [&](auto play) {
    Numbers count(4, -1), weight(4, -1), mean(4 * d, -1), scatter(4 * d * d, -1);
    MomentsArguments a{};
    a.rows = x.data();
    a.weights = rows.weights.empty() ? nullptr : rows.weights.data();
    a.first = first;
    a.length = length;
    a.target = target;
    a.items = 4;
    a.dims = d;
    a.count = count.data();
    a.weight = weight.data();
    a.mean = mean.data();
    a.scatter = scatter.data();
    play(a);
    return joined({&count, &weight, &mean, &scatter});
  });
}

template <int D> void checkLanes() {
  const Rows rows = normalRows(300, D), heavy = weighted(rows);
  checkMoments<MomentsLanes<D, f64, f64, false>, f64>(0, rows);
  checkMoments<MomentsLanes<D, f64, f32, true>, f32>(1, heavy);
  checkMoments<MomentsLanes<D, f32, f32, true>, f32>(2, heavy);
  checkMoments<MomentsLanesAhead<D, f64, false>, f64>(0, rows, true);
  checkMoments<MomentsLanesAhead<D, f32, true>, f32>(1, heavy, true);
}

template <int S> void checkTensor(int d) {
  const Rows rows = normalRows(300, d), heavy = weighted(rows);
  checkMoments<MomentsTensor<S, f64, false>, f64>(0, rows, true);
  checkMoments<MomentsTensor<S, f32, true>, f32>(1, heavy, true);
}

template <class Operation> void checkFitBy(i64 precision, const Group& group, const Call& call) {
  const Batch batch({group, groups::groupOf(group.d, 1, 99), group});
  const Described described = describe(2, precision, i64(call.method), group.d);
  checkSameBits<Operation, FitArguments>(described, [&](auto play) {
    FitResults results(batch, call);
    play(results.arguments(batch, call));
    Numbers codes(results.iterations.begin(), results.iterations.end());
    codes.insert(codes.end(), results.status.begin(), results.status.end());
    return joined({&results.mean, &results.covariance, &results.factor, &results.logLikelihood, &results.residual,
                   &results.gap, &codes});
  });
}

template <class Real> void checkFit(const Group& group, const Call& call) {
  const i64 precision = sizeof(Real) == sizeof(f32);
  if (call.method != Method::closedForm) return checkFitBy<mvn::Fit<Real, Iterative::all>>(precision, group, call);
  switch (group.d) {
    case 1: return checkFitBy<ClosedFormLanes<1>>(precision, group, call);
    case 2: return checkFitBy<ClosedFormLanes<2>>(precision, group, call);
    case 3: return checkFitBy<ClosedFormLanes<3>>(precision, group, call);
    case 4: return checkFitBy<ClosedFormLanes<4>>(precision, group, call);
  }
  if (group.d <= 8) return checkFitBy<ClosedForm<8>>(precision, group, call);
  if (group.d <= 64) return checkFitBy<ClosedForm<48>>(precision, group, call);
  checkFitBy<mvn::Fit<Real, Iterative::none>>(precision, group, call);
}

}  // namespace

TEST("moments by lanes") {
  checkLanes<1>();
  checkLanes<3>();
  checkLanes<4>();
}

TEST("moments by panels") {
  FOR_EACH(d, {5, 8, 13, 29, 61}) {
    const Rows rows = normalRows(270, int(d)), heavy = weighted(rows);
    checkMoments<MomentsPanels<f64, f64, false>, f64>(0, rows);
    checkMoments<MomentsPanels<f64, f64, true>, f64>(0, heavy);
    checkMoments<MomentsPanels<f32, f32, true>, f32>(2, heavy);
  }
}

TEST("moments by matrix units") {
  checkTensor<1>(7);
  checkTensor<3>(20);
}

TEST("merge") {
  FOR_EACH(d, {1, 5, 40}) {
    const Batch parts({groups::groupOf(int(d), 10, 1), groups::groupOf(int(d), 10, 2), groups::groupOf(int(d), 10, 3)});
    for (const i64 target : {i64(0), i64(2)}) {
      const i64 first = 0, many = target == 0 ? 3 : 2;
      checkSameBits<Merge, MergeArguments>(describe(1, 0, 0, d), [&](auto play) {
        Batch all = parts;
        MergeArguments a{};
        a.first = &first;
        a.parts = &many;
        a.target = &target;
        a.merges = 1;
        a.dims = d;
        a.count = all.count.data();
        a.weight = all.weight.data();
        a.mean = all.mean.data();
        a.scatter = all.scatter.data();
        play(a);
        return joined({&all.count, &all.weight, &all.mean, &all.scatter});
      });
    }
  }
}

TEST("fit, every method, precision and start") {
  FOR_EACH(d, {1, 2, 5, 8, 33}) {
    FOR_EACH(method, {0, 1, 2, 3, 4, 5, 6}) {
      const Group group = groups::groupOf(int(d), 30, 3 * d);
      const int budget = d > 8 ? 3 : 25;  // the same phases again and again
      Call call{.method = Method(method), .ddof = method == 0 ? 1.0 : 0.0, .maxIterations = budget};
      checkFit<f64>(group, call);
      Call rounded = call;
      rounded.tolerance = 1e-4;
      checkFit<f32>(group, rounded);
      groups::Random random(d);
      call.start = Start::given;
      call.startMean = random.normals(int(d));
      call.startFactor = random.normals(int(d * d));
      for (int i = 0; i < d; ++i) call.startFactor[i * d + i] += 3;
      if (method > 0) checkFit<f64>(group, call);
    }
  }
}

TEST("fit in float32 that goes on in float64: from the start, and from where float32 stalls") {
  FOR_EACH(d, {3, 33}) {
    for (const Method method : {Method::newton, Method::cg}) {
      const Group group = groups::groupOf(int(d), 300, 2);
      checkFit<f32>(group, {.method = method, .tolerance = 1e-8, .maxIterations = 5});
      checkFit<f32>(group, {.method = method, .start = Start::given, .startMean = Numbers(d, 1),
                            .startFactor = Numbers(d * d, 0), .tolerance = 1e-3});
      checkFit<f32>(group, {.method = method, .tolerance = 2e-5, .maxIterations = d > 8 ? 40 : 400});
    }
  }
}

TEST("fit: no maximum, a nearly singular group by complete pivoting, the stop word") {
  checkFit<f64>(groups::groupOf(70, 10, 1), Call{});
  FOR_EACH(d, {3, 33}) {
    Group few = groups::groupOf(int(d), 10, 1), close = groups::groupOf(int(d), 1e13, 2);
    few.count = few.weight = 1;
    checkFit<f64>(few, Call{});
    checkFit<f64>(close, Call{});
    checkFit<f64>(close, Call{.method = Method::newton, .maxIterations = 5});
  }
  const i32 stop = 1;
  checkFit<f64>(groups::groupOf(4, 100, 1), Call{.method = Method::bb, .tolerance = 0, .stop = &stop});
}

TEST("evaluate") {
  FOR_EACH(d, {1, 3, 8, 33}) {
    const Batch batch({groups::groupOf(int(d), 10, 1), groups::groupOf(int(d), 10, 2), groups::groupOf(int(d), 10, 3)});
    groups::Random random(d);
    const Numbers mean = random.normals(3 * int(d));
    Numbers factor = random.normals(3 * int(d * d));
    for (int e = 0; e < d * d; ++e) factor[d * d + e] = 1;  // of rank one
    const auto results = [&](auto play) {
      EvaluateResults found(batch);
      play(found.arguments(batch, mean, factor));
      return joined({&found.j1, &found.j2, &found.objective, &found.dj1dFactor, &found.dj2dMean, &found.dj2dFactor});
    };
    checkSameBits<Evaluate<f64>, EvaluateArguments>(describe(3, 0, 0, d), results);
    checkSameBits<Evaluate<f32>, EvaluateArguments>(describe(3, 1, 0, d), results);
  }
}
