// driver.cpp: a stand-in for NVIDIA's driver, for tests on machines without a GPU. It exports the functions that src/engines/cuda
// calls and plays the kernels on the CPU (native/emulate.hpp). It is a test fixture: never shipped, never chosen by `auto`.
//
// Built by scripts/build-stand-in.mjs. What it can be told is in settings.hpp. Where MVNFIT_STAND_IN_PTX names a library of what nvcc made of the
// kernels (scripts/test-ptx.mjs), those are played.
#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "context.hpp"
#include "native/emulate.hpp"
#include "native/ptx/lane.hpp"

using namespace standin;

namespace {

constexpr int invalidImage = 200, invalidContext = 201, invalidDevice = 101, noDevice = 100, notFound = 500;
constexpr unsigned mostThreads = 1024;
constexpr int plainShared = 48 * 1024;

std::mutex contextsLock;
std::set<Context*> contexts;
thread_local Context* current = nullptr;
Pinned pinned;

// Devices differ in what a block may have of shared memory: results must not depend on it.
int sharedOptIn(int device) { return device % 2 ? 64 * 1024 : 99 * 1024; }

Stream* streamOf(void* handle) { return static_cast<Stream*>(handle); }

// Runs `work` on the current context, unless the call is to fail or the context is of no more use.
template <class Work> int onContext(const char* function, Work work) {
  Context* context = current;
  if (!context) return invalidContext;
  std::lock_guard hold(context->lock);
  if (const int code = faultOf(function)) return context->failed(code);
  if (context->sticky) return context->sticky;
  return work(*context);
}

template <class Work> int anywhere(const char* function, Work work) {
  const int code = faultOf(function);
  return code ? code : work();
}

int copyNow(void* to, const void* from, std::size_t bytes) {
  std::memcpy(to, from, bytes);
  return success;
}

// `compiled` is nullptr where the kernel is played as written.
struct Kernel {
  const mvn::EmulatedEntry* entry;
  int (*compiled)(const void* arguments, long long grid, long long threads, long long sharedBytes, const DeviceMemory& memory);
};

// The kernel of this name that is in a module; nullptr where there is none.
Kernel* kernelOf(const std::string& name, const std::string& module) {
  static std::mutex lock;  // devices have threads of their own
  std::lock_guard hold(lock);
  static std::map<std::string, Kernel> kernels;
  static const std::vector<mvn::EmulatedEntry> entries = mvn::emulatedEntries();
  static const char* const file = std::getenv("MVNFIT_STAND_IN_PTX");
  static void* const library = file ? dlopen(file, RTLD_NOW | RTLD_LOCAL) : nullptr;
  if (module.find(".entry " + name + "(") == std::string::npos) return nullptr;
  const auto entry = std::find_if(entries.begin(), entries.end(), [&](const auto& one) { return one.name == name; });
  if (entry == entries.end()) return nullptr;
  Kernel found{&*entry, nullptr};
  std::string symbol = name;
  if (file) {
    const std::string target = ".target sm_";
    symbol += "_" + std::to_string(std::atoi(module.c_str() + module.find(target) + target.size()));
    if (!library || !(found.compiled = reinterpret_cast<decltype(found.compiled)>(dlsym(library, symbol.c_str())))) return nullptr;
  }
  return &kernels.try_emplace(symbol, found).first->second;
}

int playKernel(Context& context, const Kernel& kernel, const std::string& arguments, unsigned grid, unsigned threads,
               unsigned shared) {
  if (const int code = faultOf("kernel")) return code;
  if (kernel.compiled) {
    const auto holds = [](const void* owner, Address at, Address bytes) {
      return static_cast<const Context*>(owner)->memory.holds(at, bytes) || pinned.holds(at, bytes);
    };
    const int code = kernel.compiled(arguments.data(), grid, threads, shared, {&context, holds});
    return code ? code : context.memory.intact() ? success : illegalAddress;
  }
  std::vector<char> block(shared + 2 * Memory::zone, char(Memory::red));
  kernel.entry->play(arguments.data(), grid, threads, block.data() + Memory::zone);
  for (std::size_t i = 0; i < Memory::zone; ++i)
    if (block[i] != char(Memory::red) || block[Memory::zone + shared + i] != char(Memory::red)) return illegalAddress;
  return context.memory.intact() ? success : illegalAddress;
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default"))) int

// --- for tests -------------------------------------------------------------------------------------------------------------

EXPORT mvnfitStandIn() { return 1; }

// New settings; counts of calls begin anew.
EXPORT mvnfitStandInSet(const char* text) {
  std::lock_guard hold(settingsLock);
  settings() = parsed(text);
  return success;
}

EXPORT mvnfitStandInCalls(const char* function) {
  std::lock_guard hold(settingsLock);
  return settings().calls[function];
}

// What has not been given back: contexts, device memory, host memory that is locked.
EXPORT mvnfitStandInLive() {
  std::lock_guard hold(contextsLock);
  std::size_t live = contexts.size() + pinned.count();
  for (Context* context : contexts) live += context->memory.count();
  return int(live);
}

// Device memory alone.
EXPORT mvnfitStandInBlocks() {
  std::lock_guard hold(contextsLock);
  std::size_t live = 0;
  for (Context* context : contexts) live += context->memory.count();
  return int(live);
}

// --- the driver ------------------------------------------------------------------------------------------------------------

EXPORT cuInit(unsigned) {
  return anywhere("cuInit", [] { return settings().devices > 0 ? int(success) : noDevice; });
}

EXPORT cuDriverGetVersion(int* version) {
  return anywhere("cuDriverGetVersion", [=] { return *version = settings().version, success; });
}

EXPORT cuDeviceGetCount(int* count) {
  return anywhere("cuDeviceGetCount", [=] { return *count = settings().devices, success; });
}

EXPORT cuDeviceGet(int* device, int ordinal) {
  return anywhere("cuDeviceGet", [=] {
    if (ordinal < 0 || ordinal >= settings().devices) return invalidDevice;
    return *device = ordinal, int(success);
  });
}

EXPORT cuDeviceGetName(char* name, int length, int) {
  return anywhere("cuDeviceGetName", [=] {
    std::snprintf(name, length, "stand-in of the tests, on the CPU");
    return success;
  });
}

EXPORT cuDeviceGetAttribute(int* value, int attribute, int device) {
  return anywhere("cuDeviceGetAttribute", [=] {
    switch (attribute) {
      case 16: return *value = 2, success;
      case 75: return *value = settings().capability / 10, success;
      case 76: return *value = settings().capability % 10, success;
      case 87: return *value = settings().singleToDouble, success;
      case 97: return *value = sharedOptIn(device), success;
      default: return invalidValue;
    }
  });
}

EXPORT cuCtxCreate_v2(void** handle, unsigned, int device) {
  return anywhere("cuCtxCreate_v2", [=] {
    auto* context = new Context;
    context->device = device;
    std::lock_guard hold(contextsLock);
    contexts.insert(context);
    *handle = current = context;
    return success;
  });
}

EXPORT cuCtxDestroy_v2(void* handle) {
  auto* context = static_cast<Context*>(handle);
  {
    std::lock_guard hold(contextsLock);
    if (!contexts.erase(context)) return invalidContext;
  }
  pinned.forget(context);
  context->memory.clear();
  if (current == context) current = nullptr;
  delete context;
  return success;
}

EXPORT cuMemGetInfo_v2(std::size_t* free, std::size_t* total) {
  return onContext("cuMemGetInfo_v2", [=](Context& context) {
    *total = settings().memory;
    *free = *total - std::min(*total, context.memory.used());
    return success;
  });
}

EXPORT cuMemAlloc_v2(Address* at, std::size_t bytes) {
  return onContext("cuMemAlloc_v2", [=](Context& context) {
    if (bytes == 0) return invalidValue;
    if (context.memory.used() + bytes > settings().memory) return outOfMemory;
    *at = context.memory.take(bytes);
    return *at ? success : outOfMemory;
  });
}

EXPORT cuMemFree_v2(Address at) {
  return onContext("cuMemFree_v2", [=](Context& context) {
    if (const int code = context.waitForAll()) return code;
    if (!context.memory.intact()) return context.failed(illegalAddress);
    return int(context.memory.give(at) ? success : invalidValue);
  });
}

EXPORT cuMemHostAlloc(void** memory, std::size_t bytes, unsigned) {
  return onContext("cuMemHostAlloc", [=](Context& context) {
    void* block = std::aligned_alloc(4096, (bytes + 4095) & ~std::size_t(4095));
    pinned.add(Address(block), bytes, &context, true);
    *memory = block;
    return success;
  });
}

EXPORT cuMemFreeHost(void* memory) {
  return onContext("cuMemFreeHost", [=](Context& context) {
    if (const int code = context.waitForAll()) return code;
    return int(pinned.remove(Address(memory)) ? success : invalidValue);
  });
}

EXPORT cuMemHostRegister_v2(Address at, std::size_t bytes, unsigned) {
  return onContext("cuMemHostRegister_v2", [=](Context& context) {
    constexpr int alreadyRegistered = 712;
    return pinned.add(at, bytes, &context, false) ? int(success) : alreadyRegistered;
  });
}

EXPORT cuMemHostUnregister(Address at) {
  return onContext("cuMemHostUnregister", [=](Context& context) {
    if (const int code = context.waitForAll()) return code;
    constexpr int notRegistered = 713;
    return pinned.remove(at) ? int(success) : notRegistered;
  });
}

EXPORT cuMemHostGetDevicePointer_v2(Address* device, Address host, unsigned) {
  return onContext("cuMemHostGetDevicePointer_v2", [=](Context&) {
    if (!pinned.holds(host, 1)) return invalidValue;
    return *device = host, success;
  });
}

// Memory that is not locked is read at once, as the driver does; memory that is, when the copy's time comes.
EXPORT cuMemcpyHtoDAsync_v2(Address to, const void* from, std::size_t bytes, void* stream) {
  return onContext("cuMemcpyHtoDAsync_v2", [=](Context& context) {
    if (!context.memory.holds(to, bytes)) return int(invalidValue);
    if (pinned.holds(Address(from), bytes))
      return context.post(streamOf(stream), {.work = [=] { return copyNow((void*)to, from, bytes); }, .copy = true});
    const std::string content(static_cast<const char*>(from), bytes);
    return context.post(streamOf(stream),
                        {.work = [=] { return copyNow((void*)to, content.data(), bytes); }, .copy = true});
  });
}

EXPORT cuMemcpyDtoHAsync_v2(void* to, Address from, std::size_t bytes, void* stream) {
  return onContext("cuMemcpyDtoHAsync_v2", [=](Context& context) {
    if (!context.memory.holds(from, bytes)) return int(invalidValue);
    Stream* on = streamOf(stream);
    if (const int code = context.post(on, {.work = [=] { return copyNow(to, (void*)from, bytes); }, .copy = true}))
      return code;
    return pinned.holds(Address(to), bytes) ? int(success) : context.wait(on, on->end());
  });
}

// For scripts/gpu-host/rates.mjs, which measures how fast a device copies.
EXPORT cuMemcpyDtoDAsync_v2(Address to, Address from, std::size_t bytes, void* stream) {
  return onContext("cuMemcpyDtoDAsync_v2", [=](Context& context) {
    if (!context.memory.holds(to, bytes) || !context.memory.holds(from, bytes)) return int(invalidValue);
    return context.post(streamOf(stream), {.work = [=] { return copyNow((void*)to, (void*)from, bytes); }, .copy = true});
  });
}

EXPORT cuStreamCreate(void** stream, unsigned) {
  return onContext("cuStreamCreate", [=](Context& context) {
    context.streams.push_back(std::make_unique<Stream>());
    return *stream = context.streams.back().get(), success;
  });
}

EXPORT cuStreamSynchronize(void* stream) {
  return onContext("cuStreamSynchronize", [=](Context& context) {
    return context.wait(streamOf(stream), streamOf(stream)->end());
  });
}

EXPORT cuStreamWaitEvent(void* stream, void* event, unsigned) {
  return onContext("cuStreamWaitEvent", [=](Context& context) {
    const auto* of = static_cast<Event*>(event);
    if (!of->stream) return int(success);
    return context.post(streamOf(stream), {.work = nullptr, .copy = false, .after = of->stream, .position = of->position});
  });
}

EXPORT cuEventCreate(void** event, unsigned) {
  return onContext("cuEventCreate", [=](Context& context) {
    context.events.push_back(std::make_unique<Event>());
    return *event = context.events.back().get(), success;
  });
}

EXPORT cuEventRecord(void* event, void* stream) {
  return onContext("cuEventRecord", [=](Context&) {
    *static_cast<Event*>(event) = {streamOf(stream), streamOf(stream)->end()};
    return success;
  });
}

EXPORT cuEventSynchronize(void* event) {
  return onContext("cuEventSynchronize", [=](Context& context) {
    const auto* of = static_cast<Event*>(event);
    return of->stream ? context.wait(of->stream, of->position) : int(success);
  });
}

// Takes PTX, and where there is no compiler for it, a line that says that it stands for it.
EXPORT cuModuleLoadDataEx(void** module, const char* image, unsigned, int*, void**) {
  return onContext("cuModuleLoadDataEx", [=](Context& context) {
    const std::string text(image);
    if (text.find(".version") == std::string::npos && text.rfind("// for the stand-in", 0) != 0) return invalidImage;
    context.modules.push_back(std::make_unique<std::string>(text));
    return *module = context.modules.back().get(), int(success);
  });
}

EXPORT cuModuleGetFunction(void** function, void* module, const char* name) {
  return onContext("cuModuleGetFunction", [=](Context&) {
    Kernel* const kernel = kernelOf(name, *static_cast<std::string*>(module));
    return kernel ? (*function = kernel, int(success)) : notFound;
  });
}

EXPORT cuFuncSetAttribute(void* function, int attribute, int value) {
  return onContext("cuFuncSetAttribute", [=](Context& context) {
    if (attribute != 8 || value > sharedOptIn(context.device)) return invalidValue;
    context.dynamicShared[function] = value;
    return success;
  });
}

EXPORT cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void*, int threads, std::size_t shared) {
  return onContext("cuOccupancyMaxActiveBlocksPerMultiprocessor", [=](Context&) {
    const std::size_t byThreads = 2048 / threads, byShared = 100 * 1024 / (shared + 1024);
    return *blocks = int(std::min(byThreads, byShared)), success;
  });
}

EXPORT cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                      unsigned shared, void* stream, void** parameters, void**) {
  return onContext("cuLaunchKernel", [=](Context& context) {
    const auto& kernel = *static_cast<const Kernel*>(function);
    const auto limit = context.dynamicShared.count(function) ? context.dynamicShared[function] : plainShared;
    if (gx == 0 || gx > 2147483647u || gy * gz * by * bz != 1 || bx == 0 || bx > mostThreads) return int(invalidValue);
    if (int(shared) > limit) return int(invalidValue);
    const std::string arguments(static_cast<const char*>(parameters[0]), kernel.entry->argumentBytes);
    return context.post(streamOf(stream), {.work = [=, &context, &kernel] {
      return playKernel(context, kernel, arguments, gx, bx, shared);
    }});
  });
}

EXPORT cuGetErrorName(int code, const char** name) {
  static const std::map<int, const char*> names = {
      {1, "CUDA_ERROR_INVALID_VALUE"},    {2, "CUDA_ERROR_OUT_OF_MEMORY"},   {100, "CUDA_ERROR_NO_DEVICE"},
      {101, "CUDA_ERROR_INVALID_DEVICE"}, {200, "CUDA_ERROR_INVALID_IMAGE"}, {201, "CUDA_ERROR_INVALID_CONTEXT"},
      {218, "CUDA_ERROR_INVALID_PTX"},    {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"},
      {500, "CUDA_ERROR_NOT_FOUND"},      {700, "CUDA_ERROR_ILLEGAL_ADDRESS"},
      {701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"},                           {719, "CUDA_ERROR_LAUNCH_FAILED"}};
  const auto found = names.find(code);
  *name = found == names.end() ? nullptr : found->second;
  return found == names.end() ? invalidValue : success;
}
