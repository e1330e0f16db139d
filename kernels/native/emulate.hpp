// emulate.hpp: every entry of cuda/entries.hpp, played on a CPU: team after team, block after block.
//
// The results are the bits of a device, up to what its library's log and log1p round differently.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstring>
#include <vector>

#include "cuda/describe.hpp"
#include "emu_team.hpp"

namespace mvn {

// One entry of a grid of `grid` blocks of `threads` threads. `shared` is the dynamic shared memory of one block.
struct EmulatedEntry {
  const char* name;
  std::size_t argumentBytes;
  void (*play)(const void* arguments, i64 grid, i64 threads, char* shared);
};

// Scratch as a team may find it: whatever it reads before it has written shows.
inline void poison(char* block, i64 bytes) {
  if (bytes > 0) std::memset(block, 0xff, bytes);  // NaN, −1
}

// playTeam(index, teams, block) for every team of a grid, one after the other.
template <class Arguments, class PlayTeam>
void playGrid(const Arguments& a, i64 grid, i64 threads, char* shared, PlayTeam playTeam) {
  const i64 perBlock = threads / a.width, teams = grid * perBlock;
  for (i64 index = 0; index < teams; ++index) {
    char* block = a.sharedBytes > 0 ? shared + index % perBlock * a.sharedBytes
                                    : static_cast<char*>(a.scratch) + index * a.scratchBytes;
    poison(block, max(a.sharedBytes, a.scratchBytes));
    playTeam(index, teams, block);
  }
}

template <class Operation, class Arguments>
void emulate(const void* arguments, i64 grid, i64 threads, char* shared) {
  Arguments a;
  std::memcpy(&a, arguments, sizeof a);
  if constexpr (requires { a.width; }) {
    playGrid(a, grid, threads, shared, [&](i64 index, i64 teams, char* block) {
      playList<Operation>(EmuTeam{int(a.width)}, index, teams, a, block);
    });
  } else {
    playList<Operation>(EmuTeam{1}, 0, 1, a, nullptr);
  }
}

#define MVN_EMULATED(name, Arguments, Team, ...) {#name, sizeof(Arguments), emulate<__VA_ARGS__, Arguments>},
// In the order of MVN_ENTRIES: `describe`, moments and merge, then fit and evaluate; and all of them.
inline const std::vector<EmulatedEntry>& emulatedMoments() {
  static const std::vector<EmulatedEntry> entries = {MVN_ENTRIES_MOMENTS(MVN_EMULATED)};
  return entries;
}
inline const std::vector<EmulatedEntry>& emulatedSolvers() {
  static const std::vector<EmulatedEntry> entries = {MVN_ENTRIES_FITS(MVN_EMULATED) MVN_ENTRIES_EVALUATE(MVN_EMULATED)};
  return entries;
}
inline const std::vector<EmulatedEntry>& emulatedEntries() {
  static const std::vector<EmulatedEntry> entries = [] {
    std::vector<EmulatedEntry> all = emulatedMoments();
    all.insert(all.end(), emulatedSolvers().begin(), emulatedSolvers().end());
    return all;
  }();
  return entries;
}
#undef MVN_EMULATED

}  // namespace mvn
