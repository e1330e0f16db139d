// block.hpp: scratch of exactly its size, so that AddressSanitizer sees every access beyond it, aligned for any vector.
#pragma once

#include <new>
#include <vector>

namespace check {

template <class T> struct OnLine {
  static constexpr std::align_val_t line{64};
  using value_type = T;
  OnLine() = default;
  template <class Other> OnLine(const OnLine<Other>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), line)); }
  void deallocate(T* block, std::size_t) { ::operator delete(block, line); }
  bool operator==(const OnLine&) const = default;
};

template <class T> using Block = std::vector<T, OnLine<T>>;

}  // namespace check
