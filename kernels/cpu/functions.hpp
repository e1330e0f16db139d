// functions.hpp: exports that other exports call (see kernels/README.md).
#pragma once

#include "mvn/real.hpp"

extern "C" {

void moments(mvn::i32 row_type, const void* rows, const mvn::f64* weights, const mvn::i32* offsets, mvn::i32 groups,
             mvn::i32 d, mvn::f64* count, mvn::f64* weight, mvn::f64* mean, mvn::f64* scatter, char* scratch);

void fit(mvn::i32 precision, mvn::i32 method, mvn::i32 groups, mvn::i32 d, const mvn::f64* count,
         const mvn::f64* weight, const mvn::f64* mean, const mvn::f64* scatter, mvn::i32 start,
         const mvn::f64* start_mean, const mvn::f64* start_factor, mvn::f64 ddof, mvn::f64 tolerance,
         mvn::i32 max_iterations, mvn::f64 epsilon, const mvn::i32* stop, mvn::f64* out_mean,
         mvn::f64* out_covariance, mvn::f64* out_factor, mvn::f64* out_log_likelihood, mvn::f64* out_residual,
         mvn::f64* out_gap, mvn::i32* out_iterations, mvn::u8* out_status, char* scratch);
}
