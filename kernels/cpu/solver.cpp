// solver.cpp: the exports fit_scratch, fit, evaluate_scratch and evaluate (see kernels/README.md).
#include "mvn/closed_form_tiles.hpp"
#include "mvn/evaluate.hpp"
#include "mvn/packs/closed_form.hpp"
#include "mvn/packs/gradient.hpp"
#include "cpu/export.hpp"
#include "cpu/functions.hpp"

using namespace mvn;

namespace {

struct FitArrays {
  const f64 *count, *weight, *mean, *scatter, *startMean, *startFactor;
  f64 *outMean, *outCovariance, *outFactor, *outLogLikelihood, *outResidual, *outGap;
  i32* outIterations;
  u8* outStatus;

  MVN_FN FitGroup group(i64 g, i64 d) const {
    const i64 vector = g * d, matrix = g * d * d;
    return {{count[g], weight[g], mean + vector, scatter + matrix},
            startMean + vector, startFactor + matrix,
            outMean + vector, outCovariance + matrix, outFactor + matrix,
            outLogLikelihood + g, outResidual + g, outGap + g, outIterations + g, outStatus + g};
  }
};

struct EvaluateArrays {
  const f64 *count, *weight, *mean, *scatter, *atMean, *atFactor;
  f64 *j1, *j2, *objective, *dj1dFactor, *dj2dMean, *dj2dFactor;
  u8* status;

  EvaluateGroup group(i64 g, i64 d) const {
    const i64 vector = g * d, matrix = g * d * d;
    return {{count[g], weight[g], mean + vector, scatter + matrix},
            atMean + vector, atFactor + matrix,
            j1 + g, j2 + g, objective + g, dj1dFactor + matrix, dj2dMean + vector, dj2dFactor + matrix, status + g};
  }
};

template <class Real> void fitAll(i32 groups, i32 d, const FitArrays& arrays, const FitOptions& options, char* block) {
  Scratch scratch(block);
  const FitScratch work(scratch, d, solverBytes<Real>(d, options.method));
  for (i32 g = 0; g < groups; ++g) {
    if (options.stop && readNow(options.stop)) return;
    fitGroup<Real>(SerialTeam{}, Dynamic{d}, arrays.group(g, d), options, work);
  }
}

// The closed form, float64 whatever the precision. What its tiles cannot settle goes by fitGroup().
void fitTiles(i32 groups, i32 d, const FitArrays& arrays, const FitOptions& options, char* block) {
  Scratch scratch(block);
  const ClosedFormTileScratch tiles(scratch, d);
  const FitScratch work(scratch, d, 0);
  for (i32 g = 0; g < groups; ++g) {
    if (options.stop && readNow(options.stop)) return;
    const FitGroup group = arrays.group(g, d);
    if (!fitClosedFormByTiles(d, group, options, tiles)) fitGroup<f64>(SerialTeam{}, Dynamic{d}, group, options, work);
  }
}

template <class Real>
void fitPacks(i32 groups, i32 d, const FitArrays& arrays, const FitOptions& options, char* block) {
  constexpr int lanes = packLanes<Real>;
  if (options.method > Method::newton) {
    const auto groupAt = [&](i32 g) { return arrays.group(g, d); };
    return fitByGradient<Real>(d, groups, groupAt, options, block);
  }
  Scratch scratch(block);
  const FitPackScratch<Real> work(scratch, d);
  withPackDimension<Real>(d, [&](auto dimension) {
    for (i32 g = 0; g < groups; g += lanes) {
      if (options.stop && readNow(options.stop)) return;
      FitGroup pack[lanes];
      for (int lane = 0; lane < lanes; ++lane) pack[lane] = arrays.group(min(g + lane, groups - 1), d);
      fitPack<Real>(dimension, pack, min(lanes, groups - g), options, work);
    }
  });
}

template <class Real> void evaluateAll(i32 groups, i32 d, const EvaluateArrays& arrays, char* block) {
  const SerialTeam team;
  Scratch scratch(block);
  const EvaluateScratch<Real> work(scratch, d);
  withDimension<Real>(team, d, [&](auto dimension) {
    for (i32 g = 0; g < groups; ++g) evaluateGroup(team, dimension, arrays.group(g, d), work);
  });
}

template <class Real> i32 fitBytes(i32 d, Method method) {
  Scratch count;
  if (hasClosedFormPack(d, method)) return i32(closedFormPackBytes(d));
  if (fitsByTiles(d, method)) {
    ClosedFormTileScratch(count, d);
    FitScratch(count, d, 0);
    return i32(count.used);
  }
  if (fitsInPacks(d)) {
    if (method > Method::newton) return i32(gradientPackBytes<Real>(d, method));
    FitPackScratch<Real>(count, d);
    return i32(count.used);
  }
  FitScratch(count, d, solverBytes<Real>(d, method));
  return i32(count.used);
}

template <class Real> i32 evaluateBytes(i32 d) {
  Scratch count;
  EvaluateScratch<Real>(count, d);
  return i32(count.used);
}

// Rank, factor and certificate are float64 in either precision, and the closed form is nothing else.
bool inSingle(i32 precision, Method method) {
  return Precision(precision) == Precision::float32 && method != Method::closedForm;
}

}  // namespace

MVN_EXPORT(fit_scratch) i32 fit_scratch(i32 precision, i32 method, i32 d) {
  if (inSingle(precision, Method(method))) return fitBytes<f32>(d, Method(method));
  return fitBytes<f64>(d, Method(method));
}

MVN_EXPORT(fit)
void fit(i32 precision, i32 method, i32 groups, i32 d, const f64* count, const f64* weight, const f64* mean,
         const f64* scatter, i32 start, const f64* start_mean, const f64* start_factor, f64 ddof, f64 tolerance,
         i32 max_iterations, f64 epsilon, const i32* stop, f64* out_mean, f64* out_covariance, f64* out_factor,
         f64* out_log_likelihood, f64* out_residual, f64* out_gap, i32* out_iterations, u8* out_status, char* scratch) {
  const FitArrays arrays{count, weight, mean, scatter, start_mean, start_factor, out_mean, out_covariance, out_factor,
                         out_log_likelihood, out_residual, out_gap, out_iterations, out_status};
  const FitOptions options{Method(method), Start(start), ddof, tolerance, max_iterations, epsilon, stop};
  if (fitsByTiles(d, options.method)) return fitTiles(groups, d, arrays, options, scratch);
  if (hasClosedFormPack(d, options.method)) {
    const auto groupAt = [arrays, d](i32 g) MVN_INLINE { return arrays.group(g, d); };
    return fitClosedFormPacks(d, groups, groupAt, options, scratch);
  }
  const bool single = inSingle(precision, options.method);
  if (fitsInPacks(d)) {
    if (single) return fitPacks<f32>(groups, d, arrays, options, scratch);
    return fitPacks<f64>(groups, d, arrays, options, scratch);
  }
  if (single) return fitAll<f32>(groups, d, arrays, options, scratch);
  fitAll<f64>(groups, d, arrays, options, scratch);
}

MVN_EXPORT(evaluate_scratch) i32 evaluate_scratch(i32 precision, i32 d) {
  return Precision(precision) == Precision::float32 ? evaluateBytes<f32>(d) : evaluateBytes<f64>(d);
}

MVN_EXPORT(evaluate)
void evaluate(i32 precision, i32 groups, i32 d, const f64* count, const f64* weight, const f64* mean,
              const f64* scatter, const f64* at_mean, const f64* at_factor, f64* j1, f64* j2, f64* objective,
              f64* dj1_dfactor, f64* dj2_dmean, f64* dj2_dfactor, u8* status, char* scratch) {
  const EvaluateArrays arrays{count, weight, mean, scatter, at_mean, at_factor, j1, j2, objective,
                              dj1_dfactor, dj2_dmean, dj2_dfactor, status};
  if (Precision(precision) == Precision::float32) return evaluateAll<f32>(groups, d, arrays, scratch);
  evaluateAll<f64>(groups, d, arrays, scratch);
}
