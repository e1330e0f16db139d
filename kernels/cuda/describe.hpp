// describe.hpp: which entry serves a call, with how many threads and how much scratch.
//
// Entry and width depend on d, the types and the method alone, so that no result depends on the device. Where the
// scratch lies does depend on it, and changes no bit.
#pragma once

#include "entries.hpp"
#include "operations.hpp"

namespace mvn {

#define MVN_PLACE(name, Arguments, Team, ...) name,
enum class Entry : i32 { MVN_ENTRIES(MVN_PLACE) };
#undef MVN_PLACE

struct Launch {
  i32 entry, width;
  i64 bytes;  // scratch of a team
};

// Up to 4 columns by lanes; then panels by a warp while its lanes cover the tiles of the triangle in one go, and by
// blocks beyond.
constexpr int mostLanesColumns = 4, lanesWidth = 8, mostWarpColumns = 28, mostNarrowBlockColumns = 60;

// The entries of one row type, with or without weights, stand together: d = 1 … 4, warp, block.
template <class Sum> MVN_FN Launch momentsLaunch(int set, int d) {
  constexpr int perSet = mostLanesColumns + 2;
  const i32 first = i32(Entry::moments_f64_d1) + set * perSet;
  Scratch count;
  if (d <= mostLanesColumns) {
    LanesWorkspace<mostLanesColumns>{count};
    return {first + d - 1, lanesWidth, count.used};
  }
  const int width = d <= mostWarpColumns ? 32 : d <= mostNarrowBlockColumns ? 128 : 256;
  PanelWorkspace<Sum>(count, PanelShape<Sum>(d, width));
  return {first + mostLanesColumns + (width > 32), width, count.used};
}

// The widest rows that the sums of a warp's matrix unit have registers for.
constexpr int mostTensorColumns = 64;

// launch(Fixed<d>) of operations that have a form for each of few columns.
template <int D = mostLanesColumns, class F> MVN_FN Launch byFewColumns(int d, F launch) {
  if (d == D) return launch(Fixed<D>{});
  if constexpr (D > 1) return byFewColumns<D - 1>(d, launch);
  return {};
}

// By strips of columns: the first form that has enough of them.
template <class Row, int S, int... more> MVN_FN Launch tensorLaunch(int entry, int d) {
  if (d <= S * stripColumns) return {entry, warpLanes, MomentsTensor<S, Row, false>::scratchBytes(d)};
  if constexpr (sizeof...(more) > 0) return tensorLaunch<Row, more...>(entry + 1, d);
  return {};
}

// The entries of one row type, with or without weights, stand together: d = 1 … 4, then strips.
template <class Row> MVN_FN Launch aheadLaunch(Entry firstOfType, int weighted, int d) {
  constexpr int perSet = mostLanesColumns + 6;
  const int first = i32(firstOfType) + weighted * perSet;
  if (d <= mostLanesColumns) {
    return byFewColumns(d, [&](auto columns) {
      return Launch{first + d - 1, lanesWidth, MomentsLanesAhead<columns.atMost, Row, false>::scratchBytes()};
    });
  }
  return tensorLaunch<Row, 1, 2, 3, 4, 6, 8>(first + mostLanesColumns, d);
}

// A lane a column, as far as lanes go.
MVN_FN int columnWidth(int d) {
  constexpr int most = 128;
  int width = 1;
  while (width < d && width < most) width *= 2;
  return width;
}

// The entries of a pair stand together: warp, block.
MVN_FN Launch columnLaunch(Entry warp, int d, i64 bytes) {
  const int width = columnWidth(d);
  return {i32(warp) + (width > 32), width, bytes};
}

// The closed form from 5 columns on: a lane a column while columns fit in registers.
template <int D, int... larger> MVN_FN Launch closedFormLaunch(int entry, int d) {
  if (d <= D) return {entry, columnWidth(D), ClosedForm<D>::scratchBytes()};
  if constexpr (sizeof...(larger) > 0) return closedFormLaunch<larger...>(entry + 1, d);
  return {entry + 1, columnWidth(d), Fit<f64, Iterative::none>::scratchBytes(d, Method::closedForm)};
}

template <class Real> MVN_FN Launch fitLaunch(Entry newton, Entry gradient, Method method, int d) {
  const i64 bytes = Fit<Real, Iterative::all>::scratchBytes(d, method);
  return columnLaunch(method == Method::newton ? newton : gradient, d, bytes);
}

MVN_FN Launch launchOf(const DescribeArguments& a) {
  const int d = int(a.dims);
  const bool single = Precision(i32(a.type)) == Precision::float32;
  const Method method = Method(i32(a.variant));
  switch (a.operation) {
    case 0: {
      if (a.matrixUnits && d <= mostTensorColumns) {
        return a.type == 0 ? aheadLaunch<f64>(Entry::moments_ahead_f64_d1, int(a.variant), d)
                           : aheadLaunch<f32>(Entry::moments_ahead_f32_d1, int(a.variant), d);
      }
      const int set = int(2 * a.type + a.variant);
      return a.type == 2 ? momentsLaunch<f32>(set, d) : momentsLaunch<f64>(set, d);
    }
    case 1: return columnLaunch(Entry::merge_warp, d, 0);
    case 2:
      if (method == Method::closedForm) {  // float64 in either precision
        if (d <= mostLanesColumns) {
          return byFewColumns(d, [&](auto columns) {
            const i32 entry = i32(Entry::fit_f64_closed_form_d1) + d - 1;
            return Launch{entry, warpLanes, ClosedFormLanes<columns.atMost>::scratchBytes()};
          });
        }
        return closedFormLaunch<8, 12, 16, 24, 32, 48, 64>(i32(Entry::fit_f64_closed_form_8), d);
      }
      return single
                 ? fitLaunch<f32>(Entry::fit_f32_newton_warp, Entry::fit_f32_gradient_warp, method, d)
                 : fitLaunch<f64>(Entry::fit_f64_newton_warp, Entry::fit_f64_gradient_warp, method, d);
    default:
      return single ? columnLaunch(Entry::evaluate_f32_warp, d, Evaluate<f32>::scratchBytes(d))
                    : columnLaunch(Entry::evaluate_f64_warp, d, Evaluate<f64>::scratchBytes(d));
  }
}

// A part is long enough that its statistics are small beside its rows, and short enough that one group makes many.
MVN_FN i64 partRows(int d) { return roundUp(max(2048, 16 * d), chunkRows(d)); }

// Threads of a block and where a team's scratch lies. A Block team is a block; narrow teams share blocks of up to 128
// threads, fewer where that leaves room for several blocks in shared memory. Scratch that would leave a multiprocessor
// with fewer than three warps or so lies in global memory instead, behind its caches.
struct Placement {
  int threads;
  bool shared;

  MVN_FN Placement(const Launch& launch, i64 sharedLimit) {
    constexpr int mostThreads = 128;
    constexpr i64 modest = 48 << 10;     // bytes of a block
    constexpr i64 mostOfWarp = 72 << 10;
    const int fewest = max(launch.width, warpLanes), most = launch.width > warpLanes ? launch.width : mostThreads;
    const auto bytes = [&] { return launch.bytes * (threads / launch.width); };
    threads = most;
    while (threads > fewest && bytes() > min(modest, sharedLimit)) threads /= 2;
    shared = bytes() <= sharedLimit && bytes() * warpLanes <= mostOfWarp * threads;
    if (!shared) threads = most;
  }
};

struct Describe {
  MVN_FN static i64 size(const DescribeArguments&) { return 1; }

  template <class Team> MVN_FN static void play(const Team&, const DescribeArguments& a, i64, char*) {
    constexpr i64 mergeParts = 32;
    const Launch launch = launchOf(a);
    const Placement place(launch, a.sharedLimit);
    const i64 out[] = {launch.entry, launch.width, place.threads,
                       place.shared ? launch.bytes : 0, place.shared ? 0 : launch.bytes,
                       chunkRows(int(a.dims)), partRows(int(a.dims)), mergeParts};
    for (int i = 0; i < 8; ++i) a.out[i] = out[i];
  }
};

}  // namespace mvn
