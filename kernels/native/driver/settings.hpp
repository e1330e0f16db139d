// settings.hpp: what the stand-in is told to be and to do wrong, and how often each function was called.
//
// Words separated by blanks, from the environment variable MVNFIT_STAND_IN or from mvnfitStandInSet:
//
//     devices=2            how many devices there are                                      (1)
//     memory=67108864      bytes that each has                                             (1 GiB)
//     capability=90        its compute capability, times ten                               (90)
//     doubles=2            how many times as long as float32 it takes for float64          (2)
//     version=12040        the CUDA version of the driver                                  (12040)
//     order=early          copies are done as early as streams allow, not as late          (late)
//     fail=cuMemAlloc_v2:3=2   the third call of the function from now on gives code 2; `kernel` counts kernels that run
#pragma once

#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace standin {

struct Settings {
  int devices = 1;
  std::size_t memory = std::size_t(1) << 30;
  int capability = 90;
  int singleToDouble = 2;
  int version = 12040;
  bool early = false;

  struct Fault {
    std::string function;
    int call, code;
  };
  std::vector<Fault> faults;
  std::map<std::string, int> calls;
};

inline std::mutex settingsLock;

inline Settings parsed(const std::string& text) {
  Settings settings;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    const std::string key = word.substr(0, equals), value = word.substr(equals + 1);
    if (key == "devices") settings.devices = std::stoi(value);
    if (key == "memory") settings.memory = std::stoull(value);
    if (key == "capability") settings.capability = std::stoi(value);
    if (key == "doubles") settings.singleToDouble = std::stoi(value);
    if (key == "version") settings.version = std::stoi(value);
    if (key == "order") settings.early = value == "early";
    if (key == "fail") {
      const auto colon = value.find(':'), code = value.find('=');
      settings.faults.push_back({value.substr(0, colon), std::stoi(value.substr(colon + 1)), std::stoi(value.substr(code + 1))});
    }
  }
  return settings;
}

inline Settings& settings() {
  static Settings one = parsed(std::getenv("MVNFIT_STAND_IN") ? std::getenv("MVNFIT_STAND_IN") : "");
  return one;
}

// Counts a call; the code it is to give instead of its work, or 0.
inline int faultOf(const std::string& function) {
  std::lock_guard hold(settingsLock);
  const int call = ++settings().calls[function];
  for (const auto& fault : settings().faults)
    if (fault.function == function && fault.call == call) return fault.code;
  return 0;
}

// Errors after which a context is of no more use.
inline bool isSticky(int code) {
  static const std::set<int> codes = {214, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 720, 721, 999};
  return codes.count(code) > 0;
}

}  // namespace standin
