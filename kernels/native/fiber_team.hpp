// fiber_team.hpp: a device's team with a fiber for every lane, to find a missing barrier.
//
// Between two barriers each lane runs alone to the next one, in ascending or in descending order. Where a barrier is
// missing, one of the two orders reads what has not been written yet, or what has been overwritten already, and the
// result differs from EmuTeam's. Lanes that wait at different barriers, or not all of them, are reported at once.
//
// MVNFIT_SKIP_SYNC=cholesky.hpp:78 in the environment takes the barrier there out, to see the tests fail.
#pragma once

#include <sanitizer/common_interface_defs.h>
#include <ucontext.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "emu_team.hpp"

namespace mvn {

enum class LaneOrder { ascending, descending };

// The lanes' fibers and where each of them waits.
class Fibers {
 public:
  Fibers(int width, std::function<void(int)> body) : body_(std::move(body)), fibers_(width) {}

  // Runs body(lane) on every lane; false where the lanes did not meet at the same barriers.
  bool run(LaneOrder order) {
    current() = this;
    for (Fiber& fiber : fibers_) prepare(fiber);
    const int width = int(fibers_.size());
    for (;;) {
      int ended = 0;
      for (int k = 0; k < width; ++k) {
        lane_ = order == LaneOrder::ascending ? k : width - 1 - k;
        resume(fibers_[lane_]);
        ended += fibers_[lane_].ended;
      }
      if (ended == width) return true;
      for (const Fiber& fiber : fibers_) {
        if (fiber.ended || fiber.line != fibers_[0].line || fiber.file != fibers_[0].file) {
          std::fprintf(stderr, "  lanes part ways at %s:%d\n", fibers_[0].file, fibers_[0].line);
          return false;
        }
      }
    }
  }

  static Fibers& running() { return *current(); }
  int lane() const { return lane_; }

  // The running lane waits for the others.
  void wait(const char* file, int line) {
    Fiber& fiber = fibers_[lane_];
    fiber.file = file;
    fiber.line = line;
    __sanitizer_start_switch_fiber(&fiber.fake, main_, mainSize_);
    swapcontext(&fiber.context, &mainContext_);
    __sanitizer_finish_switch_fiber(fiber.fake, &main_, &mainSize_);
  }

 private:
  static constexpr std::size_t stackBytes = 256 << 10;
  struct Fiber {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    void* fake = nullptr;
    bool ended = false;
    const char* file = "";
    int line = 0;
  };

  std::function<void(int)> body_;
  std::vector<Fiber> fibers_;
  ucontext_t mainContext_;
  const void* main_ = nullptr;
  std::size_t mainSize_ = 0;
  int lane_ = 0;

  static Fibers*& current() {
    static Fibers* fibers = nullptr;
    return fibers;
  }

  void prepare(Fiber& fiber) {
    fiber.stack.reset(new char[stackBytes]);
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = stackBytes;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, enter, 0);
  }

  void resume(Fiber& fiber) {
    if (fiber.ended) return;
    void* fake;
    __sanitizer_start_switch_fiber(&fake, fiber.stack.get(), stackBytes);
    swapcontext(&mainContext_, &fiber.context);
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
  }

  static void enter() {
    Fibers& all = running();
    __sanitizer_finish_switch_fiber(nullptr, &all.main_, &all.mainSize_);
    Fiber& fiber = all.fibers_[all.lane_];
    all.body_(all.lane_);
    fiber.ended = true;
    __sanitizer_start_switch_fiber(nullptr, all.main_, all.mainSize_);
    swapcontext(&fiber.context, &all.mainContext_);
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
};

}  // namespace mvn
