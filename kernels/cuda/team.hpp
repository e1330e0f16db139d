// team.hpp: the teams of a device (mvn/team.hpp says what a team is).
//
//     Thread   one thread
//     Warp     1 … 32 lanes, a power of two: a part of a warp, so that narrow problems share one
//     Block    more lanes: a whole block
//
// The width is a number that the launch brings: one kernel serves every width. Where a kernel has one width only, WarpOf<Fixed<8>> and the
// like let the compiler know it.
//
// A reduction adds in the same order on any device: within a warp as a butterfly (lane l with lane l ^ m, for
// m = width/2 … 1), then the warps of a block one after the other.
#pragma once

#include "mvn/dimension.hpp"
#include "mvn/team.hpp"

namespace mvn {

// Registers of one lane.
template <class T> struct LaneRegister {
  T value;
  MVN_FN T& operator()(int) { return value; }
};

template <class Width> struct WarpOf {
  static constexpr bool simd = false;
  Width width;
  unsigned mask;  // this team's lanes within the warp

  template <class T> using PerLane = LaneRegister<T>;

  MVN_FN explicit WarpOf(Width width)
      : width(width),
        mask(width == warpLanes ? ~0u : ((1u << width) - 1) << (threadIdx.x % warpLanes & ~unsigned(width - 1))) {}

  MVN_FN int lane() const { return int(threadIdx.x) & (width - 1); }
  template <class F> MVN_FN void lanes(F f) const { f(lane()); }
  template <class F> MVN_FN void each(int n, F f) const {
    MVN_UNROLL_BY(1) for (int i = lane(); i < n; i += width) f(i);
  }
  MVN_FN void sync() const { __syncwarp(mask); }

  template <class T, class Op> MVN_FN T reduce(LaneRegister<T>& p, Op op) const {
    __syncwarp(mask);  // a shuffle alone orders no memory
    T x = p.value;
    if constexpr (Width::isFixed) {
      MVN_UNROLL for (int m = width / 2; m > 0; m /= 2) x = op(x, __shfl_xor_sync(mask, x, m));
    } else {
      MVN_UNROLL_BY(1) for (int m = width / 2; m > 0; m /= 2) x = op(x, __shfl_xor_sync(mask, x, m));
    }
    return x;
  }
  template <class T> MVN_FN T sum(LaneRegister<T>& p) const {
    return reduce(p, [](T a, T b) { return a + b; });
  }
  template <class F> MVN_FN auto sumOver(int n, F f) const { return sumStrided(*this, n, f); }

  template <class T, class F> MVN_FN LaneRegister<T> shuffle(const LaneRegister<T>& p, F from) const {
    return {__shfl_sync(mask, p.value, from(lane()))};
  }
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  MVN_FN void copyAhead(char* to, const char* from) const {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(unsigned(__cvta_generic_to_shared(to))), "l"(from)
                 : "memory");
  }
  MVN_FN void copyAhead(char* to, const char* from, int bytes) const {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(unsigned(__cvta_generic_to_shared(to))), "l"(from),
                 "r"(bytes)
                 : "memory");
  }
  MVN_FN void closeCopies() const { asm volatile("cp.async.commit_group;" ::: "memory"); }
  template <int pending> MVN_FN void waitForCopies() const {
    asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
  }
  template <class Tile, class Left, class Right> MVN_FN void multiplyAdd(Tile tile, Left left, Right right) const {
    f64(&c)[2] = tile(lane());
    asm("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%0, %1};"
        : "+d"(c[0]), "+d"(c[1])
        : "d"(left(lane())), "d"(right(lane())));
  }
#endif
#if __CUDA_ARCH__ >= 900
  // As long as one of them would take.
  template <class Upper, class Lower, class Above, class Below, class Right>
  MVN_FN void multiplyAddPair(Upper upper, Lower lower, Above above, Below below, Right right) const {
    f64(&c)[2] = upper(lane());
    f64(&d)[2] = lower(lane());
    asm("mma.sync.aligned.m16n8k4.row.col.f64.f64.f64.f64 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+d"(c[0]), "+d"(c[1]), "+d"(d[0]), "+d"(d[1])
        : "d"(above(lane())), "d"(below(lane())), "d"(right(lane())));
  }
#endif
};

struct Warp : WarpOf<Dynamic> {
  MVN_FN explicit Warp(int width) : WarpOf(Dynamic{width}) {}
};
template <int lanes> struct FixedWarp : WarpOf<Fixed<lanes>> {
  MVN_FN explicit FixedWarp(int) : WarpOf<Fixed<lanes>>(Fixed<lanes>{}) {}
};

struct Block {
  static constexpr bool simd = false;
  int width;

  template <class T> using PerLane = LaneRegister<T>;

  MVN_FN explicit Block(int width) : width(width) {}

  template <class F> MVN_FN void lanes(F f) const { f(int(threadIdx.x)); }
  template <class F> MVN_FN void each(int n, F f) const {
    MVN_UNROLL_BY(1) for (int i = threadIdx.x; i < n; i += width) f(i);
  }
  MVN_FN void sync() const { __syncthreads(); }

  template <class T, class Op> MVN_FN T reduce(LaneRegister<T>& p, Op op) const {
    __shared__ T ofWarp[warpLanes];
    T x = p.value;
    MVN_UNROLL for (int m = warpLanes / 2; m > 0; m /= 2) x = op(x, __shfl_xor_sync(~0u, x, m));
    if (threadIdx.x % warpLanes == 0) ofWarp[threadIdx.x / warpLanes] = x;
    __syncthreads();
    x = ofWarp[0];
    MVN_UNROLL_BY(1) for (int w = 1; w < width / warpLanes; ++w) x = op(x, ofWarp[w]);
    __syncthreads();  // the next reduction may write
    return x;
  }
  template <class T> MVN_FN T sum(LaneRegister<T>& p) const {
    return reduce(p, [](T a, T b) { return a + b; });
  }
  template <class F> MVN_FN auto sumOver(int n, F f) const { return sumStrided(*this, n, f); }
};

}  // namespace mvn
