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
constexpr int warpLanes = 32;
constexpr std::size_t zone = 256;  // behind shared memory, to be as it was
constexpr int illegalAddress = 700, launchFailed = 719;

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
  char* arguments = nullptr;
};
thread_local Block current;
thread_local std::vector<std::unique_ptr<Fiber>> pool;

void runFiber() {
  current.kernel(current.running->lane, current.arguments);
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

// C ← C + AB, one product after the other as a device adds them.
void multiply(Fiber* const* warp) {
  for (int lane = 0; lane < warpLanes; ++lane) {
    const Meeting& own = warp[lane]->lane.meeting;
    for (int e = 0; e < 2 * own.tiles; ++e) {
      const int row = lane / 4, column = lane % 4 * 2 + e % 2;
      for (int k = 0; k < 4; ++k) {
        const f64 a = warp[4 * row + k]->lane.meeting.a[e / 2], b = warp[4 * column + k]->lane.meeting.b;
        own.c[e] = __builtin_fma(a, b, own.c[e]);
      }
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

// Runs every lane to its end; false where some wait for others that do not come.
bool runBlock() {
  const int threads = int(current.fibers.size());
  for (;;) {
    int ended = 0;
    for (Fiber* fiber : current.fibers) {
      if (!fiber->ended && !waits(*fiber)) {
        current.running = fiber;
        swapcontext(&current.scheduler, &fiber->context);
      }
      ended += fiber->ended;
    }
    if (ended == threads) return true;
    bool any = false;
    for (int first = 0; first < threads; first += warpLanes)
      any |= meetInWarp(&current.fibers[first], threads - first < warpLanes ? threads - first : warpLanes);
    if (!any && !meetInBlock()) return false;
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

// Until a lane waits for a copy, its place holds what no copy leaves there.
void Lane::copyAhead(char* to, const char* from, u32 bytes) {
  std::memset(to, 0xff, mvn::copyBytes);
  copies->add(to, from, int(bytes));
}
void Lane::closeCopies() { copies->close(); }
void Lane::waitForCopies(int pending) { copies->finish(pending); }

int playBlocks(void (*kernel)(Lane&, char*), const void* arguments, i64 argumentBytes, i64 grid, i64 threads, i64 statics, i64 dynamicBytes) {
  std::vector<char> copy(argumentBytes), shared(statics + dynamicBytes + zone);
  while (i64(pool.size()) < threads) pool.push_back(std::make_unique<Fiber>());
  current.fibers.clear();
  for (i64 t = 0; t < threads; ++t) current.fibers.push_back(pool[t].get());
  current.kernel = kernel;
  for (i64 b = 0; b < grid; ++b) {
    std::memcpy(copy.data(), arguments, argumentBytes);
    std::memset(shared.data(), 0xff, shared.size());
    current.arguments = copy.data();
    for (i64 t = 0; t < threads; ++t) {
      begin(*current.fibers[t]);
      Lane& lane = current.fibers[t]->lane;
      lane.thread = u32(t), lane.threads = u32(threads), lane.block = u32(b), lane.blocks = u32(grid), lane.base = shared.data();
    }
    if (!runBlock()) return launchFailed;
    for (std::size_t i = shared.size() - zone; i < shared.size(); ++i)
      if (shared[i] != char(0xff)) return illegalAddress;
  }
  return 0;
}
