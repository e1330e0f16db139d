// export.hpp: marks a function as an export of the WebAssembly module, under its own name.
#pragma once

#define MVN_EXPORT(name) extern "C" __attribute__((export_name(#name)))
