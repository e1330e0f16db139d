// entries.hpp: the list of kernels. One line each: name, arguments, team, operation.
//
// MVN_ENTRIES_<module> lists what nvcc compiles at a time; in the end each kernel has a PTX file of its own. The
// shells define every entry from these lists (mvn.cu for a device, native/emulate.hpp on a CPU), `describe` answers
// with places in MVN_ENTRIES, and scripts/build-cuda.mjs turns it into entries.json. An operation is a type with
//
//     static i64 size(const Arguments&)                                  how many entries its list has
//     template <class Team> static void play(const Team&, const Arguments&, i64 index, char* block)
//
// Team: Thread (one lane), Warp (1 … 32 lanes, a power of two, of one warp), Warp8x20 and so on (of 8 lanes; a multiprocessor is to hold 20 warps) or Block.
#pragma once

#include "arguments.hpp"

#define MVN_ENTRIES_common(X)                      \
  X(describe, DescribeArguments, Thread, Describe) \
  X(merge_warp, MergeArguments, Warp, Merge)       \
  X(merge_block, MergeArguments, Block, Merge)

#define MVN_ENTRIES_moments_f64(X)                                                      \
  X(moments_f64_d1, MomentsArguments, Warp, MomentsLanes<1, f64, f64, false>)           \
  X(moments_f64_d2, MomentsArguments, Warp, MomentsLanes<2, f64, f64, false>)           \
  X(moments_f64_d3, MomentsArguments, Warp, MomentsLanes<3, f64, f64, false>)           \
  X(moments_f64_d4, MomentsArguments, Warp, MomentsLanes<4, f64, f64, false>)           \
  X(moments_f64_warp, MomentsArguments, Warp, MomentsPanels<f64, f64, false>)           \
  X(moments_f64_block, MomentsArguments, Block, MomentsPanels<f64, f64, false>)         \
  X(moments_f64_weighted_d1, MomentsArguments, Warp, MomentsLanes<1, f64, f64, true>)   \
  X(moments_f64_weighted_d2, MomentsArguments, Warp, MomentsLanes<2, f64, f64, true>)   \
  X(moments_f64_weighted_d3, MomentsArguments, Warp, MomentsLanes<3, f64, f64, true>)   \
  X(moments_f64_weighted_d4, MomentsArguments, Warp, MomentsLanes<4, f64, f64, true>)   \
  X(moments_f64_weighted_warp, MomentsArguments, Warp, MomentsPanels<f64, f64, true>)   \
  X(moments_f64_weighted_block, MomentsArguments, Block, MomentsPanels<f64, f64, true>)

#define MVN_ENTRIES_moments_f32(X)                                                      \
  X(moments_f32_d1, MomentsArguments, Warp, MomentsLanes<1, f64, f32, false>)           \
  X(moments_f32_d2, MomentsArguments, Warp, MomentsLanes<2, f64, f32, false>)           \
  X(moments_f32_d3, MomentsArguments, Warp, MomentsLanes<3, f64, f32, false>)           \
  X(moments_f32_d4, MomentsArguments, Warp, MomentsLanes<4, f64, f32, false>)           \
  X(moments_f32_warp, MomentsArguments, Warp, MomentsPanels<f64, f32, false>)           \
  X(moments_f32_block, MomentsArguments, Block, MomentsPanels<f64, f32, false>)         \
  X(moments_f32_weighted_d1, MomentsArguments, Warp, MomentsLanes<1, f64, f32, true>)   \
  X(moments_f32_weighted_d2, MomentsArguments, Warp, MomentsLanes<2, f64, f32, true>)   \
  X(moments_f32_weighted_d3, MomentsArguments, Warp, MomentsLanes<3, f64, f32, true>)   \
  X(moments_f32_weighted_d4, MomentsArguments, Warp, MomentsLanes<4, f64, f32, true>)   \
  X(moments_f32_weighted_warp, MomentsArguments, Warp, MomentsPanels<f64, f32, true>)   \
  X(moments_f32_weighted_block, MomentsArguments, Block, MomentsPanels<f64, f32, true>)

#define MVN_ENTRIES_moments_single(X)                                                      \
  X(moments_single_d1, MomentsArguments, Warp, MomentsLanes<1, f32, f32, false>)           \
  X(moments_single_d2, MomentsArguments, Warp, MomentsLanes<2, f32, f32, false>)           \
  X(moments_single_d3, MomentsArguments, Warp, MomentsLanes<3, f32, f32, false>)           \
  X(moments_single_d4, MomentsArguments, Warp, MomentsLanes<4, f32, f32, false>)           \
  X(moments_single_warp, MomentsArguments, Warp, MomentsPanels<f32, f32, false>)           \
  X(moments_single_block, MomentsArguments, Block, MomentsPanels<f32, f32, false>)         \
  X(moments_single_weighted_d1, MomentsArguments, Warp, MomentsLanes<1, f32, f32, true>)   \
  X(moments_single_weighted_d2, MomentsArguments, Warp, MomentsLanes<2, f32, f32, true>)   \
  X(moments_single_weighted_d3, MomentsArguments, Warp, MomentsLanes<3, f32, f32, true>)   \
  X(moments_single_weighted_d4, MomentsArguments, Warp, MomentsLanes<4, f32, f32, true>)   \
  X(moments_single_weighted_warp, MomentsArguments, Warp, MomentsPanels<f32, f32, true>)   \
  X(moments_single_weighted_block, MomentsArguments, Block, MomentsPanels<f32, f32, true>)

#define MVN_ENTRIES_moments_ahead_f64(X)                                                        \
  X(moments_ahead_f64_d1, MomentsArguments, Warp8x20, MomentsLanesAhead<1, f64, false>)         \
  X(moments_ahead_f64_d2, MomentsArguments, Warp8x20, MomentsLanesAhead<2, f64, false>)         \
  X(moments_ahead_f64_d3, MomentsArguments, Warp8x20, MomentsLanesAhead<3, f64, false>)         \
  X(moments_ahead_f64_d4, MomentsArguments, Warp8x20, MomentsLanesAhead<4, f64, false>)         \
  X(moments_ahead_f64_s1, MomentsArguments, Warp32x20, MomentsTensor<1, f64, false>)            \
  X(moments_ahead_f64_s2, MomentsArguments, Warp32x20, MomentsTensor<2, f64, false>)            \
  X(moments_ahead_f64_s3, MomentsArguments, Warp32x16, MomentsTensor<3, f64, false>)            \
  X(moments_ahead_f64_s4, MomentsArguments, Warp32x16, MomentsTensor<4, f64, false>)            \
  X(moments_ahead_f64_s6, MomentsArguments, Warp32x8, MomentsTensor<6, f64, false>)             \
  X(moments_ahead_f64_s8, MomentsArguments, Warp32x8, MomentsTensor<8, f64, false>)             \
  X(moments_ahead_f64_weighted_d1, MomentsArguments, Warp8x20, MomentsLanesAhead<1, f64, true>) \
  X(moments_ahead_f64_weighted_d2, MomentsArguments, Warp8x20, MomentsLanesAhead<2, f64, true>) \
  X(moments_ahead_f64_weighted_d3, MomentsArguments, Warp8x16, MomentsLanesAhead<3, f64, true>) \
  X(moments_ahead_f64_weighted_d4, MomentsArguments, Warp8x16, MomentsLanesAhead<4, f64, true>) \
  X(moments_ahead_f64_weighted_s1, MomentsArguments, Warp32x20, MomentsTensor<1, f64, true>)    \
  X(moments_ahead_f64_weighted_s2, MomentsArguments, Warp32x16, MomentsTensor<2, f64, true>)    \
  X(moments_ahead_f64_weighted_s3, MomentsArguments, Warp32x16, MomentsTensor<3, f64, true>)    \
  X(moments_ahead_f64_weighted_s4, MomentsArguments, Warp32x12, MomentsTensor<4, f64, true>)    \
  X(moments_ahead_f64_weighted_s6, MomentsArguments, Warp32x8, MomentsTensor<6, f64, true>)     \
  X(moments_ahead_f64_weighted_s8, MomentsArguments, Warp32x8, MomentsTensor<8, f64, true>)

#define MVN_ENTRIES_moments_ahead_f32(X)                                                        \
  X(moments_ahead_f32_d1, MomentsArguments, Warp8x20, MomentsLanesAhead<1, f32, false>)         \
  X(moments_ahead_f32_d2, MomentsArguments, Warp8x20, MomentsLanesAhead<2, f32, false>)         \
  X(moments_ahead_f32_d3, MomentsArguments, Warp8x20, MomentsLanesAhead<3, f32, false>)         \
  X(moments_ahead_f32_d4, MomentsArguments, Warp8x20, MomentsLanesAhead<4, f32, false>)         \
  X(moments_ahead_f32_s1, MomentsArguments, Warp32x20, MomentsTensor<1, f32, false>)            \
  X(moments_ahead_f32_s2, MomentsArguments, Warp32x20, MomentsTensor<2, f32, false>)            \
  X(moments_ahead_f32_s3, MomentsArguments, Warp32x16, MomentsTensor<3, f32, false>)            \
  X(moments_ahead_f32_s4, MomentsArguments, Warp32x16, MomentsTensor<4, f32, false>)            \
  X(moments_ahead_f32_s6, MomentsArguments, Warp32x8, MomentsTensor<6, f32, false>)             \
  X(moments_ahead_f32_s8, MomentsArguments, Warp32x8, MomentsTensor<8, f32, false>)             \
  X(moments_ahead_f32_weighted_d1, MomentsArguments, Warp8x20, MomentsLanesAhead<1, f32, true>) \
  X(moments_ahead_f32_weighted_d2, MomentsArguments, Warp8x20, MomentsLanesAhead<2, f32, true>) \
  X(moments_ahead_f32_weighted_d3, MomentsArguments, Warp8x16, MomentsLanesAhead<3, f32, true>) \
  X(moments_ahead_f32_weighted_d4, MomentsArguments, Warp8x16, MomentsLanesAhead<4, f32, true>) \
  X(moments_ahead_f32_weighted_s1, MomentsArguments, Warp32x20, MomentsTensor<1, f32, true>)    \
  X(moments_ahead_f32_weighted_s2, MomentsArguments, Warp32x16, MomentsTensor<2, f32, true>)    \
  X(moments_ahead_f32_weighted_s3, MomentsArguments, Warp32x16, MomentsTensor<3, f32, true>)    \
  X(moments_ahead_f32_weighted_s4, MomentsArguments, Warp32x12, MomentsTensor<4, f32, true>)    \
  X(moments_ahead_f32_weighted_s6, MomentsArguments, Warp32x8, MomentsTensor<6, f32, true>)     \
  X(moments_ahead_f32_weighted_s8, MomentsArguments, Warp32x8, MomentsTensor<8, f32, true>)

#define MVN_ENTRIES_closed_form_narrow(X)                                \
  X(fit_f64_closed_form_d1, FitArguments, Warp32x16, ClosedFormLanes<1>) \
  X(fit_f64_closed_form_d2, FitArguments, Warp32x16, ClosedFormLanes<2>) \
  X(fit_f64_closed_form_d3, FitArguments, Warp32x16, ClosedFormLanes<3>) \
  X(fit_f64_closed_form_d4, FitArguments, Warp32x12, ClosedFormLanes<4>) \
  X(fit_f64_closed_form_8, FitArguments, Warp8x12, ClosedForm<8>)        \
  X(fit_f64_closed_form_12, FitArguments, Warp16x12, ClosedForm<12>)     \
  X(fit_f64_closed_form_16, FitArguments, Warp16x12, ClosedForm<16>)

#define MVN_ENTRIES_closed_form_warp(X)                              \
  X(fit_f64_closed_form_24, FitArguments, Warp32x12, ClosedForm<24>) \
  X(fit_f64_closed_form_32, FitArguments, Warp32x12, ClosedForm<32>)

#define MVN_ENTRIES_closed_form_48(X) X(fit_f64_closed_form_48, FitArguments, Block, ClosedForm<48>)
#define MVN_ENTRIES_closed_form_64(X) X(fit_f64_closed_form_64, FitArguments, Block, ClosedForm<64>)

#define MVN_ENTRIES_closed_form_any(X)                                       \
  X(fit_f64_closed_form_any, FitArguments, Block, Fit<f64, Iterative::none>)

#define MVN_ENTRIES_newton_f64(X)                                           \
  X(fit_f64_newton_warp, FitArguments, Warp, Fit<f64, Iterative::newton>)   \
  X(fit_f64_newton_block, FitArguments, Block, Fit<f64, Iterative::newton>)

#define MVN_ENTRIES_newton_f32(X)                                           \
  X(fit_f32_newton_warp, FitArguments, Warp, Fit<f32, Iterative::newton>)   \
  X(fit_f32_newton_block, FitArguments, Block, Fit<f32, Iterative::newton>)

#define MVN_ENTRIES_gradient_f64(X)                                             \
  X(fit_f64_gradient_warp, FitArguments, Warp, Fit<f64, Iterative::gradient>)   \
  X(fit_f64_gradient_block, FitArguments, Block, Fit<f64, Iterative::gradient>)

#define MVN_ENTRIES_gradient_f32(X)                                             \
  X(fit_f32_gradient_warp, FitArguments, Warp, Fit<f32, Iterative::gradient>)   \
  X(fit_f32_gradient_block, FitArguments, Block, Fit<f32, Iterative::gradient>)

#define MVN_ENTRIES_evaluate_f64(X)                              \
  X(evaluate_f64_warp, EvaluateArguments, Warp, Evaluate<f64>)   \
  X(evaluate_f64_block, EvaluateArguments, Block, Evaluate<f64>)

#define MVN_ENTRIES_evaluate_f32(X)                              \
  X(evaluate_f32_warp, EvaluateArguments, Warp, Evaluate<f32>)   \
  X(evaluate_f32_block, EvaluateArguments, Block, Evaluate<f32>)

#define MVN_ENTRIES_MOMENTS(X) \
  MVN_ENTRIES_common(X) MVN_ENTRIES_moments_f64(X) MVN_ENTRIES_moments_f32(X) MVN_ENTRIES_moments_single(X) \
  MVN_ENTRIES_moments_ahead_f64(X) MVN_ENTRIES_moments_ahead_f32(X)
#define MVN_ENTRIES_FITS(X)                                         \
  MVN_ENTRIES_closed_form_narrow(X) MVN_ENTRIES_closed_form_warp(X) \
  MVN_ENTRIES_closed_form_48(X) MVN_ENTRIES_closed_form_64(X)       \
  MVN_ENTRIES_closed_form_any(X)                                    \
  MVN_ENTRIES_newton_f64(X) MVN_ENTRIES_newton_f32(X)               \
  MVN_ENTRIES_gradient_f64(X) MVN_ENTRIES_gradient_f32(X)
#define MVN_ENTRIES_EVALUATE(X) MVN_ENTRIES_evaluate_f64(X) MVN_ENTRIES_evaluate_f32(X)

#define MVN_ENTRIES(X) MVN_ENTRIES_MOMENTS(X) MVN_ENTRIES_FITS(X) MVN_ENTRIES_EVALUATE(X)
