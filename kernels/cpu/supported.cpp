// supported.cpp: the export supported of a library (see kernels/README.md). Compiled for any processor of the architecture, so
// that it may be called on one that cannot run the rest.
#include "mvn/real.hpp"
#include "cpu/export.hpp"

#if defined(__x86_64__)
#include <cpuid.h>

namespace {

struct Leaf {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  explicit Leaf(unsigned number) { __get_cpuid_count(number, 0, &eax, &ebx, &ecx, &edx); }
};

bool hasAll(unsigned word, unsigned bits) { return (word & bits) == bits; }

// The registers that the system keeps when it switches threads.
unsigned keptRegisters() {
  unsigned low, high;
  asm("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2A, CPUID; the levels are those of the
// x86-64 psABI.
bool supportsLevel(int level) {
  constexpr unsigned fma = 1u << 12, movbe = 1u << 22, osxsave = 1u << 27, avx = 1u << 28, f16c = 1u << 29;
  constexpr unsigned bmi1 = 1u << 3, avx2 = 1u << 5, bmi2 = 1u << 8, lzcnt = 1u << 5;
  constexpr unsigned avx512 = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;  // F, DQ, CD, BW, VL
  if (!hasAll(Leaf(1).ecx, fma | movbe | osxsave | avx | f16c)) return false;
  if (!hasAll(Leaf(7).ebx, bmi1 | avx2 | bmi2) || !hasAll(Leaf(0x80000001).ecx, lzcnt)) return false;
  if (level < 4) return hasAll(keptRegisters(), 0x6);
  return hasAll(Leaf(7).ebx, avx512) && hasAll(keptRegisters(), 0xe6);
}

}  // namespace

MVN_EXPORT(supported) mvn::i32 supported() { return supportsLevel(MVN_VECTOR_BYTES == 64 ? 4 : 3); }
#else
MVN_EXPORT(supported) mvn::i32 supported() { return 1; }
#endif
