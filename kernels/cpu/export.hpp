// export.hpp: marks a function as an export of the compiled kernels, under its own name.
#pragma once

#if defined(__wasm__)
#define MVN_EXPORT(name) extern "C" __attribute__((export_name(#name)))
#else
#define MVN_EXPORT(name) extern "C" __attribute__((visibility("default")))
#endif
