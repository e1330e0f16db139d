// fiber_team.hpp: a device's team with a fiber for every lane, to find a missing barrier.
//
// Between two barriers each lane runs alone to the next one, in ascending or in descending order. Where a barrier is
// missing, one of the two orders reads what has not been written yet, or what has been overwritten already, and the
// result differs from EmuTeam's. Lanes that wait at different barriers, or not all of them, are reported at once.
//
// Built with -fsanitize=thread, every lane is a thread to ThreadSanitizer, and only a barrier orders what lanes do: two that
// touch one word in one phase, one of them writing, are reported whether or not a result shows it.
//
// A copy to scratch is made only when its lane waits for it, and until then the place holds what no copy leaves there: who reads it
// early, or too late, shows.
//
// MVNFIT_SKIP_SYNC=cholesky.hpp:78 in the environment takes the barrier there out, to see the tests fail
// (scripts/missing-barriers.mjs does that with each).
#pragma once

#include <ucontext.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "emu_team.hpp"

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#define MVN_UNSEEN __attribute__((no_sanitize("thread")))  // the lanes' own machinery
#else
#include <sanitizer/common_interface_defs.h>
#define MVN_UNSEEN
#endif

namespace mvn {

// What the sanitizer is told when the stack changes: of one lane, from run to run.
#if defined(__SANITIZE_THREAD__)
class FiberWatch {
 public:
  FiberWatch() : fiber_(__tsan_create_fiber(0)) {}

  void begin() { entered_ = false; }
  // What the main program did before the first time is seen by the lane.
  MVN_UNSEEN void enter(const void*, std::size_t) {
    main_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fiber_, entered_ ? __tsan_switch_to_fiber_no_sync : 0);
    entered_ = true;
  }
  MVN_UNSEEN void entered() {}
  MVN_UNSEEN void left() {}
  MVN_UNSEEN void leave(bool) { __tsan_switch_to_fiber(main_, __tsan_switch_to_fiber_no_sync); }
  static void arrive(void* barrier) { __tsan_release(barrier); }
  static void pass(void* barrier) { __tsan_acquire(barrier); }

 private:
  void *fiber_, *main_ = nullptr;
  bool entered_ = false;
};
#else
class FiberWatch {
 public:
  void begin() { fake_ = nullptr; }
  void enter(const void* stack, std::size_t bytes) { __sanitizer_start_switch_fiber(&back_, stack, bytes); }
  void entered() { __sanitizer_finish_switch_fiber(fake_, &main_, &mainBytes_); }
  void leave(bool ended) { __sanitizer_start_switch_fiber(ended ? nullptr : &fake_, main_, mainBytes_); }
  void left() { __sanitizer_finish_switch_fiber(back_, nullptr, nullptr); }
  static void arrive(void*) {}
  static void pass(void*) {}

 private:
  void *fake_ = nullptr, *back_ = nullptr;
  const void* main_ = nullptr;
  std::size_t mainBytes_ = 0;
};
#endif

enum class LaneOrder { ascending, descending };

// The copies of a lane that it has not waited for, in groups.
class PendingCopies {
 public:
  MVN_UNSEEN void start() { groups_.assign(1, {}); }
  MVN_UNSEEN void add(char* to, const char* from, int bytes) { groups_.back().push_back({to, from, bytes}); }
  MVN_UNSEEN void close() { groups_.emplace_back(); }
  // All but the last `pending` closed groups.
  void finish(int pending) {
    for (; int(groups_.size()) - 1 > pending; groups_.pop_front()) {
      for (const Copy& copy : groups_.front()) copyNow(copy.to, copy.from, copy.bytes);
    }
  }

 private:
  struct Copy {
    char* to;
    const char* from;
    int bytes;
  };
  std::deque<std::vector<Copy>> groups_;  // the last one is open
};

// The lanes' fibers and where each of them waits.
class Fibers {
 public:
  Fibers(int width, std::function<void(int)> body) : body_(std::move(body)), fibers_(width) {}

  // Runs body(lane) on every lane; false where the lanes did not meet at the same barriers.
  MVN_UNSEEN bool run(LaneOrder order) {
    current() = this;
    const int width = int(fibers_.size());
    for (int lane = 0; lane < width; ++lane) prepare(fibers_[lane], lane);
    for (;;) {
      int ended = 0;
      for (int k = 0; k < width; ++k) {
        lane_ = order == LaneOrder::ascending ? k : width - 1 - k;
        resume(fibers_[lane_]);
        ended += fibers_[lane_].ended;
      }
      if (ended == width) break;
      for (int lane = 0; lane < width; ++lane) {
        const Fiber &fiber = fibers_[lane], &first = fibers_[0];
        if (fiber.ended || fiber.line != first.line || fiber.file != first.file) {
          std::fprintf(stderr, "  lanes part ways at %s:%d\n", first.file, first.line);
          return false;
        }
      }
      odd_ = !odd_;
    }
    FiberWatch::pass(&end_);
    return true;
  }

  MVN_UNSEEN static Fibers& running() { return *current(); }
  MVN_UNSEEN int lane() const { return lane_; }
  MVN_UNSEEN PendingCopies& copies() { return fibers_[lane_].copies; }

  // The running lane waits for the others.
  MVN_UNSEEN void wait(const char* file, int line) {
    Fiber& fiber = fibers_[lane_];
    char* const barrier = &barriers_[odd_];
    fiber.file = file;
    fiber.line = line;
    FiberWatch::arrive(barrier);
    leave(fiber, false);
    FiberWatch::pass(barrier);
  }

 private:
  static constexpr std::size_t stackBytes = 256 << 10;
  struct Fiber {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    FiberWatch* watch = nullptr;
    bool ended = false;
    const char* file = "";
    int line = 0;
    PendingCopies copies;
  };

  std::function<void(int)> body_;
  std::vector<Fiber> fibers_;
  ucontext_t mainContext_;
  int lane_ = 0;
  // To order by: two barriers in turn, so that a lane which is past one does not order those still to pass it.
  char barriers_[2] = {}, end_ = 0;
  bool odd_ = false;

  MVN_UNSEEN static Fibers*& current() {
    static Fibers* fibers = nullptr;
    return fibers;
  }

  void prepare(Fiber& fiber, int lane) {
    static std::array<FiberWatch, mostLanes> watches;
    fiber.watch = &watches[lane];
    fiber.watch->begin();
    fiber.copies.start();
    fiber.stack.reset(new char[stackBytes]);
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = stackBytes;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, enter, 0);
  }

  MVN_UNSEEN void resume(Fiber& fiber) {
    if (fiber.ended) return;
    fiber.watch->enter(fiber.stack.get(), stackBytes);
    swapcontext(&mainContext_, &fiber.context);
    fiber.watch->left();
  }

  MVN_UNSEEN void leave(Fiber& fiber, bool ended) {
    fiber.watch->leave(ended);
    swapcontext(&fiber.context, &mainContext_);
    fiber.watch->entered();
  }

  MVN_UNSEEN static void enter() {
    Fibers& all = running();
    Fiber& fiber = all.fibers_[all.lane_];
    fiber.watch->entered();
    all.body_(all.lane_);
    fiber.ended = true;
    FiberWatch::arrive(&all.end_);
    all.leave(fiber, true);
  }
};

// One T of this lane.
template <class T> struct FiberRegister {
  T value;
  T& operator()(int) { return value; }
};

struct FiberTeam {
  static constexpr bool simd = false;
  int width;

  template <class T> using PerLane = FiberRegister<T>;

  template <class F> MVN_FN void lanes(F f) const { f(Fibers::running().lane()); }
  template <class F> MVN_FN void each(int n, F f) const {
    for (int i = Fibers::running().lane(); i < n; i += width) f(i);
  }
  void sync(const char* file = __builtin_FILE(), int line = __builtin_LINE()) const {
    static const char* const skipped = std::getenv("MVNFIT_SKIP_SYNC");
    if (skipped && (std::string(file) + ":" + std::to_string(line)).ends_with("/" + std::string(skipped))) return;
    Fibers::running().wait(file, line);
  }

  template <class T, class Op>
  T reduce(FiberRegister<T>& p, Op op, const char* file = __builtin_FILE(), int line = __builtin_LINE()) const {
    static LaneArray<T> all;
    all(Fibers::running().lane()) = p.value;
    sync(file, line);
    const T result = reduceAsDevice(all, width, op);
    sync(file, -line);  // the next reduction may write
    return result;
  }
  template <class T>
  T sum(FiberRegister<T>& p, const char* file = __builtin_FILE(), int line = __builtin_LINE()) const {
    return reduce(p, [](T a, T b) { return a + b; }, file, line);
  }
  template <class F> MVN_FN auto sumOver(int n, F f) const { return sumStrided(*this, n, f); }

  template <class T, class F>
  FiberRegister<T> shuffle(FiberRegister<T>& p, F from, const char* file = __builtin_FILE(), int line = __builtin_LINE()) const {
    static LaneArray<T> all;
    const int lane = Fibers::running().lane();
    all(lane) = p.value;
    sync(file, line);
    const T moved = all(from(lane));
    sync(file, -line);
    return {moved};
  }
  void copyAhead(char* to, const char* from, int bytes = copyBytes) const {
    std::memset(to, 0xff, copyBytes);
    Fibers::running().copies().add(to, from, bytes);
  }
  void closeCopies() const { Fibers::running().copies().close(); }
  template <int pending> void waitForCopies() const { Fibers::running().copies().finish(pending); }
  template <class Tile, class Left, class Right>
  void multiplyAdd(Tile tile, Left left, Right right, const char* file = __builtin_FILE(), int line = __builtin_LINE()) const {
    static LaneArray<f64> lefts, rights;
    const int lane = Fibers::running().lane();
    lefts(lane) = left(lane);
    rights(lane) = right(lane);
    sync(file, line);
    for (int e = 0; e < 2; ++e) {
      f64& c = tile(lane)[e];
      c = multipliedAsDevice(c, lane / 4, lane % 4 * 2 + e, [](int l) { return lefts(l); }, [](int l) { return rights(l); });
    }
    sync(file, -line);
  }
};

}  // namespace mvn
