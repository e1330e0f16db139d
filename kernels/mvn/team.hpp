// team.hpp: the threads that share one group, and the scratch they share.
//
// A kernel is a sequence of phases with barriers between them. Within a phase the calls are independent of each other,
// so that one thread may play them all in any order:
//
//     team.each(n, f)      f(i) for i = 0 … n−1, spread over the lanes
//     team.lanes(f)        f(lane), once on every lane
//     team.sync()          barrier: what was written before it is seen after it
//     team.width           how many lanes there are
//     team.reduce(p, op)   op over the lanes of a PerLane<T>; every lane gets the same bits; also a barrier
//     team.sum(p)          Σ over the lanes: reduce with +
//     team.sumOver(n, f)   Σ f(i): each lane adds its strided share in order, then `sum`
//     team.shuffle(p, f)   the PerLane whose value on a lane is p's on lane f(lane); a warp's only, and also a barrier
//     team.multiplyAdd(c, a, b)   C ← C + AB by the warp's matrix unit: c(lane) are the lane's two entries of C, a(lane) and
//                          b(lane) its entries of A and B (moments_tensor.hpp has the layout); for devices that have one
//     team.multiplyAddPair(c, c', a, a', b)   C ← C + AB and C' ← C' + A'B; where the unit does both at once, else there is none
//     team.copyAhead(to, from)  within a phase: the lane has 16 bytes copied to scratch, which may take a while; both are multiples
//                          of 16. copyAhead(to, from, n) reads n of them and copies zeros for the others. closeCopies() ends a lane's group of copies, and
//                          waitForCopies<k>() waits until no more than k groups of the lane are open; others see them after a sync
//     PerLane<T>           one T a lane, in registers on a device, that lives from phase to phase: p(lane)
//
// `each(n, f)` gives i to lane i mod width whatever n is. A vector that phases go through element by element, by `each` and `sumOver`
// alone, is therefore each lane's own, and so are the columns of `strips`: between such phases there is no barrier. A
// barrier stands where a lane reads what another has written, or writes what another may still read. The outputs of an operation
// end without one: the next entry of a list begins with a reduction before it writes scratch.
//
// Code outside a phase runs on every lane alike: it may branch on values in scratch after a `sync`, and must not write.
// A phase that writes what such code has read needs a barrier between them.
// `Team::simd` says that one lane has vector registers (a CPU); kernels may then take a form of their own.
//
// Scratch is no part of the team. The caller hands in one block (thread memory on a CPU, shared memory on a device), a
// kernel carves it with Scratch, and the same carving without a block counts the bytes that it needs:
//
//     struct Workspace {
//       f64 *factor, *inverse;
//       MVN_FN Workspace(Scratch& s, int d) : factor(s.take<f64>(d * d)), inverse(s.take<f64>(d * d)) {}
//     };
//     Scratch count; Workspace(count, d); count.used      // bytes
//     Scratch scratch(block); Workspace w(scratch, d);    // the arrays
#pragma once

#include "real.hpp"

namespace mvn {

// A device runs so many lanes in step; wider teams are blocks of several warps.
constexpr int warpLanes = 32;

// What a lane has copied to scratch at a time.
constexpr int copyBytes = 16;

class Scratch {
 public:
  static constexpr int alignment = MVN_VECTOR_BYTES;
  i64 used = 0;

  MVN_FN constexpr Scratch() : block_(nullptr) {}                // counts only
  MVN_FN explicit Scratch(char* block) : block_(block) {}        // `block` is aligned to `alignment` bytes

  template <class T> MVN_FN constexpr T* take(i64 count) {
    i64 at = used;
    used += (count * i64(sizeof(T)) + alignment - 1) / alignment * alignment;
    return block_ ? reinterpret_cast<T*>(block_ + at) : nullptr;
  }

 private:
  char* block_;
};

// Lane l adds f(l), f(l + width), … in this order; the lanes are then added as the team adds them.
template <class Team, class F> MVN_FN auto sumStrided(const Team& team, int n, F f) {
  using T = decltype(f(0));
  typename Team::template PerLane<T> partial;
  team.lanes([&](int lane) {
    T total(0);
    for (int i = lane; i < n; i += team.width) total += f(i);
    partial(lane) = total;
  });
  return team.sum(partial);
}

// One thread is the whole team.
struct SerialTeam {
  static constexpr int width = 1;
#if defined(__CUDACC__)
  static constexpr bool simd = false;
#else
  static constexpr bool simd = true;
#endif

  template <class T> struct PerLane {
    T value;
    MVN_FN T& operator()(int) { return value; }
  };

  template <class F> MVN_FN void lanes(F f) const { f(0); }
  template <class F> MVN_FN void each(int n, F f) const {
    for (int i = 0; i < n; ++i) f(i);
  }
  MVN_FN void sync() const {}
  template <class T, class Op> MVN_FN T reduce(PerLane<T>& p, Op) const { return p.value; }
  template <class T> MVN_FN T sum(PerLane<T>& p) const { return p.value; }
  template <class F> MVN_FN auto sumOver(int n, F f) const { return sumStrided(*this, n, f); }
};

}  // namespace mvn
