// block.cpp: the threads of a block, each in a fiber that runs until it waits for others (lane.hpp).
#include <ucontext.h>

#include <cstring>
#include <memory>
#include <vector>

#include "native/fiber_team.hpp"
#include "native/ptx/lane.hpp"

struct Copies : mvn::PendingCopies {};

namespace {

constexpr std::size_t stackBytes = std::size_t(1) << 21;
using mvn::warpLanes;
constexpr u32 firstPlace = 64;  // in shared memory (scripts/ptx-to-cpp.mjs)
constexpr int illegalAddress = 700, misalignedAddress = 716, launchFailed = 719;

struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack{new char[stackBytes]};
  Lane lane;
  Copies copies;
  bool ended = false;
};

// The block that this thread plays.
struct Block {
  std::vector<Fiber*> fibers;
  ucontext_t scheduler;
  Fiber* running = nullptr;
  void (*kernel)(Lane&, char*) = nullptr;
  std::vector<char> arguments, shared;
  DeviceMemory memory{};
  int code = 0;  // why it ended
};
thread_local Block current;
thread_local std::vector<std::unique_ptr<Fiber>> pool;

void runFiber() {
  current.kernel(current.running->lane, current.arguments.data());
  current.running->ended = true;
  swapcontext(&current.running->context, &current.scheduler);
}

bool waits(const Fiber& fiber) { return fiber.lane.meeting.kind != Meeting::nothing; }

// Which lane's value a lane gets, by the manual of PTX.
int sourceOf(const Meeting& meeting, int lane) {
  const int segment = meeting.clamp >> 8 & 31, clamp = meeting.clamp & 31, from = meeting.from & 31;
  const int first = lane & segment, last = first | (clamp & ~segment);
  const int source = meeting.how == Shuffle::bfly ? lane ^ from : first | (from & ~segment);
  return source <= last ? source : lane;
}

// C ← C + AB.
void multiply(Fiber* const* warp) {
  for (int lane = 0; lane < warpLanes; ++lane) {
    const Meeting& own = warp[lane]->lane.meeting;
    for (int e = 0; e < 2 * own.tiles; ++e) {
      const int row = lane / 4, column = lane % 4 * 2 + e % 2;
      own.c[e] = mvn::multipliedAsDevice(
          own.c[e], row, column, [&](int l) { return warp[l]->lane.meeting.a[e / 2]; }, [&](int l) { return warp[l]->lane.meeting.b; });
    }
  }
}

// Lets the lanes of a warp go that have met; whether there were any.
bool meetInWarp(Fiber* const* warp, int lanes) {
  bool any = false;
  for (int lane = 0; lane < lanes; ++lane) {
    const Meeting meeting = warp[lane]->lane.meeting;
    if (meeting.kind == Meeting::nothing || meeting.kind == Meeting::block) continue;
    const auto isIn = [&](int other) { return (meeting.mask >> other & 1) != 0; };
    bool all = isIn(lane);
    for (int other = 0; other < lanes; ++other) {
      const Meeting& its = warp[other]->lane.meeting;
      if (isIn(other)) all &= its.kind == meeting.kind && its.mask == meeting.mask && its.how == meeting.how;
    }
    if (!all) continue;
    u32 moved[warpLanes];
    for (int to = 0; to < lanes; ++to) {
      if (meeting.kind != Meeting::shuffle || !isIn(to)) continue;
      const int source = sourceOf(warp[to]->lane.meeting, to);
      if (!isIn(source)) return false;  // the value of a lane that does not take part
      moved[to] = warp[source]->lane.meeting.value;
    }
    if (meeting.kind == Meeting::product) multiply(warp);
    for (int other = 0; other < lanes; ++other) {
      if (!isIn(other)) continue;
      if (meeting.kind == Meeting::shuffle) warp[other]->lane.meeting.value = moved[other];
      warp[other]->lane.meeting.kind = Meeting::nothing;
    }
    any = true;
  }
  return any;
}

bool meetInBlock() {
  for (const Fiber* fiber : current.fibers)
    if (!fiber->ended && fiber->lane.meeting.kind != Meeting::block) return false;
  for (Fiber* fiber : current.fibers) fiber->lane.meeting.kind = Meeting::nothing;
  return true;
}

// Runs every lane to its end.
int runBlock() {
  const int threads = int(current.fibers.size());
  for (;;) {
    int ended = 0;
    for (Fiber* fiber : current.fibers) {
      if (!fiber->ended && !waits(*fiber)) {
        current.running = fiber;
        swapcontext(&current.scheduler, &fiber->context);
        if (current.code) return current.code;
      }
      ended += fiber->ended;
    }
    if (ended == threads) return 0;
    bool any = false;
    for (int first = 0; first < threads; first += warpLanes)
      any |= meetInWarp(&current.fibers[first], threads - first < warpLanes ? threads - first : warpLanes);
    if (!any && !meetInBlock()) return launchFailed;
  }
}

void begin(Fiber& fiber) {
  fiber.ended = false;
  fiber.lane.meeting = {};
  fiber.lane.copies = &fiber.copies;
  fiber.copies.start();
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack.get();
  fiber.context.uc_stack.ss_size = stackBytes;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, runFiber, 0);
}

}  // namespace

void Lane::meet(const Meeting& what) {
  meeting = what;
  swapcontext(&current.running->context, &current.scheduler);
}

// It is not run again.
void Lane::end(int code) {
  current.code = code;
  swapcontext(&current.running->context, &current.scheduler);
  __builtin_unreachable();
}

char* Lane::shared(u32 at, u32 bytes) {
  if (at < firstPlace || at + u64(bytes) > current.shared.size()) end(illegalAddress);
  if (at % bytes) end(misalignedAddress);
  return base + at;
}

char* Lane::reach(u64 at, u32 bytes) {
  const auto lies = [&](const char* from, std::size_t size) { return at >= u64(from) && at + bytes <= u64(from) + size; };
  if (at % bytes) end(misalignedAddress);
  const bool own = lies(current.running->stack.get(), stackBytes) || lies(current.arguments.data(), current.arguments.size()) ||
                   lies(base + firstPlace, current.shared.size() - firstPlace);
  if (!own && !current.memory.holds(current.memory.owner, at, bytes)) end(illegalAddress);
  return reinterpret_cast<char*>(at);
}

// Until a lane waits for a copy, its place holds what no copy leaves there.
void Lane::copyAhead(u32 to, u64 from, u32 bytes) {
  char* const target = shared(to, mvn::copyBytes);
  if (from % mvn::copyBytes) end(misalignedAddress);
  if (!current.memory.holds(current.memory.owner, from, bytes)) end(illegalAddress);
  std::memset(target, 0xff, mvn::copyBytes);
  copies->add(target, reinterpret_cast<const char*>(from), int(bytes));
}
void Lane::closeCopies() { copies->close(); }
void Lane::waitForCopies(int pending) { copies->finish(pending); }

int playBlocks(void (*kernel)(Lane&, char*), const void* arguments, i64 argumentBytes, i64 grid, i64 threads, i64 statics, i64 dynamicBytes,
               const DeviceMemory& memory) {
  while (i64(pool.size()) < threads) pool.push_back(std::make_unique<Fiber>());
  current.fibers.clear();
  for (i64 t = 0; t < threads; ++t) current.fibers.push_back(pool[t].get());
  current.kernel = kernel;
  current.memory = memory;
  current.code = 0;
  for (i64 b = 0; b < grid; ++b) {
    const auto* from = static_cast<const char*>(arguments);
    current.arguments.assign(from, from + argumentBytes);
    current.shared.assign(statics + dynamicBytes, char(0xff));
    for (i64 t = 0; t < threads; ++t) {
      begin(*current.fibers[t]);
      Lane& lane = current.fibers[t]->lane;
      lane.thread = u32(t), lane.threads = u32(threads), lane.block = u32(b), lane.blocks = u32(grid), lane.base = current.shared.data();
    }
    if (const int code = runBlock()) return code;
  }
  return 0;
}
