// fit_rows.cpp: the export fit_rows (see kernels/README.md).
#include "cpu/export.hpp"
#include "cpu/functions.hpp"

using namespace mvn;

// Groups whose rows are summed before they are solved. While a few are solved, rows of the next are on their way; with all
// groups of an item, memory would rest as long as the arithmetic.
constexpr i32 together = 16;

MVN_EXPORT(fit_rows)
void fit_rows(i32 row_type, const void* rows, const f64* weights, const i32* offsets, i32 precision, i32 method,
              i32 groups, i32 d, f64* count, f64* weight, f64* mean, f64* scatter, i32 start, const f64* start_mean,
              const f64* start_factor, f64 ddof, f64 tolerance, i32 max_iterations, f64 epsilon, const i32* stop,
              f64* out_mean, f64* out_covariance, f64* out_factor, f64* out_log_likelihood, f64* out_residual,
              f64* out_gap, i32* out_iterations, u8* out_status, char* scratch) {
  for (i64 g = 0; g < groups; g += together) {
    const i32 some = i32(min<i64>(together, groups - g));
    const i64 vector = g * d, matrix = vector * d;
    moments(row_type, rows, weights, offsets + g, some, d, count + g, weight + g, mean + vector, scatter + matrix,
            scratch);
    fit(precision, method, some, d, count + g, weight + g, mean + vector, scatter + matrix, start,
        start_mean + vector, start_factor + matrix, ddof, tolerance, max_iterations, epsilon, stop, out_mean + vector,
        out_covariance + matrix, out_factor + matrix, out_log_likelihood + g, out_residual + g, out_gap + g,
        out_iterations + g, out_status + g, scratch);
  }
}
