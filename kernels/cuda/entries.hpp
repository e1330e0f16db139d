// entries.hpp: the list of kernels. One line each: name, module (the PTX file), arguments, team, operation.
//
// The shells define every entry from this list (mvn.cu for a device, native/emulate.hpp on a CPU), `describe` answers
// with places in it, and scripts/build-cuda.mjs turns it into entries.json. An operation is a type with
//
//     static i64 size(const Arguments&)                                  how many entries its list has
//     template <class Team> static void play(const Team&, const Arguments&, i64 index, char* block)
//
// Team: Thread (one lane), Warp (1 … 32 lanes, a power of two, of one warp) or Block.
#pragma once

#include "arguments.hpp"

#define MVN_ENTRIES(X)                                                                            \
  X(describe, moments, DescribeArguments, Thread, Describe)                                       \
  X(moments_f64_d1, moments, MomentsArguments, Warp, MomentsLanes<1, f64, f64, false>)            \
  X(moments_f64_d2, moments, MomentsArguments, Warp, MomentsLanes<2, f64, f64, false>)            \
  X(moments_f64_d3, moments, MomentsArguments, Warp, MomentsLanes<3, f64, f64, false>)            \
  X(moments_f64_d4, moments, MomentsArguments, Warp, MomentsLanes<4, f64, f64, false>)            \
  X(moments_f64_warp, moments, MomentsArguments, Warp, MomentsPanels<f64, f64, false>)            \
  X(moments_f64_block, moments, MomentsArguments, Block, MomentsPanels<f64, f64, false>)          \
  X(moments_f64_weighted_d1, moments, MomentsArguments, Warp, MomentsLanes<1, f64, f64, true>)    \
  X(moments_f64_weighted_d2, moments, MomentsArguments, Warp, MomentsLanes<2, f64, f64, true>)    \
  X(moments_f64_weighted_d3, moments, MomentsArguments, Warp, MomentsLanes<3, f64, f64, true>)    \
  X(moments_f64_weighted_d4, moments, MomentsArguments, Warp, MomentsLanes<4, f64, f64, true>)    \
  X(moments_f64_weighted_warp, moments, MomentsArguments, Warp, MomentsPanels<f64, f64, true>)    \
  X(moments_f64_weighted_block, moments, MomentsArguments, Block, MomentsPanels<f64, f64, true>)  \
  X(moments_f32_d1, moments, MomentsArguments, Warp, MomentsLanes<1, f64, f32, false>)            \
  X(moments_f32_d2, moments, MomentsArguments, Warp, MomentsLanes<2, f64, f32, false>)            \
  X(moments_f32_d3, moments, MomentsArguments, Warp, MomentsLanes<3, f64, f32, false>)            \
  X(moments_f32_d4, moments, MomentsArguments, Warp, MomentsLanes<4, f64, f32, false>)            \
  X(moments_f32_warp, moments, MomentsArguments, Warp, MomentsPanels<f64, f32, false>)            \
  X(moments_f32_block, moments, MomentsArguments, Block, MomentsPanels<f64, f32, false>)          \
  X(moments_f32_weighted_d1, moments, MomentsArguments, Warp, MomentsLanes<1, f64, f32, true>)    \
  X(moments_f32_weighted_d2, moments, MomentsArguments, Warp, MomentsLanes<2, f64, f32, true>)    \
  X(moments_f32_weighted_d3, moments, MomentsArguments, Warp, MomentsLanes<3, f64, f32, true>)    \
  X(moments_f32_weighted_d4, moments, MomentsArguments, Warp, MomentsLanes<4, f64, f32, true>)    \
  X(moments_f32_weighted_warp, moments, MomentsArguments, Warp, MomentsPanels<f64, f32, true>)    \
  X(moments_f32_weighted_block, moments, MomentsArguments, Block, MomentsPanels<f64, f32, true>)  \
  X(moments_single_d1, moments, MomentsArguments, Warp, MomentsLanes<1, f32, f32, false>)         \
  X(moments_single_d2, moments, MomentsArguments, Warp, MomentsLanes<2, f32, f32, false>)         \
  X(moments_single_d3, moments, MomentsArguments, Warp, MomentsLanes<3, f32, f32, false>)         \
  X(moments_single_d4, moments, MomentsArguments, Warp, MomentsLanes<4, f32, f32, false>)         \
  X(moments_single_warp, moments, MomentsArguments, Warp, MomentsPanels<f32, f32, false>)         \
  X(moments_single_block, moments, MomentsArguments, Block, MomentsPanels<f32, f32, false>)       \
  X(moments_single_weighted_d1, moments, MomentsArguments, Warp, MomentsLanes<1, f32, f32, true>) \
  X(moments_single_weighted_d2, moments, MomentsArguments, Warp, MomentsLanes<2, f32, f32, true>) \
  X(moments_single_weighted_d3, moments, MomentsArguments, Warp, MomentsLanes<3, f32, f32, true>) \
  X(moments_single_weighted_d4, moments, MomentsArguments, Warp, MomentsLanes<4, f32, f32, true>) \
  X(moments_single_weighted_warp, moments, MomentsArguments, Warp, MomentsPanels<f32, f32, true>) \
  X(moments_single_weighted_block, moments, MomentsArguments, Block, MomentsPanels<f32, f32, true>) \
  X(merge_warp, moments, MergeArguments, Warp, Merge)                                             \
  X(merge_block, moments, MergeArguments, Block, Merge)                                           \
  X(fit_f64_closed_form_warp, direct, FitArguments, Warp, Fit<f64, Method::closedForm>)           \
  X(fit_f64_closed_form_block, direct, FitArguments, Block, Fit<f64, Method::closedForm>)         \
  X(fit_f32_closed_form_warp, direct, FitArguments, Warp, Fit<f32, Method::closedForm>)           \
  X(fit_f32_closed_form_block, direct, FitArguments, Block, Fit<f32, Method::closedForm>)         \
  X(fit_f64_newton_warp, direct, FitArguments, Warp, Fit<f64, Method::newton>)                    \
  X(fit_f64_newton_block, direct, FitArguments, Block, Fit<f64, Method::newton>)                  \
  X(fit_f32_newton_warp, direct, FitArguments, Warp, Fit<f32, Method::newton>)                    \
  X(fit_f32_newton_block, direct, FitArguments, Block, Fit<f32, Method::newton>)                  \
  X(evaluate_f64_warp, direct, EvaluateArguments, Warp, Evaluate<f64>)                            \
  X(evaluate_f64_block, direct, EvaluateArguments, Block, Evaluate<f64>)                          \
  X(evaluate_f32_warp, direct, EvaluateArguments, Warp, Evaluate<f32>)                            \
  X(evaluate_f32_block, direct, EvaluateArguments, Block, Evaluate<f32>)                          \
  X(fit_f64_gradient_warp, gradient, FitArguments, Warp, Fit<f64, Method::lbfgs>)                 \
  X(fit_f64_gradient_block, gradient, FitArguments, Block, Fit<f64, Method::lbfgs>)               \
  X(fit_f32_gradient_warp, gradient, FitArguments, Warp, Fit<f32, Method::lbfgs>)                 \
  X(fit_f32_gradient_block, gradient, FitArguments, Block, Fit<f32, Method::lbfgs>)
