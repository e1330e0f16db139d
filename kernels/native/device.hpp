// device.hpp: launches the device's entries as a host does, played on the CPU (emulate.hpp).
#pragma once

#include "emulate.hpp"

namespace device {

using namespace mvn;

// What `describe` says.
struct Described {
  i64 entry, width, threads, sharedBytes, scratchBytes, chunkRows, partRows, mergeParts;
};

inline Described describe(i64 operation, i64 type, i64 variant, i64 dims, bool matrixUnits = false) {
  constexpr i64 sharedLimit = 227 << 10;
  Described out;
  const DescribeArguments a{reinterpret_cast<i64*>(&out), operation, type, variant, dims, sharedLimit, matrixUnits};
  emulate<Describe, DescribeArguments>(&a, 1, 1, nullptr);
  return out;
}

// play(arguments, grid, threads, shared) as described: a grid of two blocks, so that teams take several entries of the
// list each. Scratch has exactly its size, so that AddressSanitizer sees every access beyond it.
template <class Arguments, class Play> void launch(const Described& described, Arguments a, Play play) {
  constexpr i64 grid = 2;
  const i64 teams = described.threads / described.width;
  std::vector<char> shared(described.sharedBytes * teams), scratch(described.scratchBytes * teams * grid);
  a.width = described.width;
  a.sharedBytes = described.sharedBytes;
  a.scratch = scratch.data();
  a.scratchBytes = described.scratchBytes;
  play(a, grid, described.threads, shared.data());
}

// The entry that `describe` names, by serial emulation. (A program compiles only the kernels that it plays.)
template <class Arguments>
void launchMoments(i64 operation, i64 type, i64 variant, const Arguments& a, bool matrixUnits = false) {
  const Described described = describe(operation, type, variant, a.dims, matrixUnits);
  launch(described, a, [&](const Arguments& complete, i64 grid, i64 threads, char* shared) {
    emulatedMoments()[described.entry].play(&complete, grid, threads, shared);
  });
}
template <class Arguments> void launchSolver(i64 operation, i64 type, i64 variant, const Arguments& a) {
  const Described described = describe(operation, type, variant, a.dims);
  launch(described, a, [&](const Arguments& complete, i64 grid, i64 threads, char* shared) {
    emulatedSolvers()[described.entry - i64(Entry::fit_f64_closed_form_d1)].play(&complete, grid, threads, shared);
  });
}

// Rows aligned as device memory is, as float64 or float32.
class AlignedRows {
 public:
  AlignedRows(const std::vector<f64>& x, bool single) : single_(x.begin(), single ? x.end() : x.begin()), double_(x) {
    if (!single) single_.clear();
  }
  const void* data() const { return single_.empty() ? static_cast<const void*>(double_.data()) : single_.data(); }

 private:
  std::vector<f32> single_;
  std::vector<f64> double_;
};

}  // namespace device
