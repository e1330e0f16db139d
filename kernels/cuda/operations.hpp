// operations.hpp: what the entries do with one entry of their list, by any team.
//
// Scratch of an operation with `inSharedMemory` lies there, and the compiler may know it.
#pragma once

#include "arguments.hpp"
#include "mvn/closed_form_columns.hpp"
#include "mvn/closed_form_lanes.hpp"
#include "mvn/evaluate.hpp"
#include "mvn/fit.hpp"
#include "mvn/merge_team.hpp"
#include "mvn/moments_lanes.hpp"
#include "mvn/moments_panels.hpp"
#include "mvn/moments_tensor.hpp"
#include "mvn/pieces_ahead.hpp"

namespace mvn {

template <class Row> MVN_FN RowsOf<Row> itemRows(const MomentsArguments& a, i64 item) {
  const i64 first = a.first[item];
  return {static_cast<const Row*>(a.rows) + first * a.dims, a.weights ? a.weights + first : nullptr, int(a.length[item])};
}

template <class Arguments> MVN_FN SlotRef slotOf(const Arguments& a, i64 slot) {
  const i64 part = slot - a.firstPart;
  return {{a.count + slot, a.weight + slot, a.mean + slot * a.dims, a.scatter + slot * a.dims * a.dims},
          a.meanRest && part >= 0 ? a.meanRest + part * a.dims : nullptr};
}

template <int D, class Sum, class Row, bool weighted> struct MomentsLanes {
  MVN_FN static i64 size(const MomentsArguments& a) { return a.items; }

  template <class Team> MVN_FN static void play(const Team& team, const MomentsArguments& a, i64 item, char* block) {
    Scratch scratch(block);
    const LanesWorkspace<D> work(scratch);
    RowsInPlace source;
    momentsLanes<D, Sum, weighted>(team, itemRows<Row>(a, item), source, [&] { return slotOf(a, a.target[item]); }, work);
  }
};

template <class Sum, class Row, bool weighted> struct MomentsPanels {
  MVN_FN static i64 size(const MomentsArguments& a) { return a.items; }

  template <class Team> MVN_FN static void play(const Team& team, const MomentsArguments& a, i64 item, char* block) {
    momentsPanels<Sum, weighted>(team, int(a.dims), itemRows<Row>(a, item), slotOf(a, a.target[item]), Scratch(block));
  }
};

// Entries `first`, `first` + `step`, … of the list, their rows copied ahead: momentsOf(rows, source, outOf).
template <bool weighted, class Row, class Team, class MomentsOf>
MVN_FN void momentsAhead(const Team& team, const MomentsArguments& a, const PieceRing& ring, i64 first, i64 step,
                         MomentsOf momentsOf) {
  const auto itemAt = [&](i64 item) {
    RowsOf<Row> rows = itemRows<Row>(a, item);
    if (!weighted) rows.weights = nullptr;
    return rows;
  };
  PiecesAhead<Row, decltype(itemAt)> source(team, int(a.dims), ring, itemAt, int(a.items), int(first), int(step));
  MVN_UNROLL_BY(1) for (int item = int(first); item < int(a.items); item += int(step)) {
    const int slot = int(a.target[item]);
    momentsOf(itemAt(item), source, [&] { return slotOf(a, slot); });
  }
}

// Up to 4 columns; sums are float64 whatever the rows.
template <int D, class Row, bool weighted> struct MomentsLanesAhead {
  static constexpr bool inSharedMemory = true;
  struct Workspace {
    LanesWorkspace<D> lanes;
    PieceRing ring;

    MVN_FN explicit Workspace(Scratch& scratch) : lanes(scratch), ring(scratch, D * int(sizeof(Row)), pieceBytes) {}
    static constexpr int pieceBytes = 768;
  };

  MVN_FN static i64 scratchBytes() {
    Scratch count;
    Workspace{count};
    return count.used;
  }

  template <class Team>
  MVN_FN static void playAll(const Team& team, const MomentsArguments& a, i64 first, i64 step, char* block) {
    Scratch scratch(block);
    const Workspace work(scratch);
    momentsAhead<weighted, Row>(team, a, work.ring, first, step, [&](auto rows, auto& source, auto outOf) {
      momentsLanes<D, f64, weighted>(team, rows, source, outOf, work.lanes);
    });
  }
};

// Sums are float64 whatever the rows.
template <int strips, class Row, bool weighted> struct MomentsTensor {
  static constexpr bool inSharedMemory = true;
  using Form = TensorForm<strips>;
  struct Workspace {
    ItemState state;
    PieceRing ring;

    MVN_FN Workspace(Scratch& scratch, int d) : state(scratch, Form::padded), ring(scratch, d * int(sizeof(Row)), pieceBytes) {}
    static constexpr int pieceBytes = 4096;
  };

  MVN_FN static i64 scratchBytes(int d) {
    Scratch count;
    Workspace(count, d);
    return count.used;
  }

  template <class Team>
  MVN_FN static void playAll(const Team& team, const MomentsArguments& a, i64 first, i64 step, char* block) {
    Scratch scratch(block);
    const int d = int(a.dims);
    const Workspace work(scratch, d);
    momentsAhead<weighted, Row>(team, a, work.ring, first, step, [&](auto rows, auto& source, auto outOf) {
      momentsTensor<Form, weighted>(team, d, rows, source, outOf, work.state);
    });
  }
};

struct Merge {
  MVN_FN static i64 size(const MergeArguments& a) { return a.merges; }

  template <class Team> MVN_FN static void play(const Team& team, const MergeArguments& a, i64 merge, char*) {
    const auto slot = [&](i64 s) { return slotOf(a, s); };
    mergeSlots(team, int(a.dims), slot, a.first[merge], a.parts[merge], a.target[merge]);
  }
};

// Whether a long list is given up, asked once in a while.
template <class Team> MVN_FN bool fitsStopped(const Team& team, const FitArguments& a, i64 round) {
  constexpr i64 every = 16;
  return a.stop && round % every == every - 1 && hasStopped(team, a.stop);
}

MVN_FN FitGroup fitGroupOf(const FitArguments& a, i64 g) {
  const i64 vector = g * a.dims, matrix = vector * a.dims;
  return {{a.count[g], a.weight[g], a.mean + vector, a.scatter + matrix},
          a.startMean + vector, a.startFactor + matrix,
          a.outMean + vector, a.outCovariance + matrix, a.outFactor + matrix,
          a.outLogLikelihood + g, a.outResidual + g, a.outGap + g, a.outIterations + g,
          a.outStatus + g};
}

MVN_FN FitOptions fitOptionsOf(const FitArguments& a) {
  return {Method(i32(a.method)), Start(i32(a.start)), a.ddof, a.tolerance, int(a.maxIterations), a.epsilon, a.stop};
}

template <class Real, Iterative methods> struct Fit {
  MVN_FN static i64 size(const FitArguments& a) { return a.groups; }

  MVN_FN static i64 scratchBytes(int d, Method method) {
    Scratch count;
    FitScratch(count, d, solverBytes<Real>(d, method));
    return count.used;
  }

  template <class Team> MVN_FN static bool stopped(const Team& team, const FitArguments& a, i64 round) {
    return fitsStopped(team, a, round);
  }

  template <class Team> MVN_FN static void play(const Team& team, const FitArguments& a, i64 g, char* block) {
    const int d = int(a.dims);
    const FitOptions options = fitOptionsOf(a);
    Scratch scratch(block);
    const FitScratch work(scratch, d, solverBytes<Real>(d, options.method));
    fitGroup<Real, methods>(team, Dynamic{d}, fitGroupOf(a, g), options, work);
  }
};

// The closed form of D columns, as many groups at a time as a warp has lanes.
template <int D> struct ClosedFormLanes {
  static constexpr bool inSharedMemory = true;

  MVN_FN static i64 scratchBytes() {
    Scratch count;
    MatrixTray<D>{count};
    return count.used;
  }

  template <class Team>
  MVN_FN static void playAll(const Team& team, const FitArguments& a, i64 index, i64 teams, char* block) {
    Scratch scratch(block);
    const MatrixTray<D> tray(scratch);
    const FitOptions options = fitOptionsOf(a);
    i64 round = 0;
    MVN_UNROLL_BY(1) for (i64 first = index * warpLanes; first < a.groups; first += teams * warpLanes, ++round) {
      if (fitsStopped(team, a, round)) return;
      const int groups = int(min<i64>(warpLanes, a.groups - first));
      fitClosedFormLanes<D>(team, groups, [&](int lane) { return fitGroupOf(a, first + lane); }, options, tray);
    }
  }
};

// The closed form of up to D columns.
template <int D> struct ClosedForm {
  static constexpr bool inSharedMemory = D <= 48;  // on every device
  MVN_FN static i64 size(const FitArguments& a) { return a.groups; }

  MVN_FN static i64 scratchBytes() {
    Scratch count;
    ColumnsScratch<D>{count};
    return count.used;
  }

  template <class Team> MVN_FN static bool stopped(const Team& team, const FitArguments& a, i64 round) {
    return fitsStopped(team, a, round);
  }

  template <class Team> MVN_FN static void play(const Team& team, const FitArguments& a, i64 g, char* block) {
    fitClosedFormColumns<D>(team, int(a.dims), fitGroupOf(a, g), fitOptionsOf(a), Scratch(block));
  }
};

template <class Real> struct Evaluate {
  MVN_FN static i64 size(const EvaluateArguments& a) { return a.groups; }

  MVN_FN static i64 scratchBytes(int d) {
    Scratch count;
    EvaluateScratch<Real>(count, d);
    return count.used;
  }

  template <class Team> MVN_FN static void play(const Team& team, const EvaluateArguments& a, i64 g, char* block) {
    const int d = int(a.dims);
    const i64 vector = g * d, matrix = vector * d;
    const EvaluateGroup group{{a.count[g], a.weight[g], a.mean + vector, a.scatter + matrix},
                              a.atMean + vector, a.atFactor + matrix,
                              a.j1 + g, a.j2 + g, a.objective + g,
                              a.dj1dFactor + matrix, a.dj2dMean + vector, a.dj2dFactor + matrix, a.status + g};
    Scratch scratch(block);
    const EvaluateScratch<Real> work(scratch, d);
    evaluateGroup(team, Dynamic{d}, group, work);
  }
};

// One entry after the other, where an operation knows no more than one.
template <class Operation, class Team, class Arguments>
MVN_FN void playEach(const Team& team, i64 index, i64 teams, const Arguments& a, char* block) {
  i64 round = 0;
  for (i64 entry = index; entry < Operation::size(a); entry += teams, ++round) {
    if constexpr (requires { Operation::stopped(team, a, round); }) {
      if (Operation::stopped(team, a, round)) return;
    }
    Operation::play(team, a, entry, block);
  }
}

// Entries team, team + teams, … of the operation's list.
template <class Operation, class Team, class Arguments>
MVN_FN void playList(const Team& team, i64 index, i64 teams, const Arguments& a, char* block) {
  if constexpr (requires { Operation::playAll(team, a, index, teams, block); }) {
    Operation::playAll(team, a, index, teams, block);
  } else {
    playEach<Operation>(team, index, teams, a, block);
  }
}

}  // namespace mvn
