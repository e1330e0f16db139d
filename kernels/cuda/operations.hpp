// operations.hpp: what the entries do with one entry of their list, by any team.
#pragma once

#include "arguments.hpp"
#include "mvn/closed_form_columns.hpp"
#include "mvn/evaluate.hpp"
#include "mvn/fit.hpp"
#include "mvn/merge_team.hpp"
#include "mvn/moments_lanes.hpp"
#include "mvn/moments_panels.hpp"
#include "mvn/moments_tensor.hpp"

namespace mvn {

template <class Row> MVN_FN RowsOf<Row> itemRows(const MomentsArguments& a, i64 item) {
  const i64 first = a.first[item];
  return {static_cast<const Row*>(a.rows) + first * a.dims, a.weights ? a.weights + first : nullptr, a.length[item]};
}

template <class Arguments> MVN_FN SlotRef slotOf(const Arguments& a, i64 slot) {
  const i64 part = slot - a.firstPart;
  return {{a.count + slot, a.weight + slot, a.mean + slot * a.dims, a.scatter + slot * a.dims * a.dims},
          a.meanRest && part >= 0 ? a.meanRest + part * a.dims : nullptr};
}

template <int D, class Sum, class Row, bool weighted> struct MomentsLanes {
  MVN_FN static i64 size(const MomentsArguments& a) { return a.items; }

  template <class Team> MVN_FN static void play(const Team& team, const MomentsArguments& a, i64 item, char* block) {
    momentsLanes<D, Sum, weighted>(team, itemRows<Row>(a, item), slotOf(a, a.target[item]), Scratch(block));
  }
};

template <class Sum, class Row, bool weighted> struct MomentsPanels {
  MVN_FN static i64 size(const MomentsArguments& a) { return a.items; }

  template <class Team> MVN_FN static void play(const Team& team, const MomentsArguments& a, i64 item, char* block) {
    momentsPanels<Sum, weighted>(team, int(a.dims), itemRows<Row>(a, item), slotOf(a, a.target[item]), Scratch(block));
  }
};

// Sums are float64 whatever the rows.
template <int strips, int width, class Row, bool weighted> struct MomentsTensor {
  MVN_FN static i64 size(const MomentsArguments& a) { return a.items; }

  template <class Team> MVN_FN static void play(const Team& team, const MomentsArguments& a, i64 item, char*) {
    const RowsOf<Row> rows = itemRows<Row>(a, item);
    momentsTensor<TensorForm<strips, width>, weighted>(team, int(a.dims), rows, slotOf(a, a.target[item]));
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

// The closed form of up to D columns.
template <int D> struct ClosedForm {
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

// Entries team, team + teams, … of the operation's list.
template <class Operation, class Team, class Arguments>
MVN_FN void playList(const Team& team, i64 index, i64 teams, const Arguments& a, char* block) {
  i64 round = 0;
  for (i64 entry = index; entry < Operation::size(a); entry += teams, ++round) {
    if constexpr (requires { Operation::stopped(team, a, round); }) {
      if (Operation::stopped(team, a, round)) return;
    }
    Operation::play(team, a, entry, block);
  }
}

}  // namespace mvn
