// emu_team.hpp: a device's team, played by one thread: the same lanes, the same order of sums, the same bits.
//
// `each` may go in any order, as its calls are independent; whether they are, FiberTeam finds out (fiber_team.hpp).
#pragma once

#include <cstring>

#include "mvn/team.hpp"

namespace mvn {

constexpr int mostLanes = 256;

// One T a lane, of a team played by one thread.
template <class T> struct LaneArray {
  T values[mostLanes];
  T& operator()(int lane) { return values[lane]; }
};

// op over the lanes in the order of a device: butterflies within warps, then the warps one after the other.
template <class T, class Op> T reduceAsDevice(LaneArray<T>& values, int width, Op op) {
  T result{};
  for (int first = 0; first < width; first += warpLanes) {
    const int lanes = min(width, warpLanes);
    T x[warpLanes], next[warpLanes];
    for (int l = 0; l < lanes; ++l) x[l] = values(first + l);
    for (int m = lanes / 2; m > 0; m /= 2) {
      for (int l = 0; l < lanes; ++l) next[l] = op(x[l], x[l ^ m]);
      for (int l = 0; l < lanes; ++l) x[l] = next[l];
    }
    result = first == 0 ? x[0] : op(result, x[0]);
  }
  return result;
}

// C[row][column] of a matrix unit's product, one product added after the other.
template <class T, class Left, class Right> T multipliedAsDevice(T c, int row, int column, Left left, Right right) {
  for (int k = 0; k < 4; ++k) c = fma(left(4 * row + k), right(4 * column + k), c);
  return c;
}

// A lane's copy to scratch, with zeros behind it.
inline void copyNow(char* to, const char* from, int bytes) {
  std::memcpy(to, from, bytes);
  std::memset(to + bytes, 0, copyBytes - bytes);
}

struct EmuTeam {
  static constexpr bool simd = false;
  int width;

  template <class T> using PerLane = LaneArray<T>;

  template <class F> MVN_FN void lanes(F f) const {
    for (int lane = 0; lane < width; ++lane) f(lane);
  }
  template <class F> MVN_FN void each(int n, F f) const {
    for (int i = 0; i < n; ++i) f(i);
  }
  MVN_FN void sync() const {}

  template <class T, class Op> T reduce(LaneArray<T>& p, Op op) const { return reduceAsDevice(p, width, op); }
  template <class T> T sum(LaneArray<T>& p) const {
    return reduce(p, [](T a, T b) { return a + b; });
  }
  template <class F> MVN_FN auto sumOver(int n, F f) const { return sumStrided(*this, n, f); }
  template <class T, class F> LaneArray<T> shuffle(LaneArray<T>& p, F from) const {
    LaneArray<T> moved;
    for (int lane = 0; lane < width; ++lane) moved(lane) = p(from(lane));
    return moved;
  }
  void copyAhead(char* to, const char* from, int bytes = copyBytes) const { copyNow(to, from, bytes); }
  void closeCopies() const {}
  template <int pending> void waitForCopies() const {}
  template <class Tile, class Left, class Right> void multiplyAdd(Tile tile, Left left, Right right) const {
    for (int lane = 0; lane < warpLanes; ++lane) {
      for (int e = 0; e < 2; ++e) {
        f64& c = tile(lane)[e];
        c = multipliedAsDevice(c, lane / 4, lane % 4 * 2 + e, left, right);
      }
    }
  }
};

}  // namespace mvn
