// lane.hpp: what the C++ that scripts/ptx-to-cpp.mjs makes of PTX is written in: instructions that C++ has no word for, and a lane with what it
// does together with others.
#pragma once

using i8 = signed char;
using u8 = unsigned char;
using i16 = short;
using u16 = unsigned short;
using i32 = int;
using u32 = unsigned;
using i64 = long long;
using u64 = unsigned long long;
using f32 = float;
using f64 = double;

template <class To, class From> To as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}
inline u32 bits(f32 x) { return as<u32>(x); }
inline u64 bits(f64 x) { return as<u64>(x); }

// `place`: in a vector.
template <class T> T load(const char* at, int place) {
  T value;
  __builtin_memcpy(&value, at + place * int(sizeof(T)), sizeof(T));
  return value;
}
template <class T> void store(char* at, int place, T value) {
  __builtin_memcpy(at + place * int(sizeof(T)), &value, sizeof(T));
}

// Beyond the width: all bits are out, or are the sign.
template <class T> T shiftLeft(T x, u32 by) { return by < 8 * sizeof(T) ? T(x << by) : T(0); }
template <class T> T shiftRight(T x, u32 by) { return by < 8 * sizeof(T) ? T(x >> by) : T(x < 0 ? -1 : 0); }
inline u64 insertBits(u64 bits, u64 into, u32 at, u32 length) {
  const u64 mask = (length < 64 ? (1ull << length) - 1 : ~0ull) << at;
  return (into & ~mask) | (bits << at & mask);
}

inline f64 fused(f64 a, f64 b, f64 c) { return __builtin_fma(a, b, c); }
inline f32 fused(f32 a, f32 b, f32 c) { return __builtin_fmaf(a, b, c); }
inline f64 root(f64 x) { return __builtin_sqrt(x); }
inline f32 root(f32 x) { return __builtin_sqrtf(x); }
inline f64 absolute(f64 x) { return __builtin_fabs(x); }
inline f32 absolute(f32 x) { return __builtin_fabsf(x); }
inline i32 absolute(i32 x) { return x < 0 ? i32(0 - u32(x)) : x; }
template <class T> T least(T a, T b) { return b < a ? b : a; }
template <class T> T greatest(T a, T b) { return a < b ? b : a; }
// Of a number and NaN, the number.
template <> inline f64 least(f64 a, f64 b) { return __builtin_fmin(a, b); }
template <> inline f64 greatest(f64 a, f64 b) { return __builtin_fmax(a, b); }
template <> inline f32 least(f32 a, f32 b) { return __builtin_fminf(a, b); }
template <> inline f32 greatest(f32 a, f32 b) { return __builtin_fmaxf(a, b); }
// Some twenty bits, the others 0. Devices differ.
inline f64 roughReciprocal(f64 x) { return as<f64>(bits(1 / x) & ~0ull << 32); }
inline i32 toWhole(f32 x) {
  if (x != x) return 0;
  return x >= 0x1p31f ? 2147483647 : x < -0x1p31f ? -2147483647 - 1 : i32(x);
}

enum class Shuffle { bfly, idx };

// What a lane waits for.
struct Meeting {
  enum Kind { nothing, warp, shuffle, product, block } kind = nothing;
  u32 mask = 0;  // the lanes of its warp that meet
  Shuffle how = Shuffle::bfly;
  u32 value = 0, from = 0, clamp = 0;                    // of a shuffle
  const f64* a = nullptr;                                // of a product: A, 8 or 16 rows of 4
  f64 b = 0, *c = nullptr;
  int tiles = 0;
};

// What a kernel may reach beside its block's memory.
struct DeviceMemory {
  const void* owner;
  bool (*holds)(const void* owner, u64 at, u64 bytes);
};

struct Copies;

// One thread of a block.
struct Lane {
  u32 thread, threads, block, blocks;
  char* base;  // of the block's shared memory
  Meeting meeting;
  Copies* copies;

  // Addresses of so many bytes, which are to be aligned to that. Whoever reaches elsewhere ends the launch.
  char* shared(u32 at, u32 bytes);
  char* reach(u64 at, u32 bytes);

  u64 sharedAddress(u32 at) const { return u64(base) + at; }
  u64 sharedPlace(u64 address) const { return address - u64(base); }

  void meetWarp(u32 mask) { meet({.kind = Meeting::warp, .mask = mask}); }
  void meetBlock() { meet({.kind = Meeting::block}); }
  template <Shuffle how> u32 shuffle(u32 value, u32 from, u32 clamp, u32 mask) {
    meet({.kind = Meeting::shuffle, .mask = mask, .how = how, .value = value, .from = from, .clamp = clamp});
    return meeting.value;
  }
  // C ← C + AB of a warp, A of 8 or 16 rows: `c` is of this lane.
  template <int n> void multiply(const f64 (&a)[n], f64 b, f64 (&c)[2 * n]) {
    meet({.kind = Meeting::product, .mask = ~0u, .a = a, .b = b, .c = c, .tiles = n});
  }
  // The first of sixteen bytes, zeros behind them.
  void copyAhead(u32 to, u64 from, u32 bytes);
  void closeCopies();
  void waitForCopies(int pending);

 private:
  void meet(const Meeting& what);  // until all have come
  [[noreturn]] void end(int code);
};

// Plays a kernel block by block; `statics` bytes of shared memory are the kernel's own. A code of CUDA's: 0; 700 where it reached for what is not its
// own; 716 where what it reached for is not aligned; 719 where lanes wait for others that do not come.
int playBlocks(void (*kernel)(Lane&, char*), const void* arguments, i64 argumentBytes, i64 grid, i64 threads, i64 statics, i64 dynamicBytes,
               const DeviceMemory& memory);
