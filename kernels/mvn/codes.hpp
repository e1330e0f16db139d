// codes.hpp: the codes of kernels/README.md, shared with src/status.ts and src/methods.ts.
#pragma once

#include "real.hpp"

namespace mvn {

enum class Status : u8 { converged, maxIterations, stalled, empty, tooFewRows, singular, nonFinite };
enum class Method : i32 { closedForm, newton, lbfgs, cg, bb, gradientDescent, momentum };
enum class Start : i32 { standard, identity, given };
enum class Precision : i32 { float64, float32 };

}  // namespace mvn
