// check.hpp: tests of the kernels as ordinary programs, built with the sanitizers and run by scripts/test-native.mjs.
//
//     TEST("merge of two halves is the whole") {
//       FOR_EACH(d, {1, 2, 3}) { CHECK(count == 6); CHECK_CLOSE(mean[0], 2.5, MOMENT_TOLERANCE); }
//     }
//
// A failed check prints where, in which case and both values, and the test goes on. The last line is the count that
// the script adds up: "12 passed, 0 failed".
#pragma once

#include <cmath>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace check {

struct Test {
  const char* name;
  void (*run)();
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}
inline std::vector<std::string>& cases() {  // the innermost is last: {"d = 3", "n = 7"}
  static std::vector<std::string> open;
  return open;
}
inline int failures = 0;  // in the test that runs

struct Register {
  Register(const char* name, void (*run)()) { tests().push_back({name, run}); }
};

// Names a case of a loop while it is in scope.
struct Case {
  explicit Case(std::string name) { cases().push_back(std::move(name)); }
  ~Case() { cases().pop_back(); }
  Case(const Case&) = delete;
  explicit operator bool() const { return true; }
};

inline void fail(const char* file, int line, const std::string& what) {
  constexpr int shown = 5;  // a broken kernel fails in thousands of entries; the first ones tell why
  if (++failures > shown) return;
  std::string where;
  for (const std::string& name : cases()) where += (where.empty() ? " [" : ", ") + name;
  std::fprintf(stderr, "  %s:%d:%s%s %s\n", file, line, where.c_str(), where.empty() ? "" : "]", what.c_str());
}

inline std::string digits(double x) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", x);
  return text;
}

// |actual − expected| ≤ tolerance; NaN agrees with NaN and an infinity with itself.
inline void close(double actual, double expected, double tolerance, const char* what, const char* file, int line) {
  if (actual == expected || (std::isnan(actual) && std::isnan(expected))) return;
  if (std::isfinite(actual) && std::isfinite(expected) && std::fabs(actual - expected) <= tolerance) return;
  std::string wanted = digits(expected) + " ± " + digits(tolerance);
  fail(file, line, std::string(what) + " = " + digits(actual) + ", expected " + wanted);
}

}  // namespace check

#define CHECK_JOIN2(a, b) a##b
#define CHECK_JOIN(a, b) CHECK_JOIN2(a, b)
#define TEST(name)                                                                           \
  static void CHECK_JOIN(test_, __LINE__)();                                                 \
  static const check::Register CHECK_JOIN(register_, __LINE__)(name, CHECK_JOIN(test_, __LINE__)); \
  static void CHECK_JOIN(test_, __LINE__)()

// A loop over listed values that names each case in the messages.
#define FOR_EACH(value, ...)                                \
  for (auto value : std::initializer_list<long long> __VA_ARGS__) \
    if (check::Case case_##value(#value " = " + std::to_string(value)); case_##value)

#define CHECK(condition) ((condition) ? void() : check::fail(__FILE__, __LINE__, #condition))
#define CHECK_CLOSE(actual, expected, tolerance) \
  check::close(actual, expected, tolerance, #actual, __FILE__, __LINE__)

int main() {
  int passed = 0, failed = 0;
  for (const check::Test& test : check::tests()) {
    check::failures = 0;
    test.run();
    if (check::failures > 0) std::fprintf(stderr, "FAILED: %s (%d checks)\n", test.name, check::failures);
    check::failures > 0 ? ++failed : ++passed;
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed > 0;
}
