// arguments.hpp: what each kernel is launched with: one structure, by value.
//
// Every field is 8 bytes wide (a device address, i64 or f64) and stands on a line of its own: scripts/build-cuda.mjs
// reads the names and kinds from here, and the host lays its arguments out by them. Addresses may be 0 where that is
// said. Matrices are row-major; statistics and results are float64. Codes are those of kernels/README.md.
//
// Kernels that work through a list have persistent teams: team t of T takes entries t, t + T, t + 2T, …, so that any
// grid serves any list. What a launch needs (threads, bytes) comes from `describe` and is handed back in the last four
// fields, the same in all of them:
//
//     width          lanes of a team, a power of two: a block of n threads holds n / width teams
//     sharedBytes    shared memory of a team; 0: its scratch is in global memory
//     scratch        global scratch, [teams of the grid, scratchBytes]; 0 where sharedBytes is not
//     scratchBytes   a multiple of 16; 0 where sharedBytes is not
#pragma once

#include "mvn/real.hpp"

namespace mvn {

// What to launch. `out` gets 8 numbers:
//     entry (its place in the list of entries), width, threads a block, sharedBytes, scratchBytes,
//     chunk rows (kernels/README.md), part rows (the longest item of `moments`), merge parts (the most of one `merge`)
struct DescribeArguments {
  i64* out;
  i64 operation;     // 0 moments, 1 merge, 2 fit, 3 evaluate
  i64 type;          // moments: the row type; fit, evaluate: the precision
  i64 variant;       // moments: 1 with weights; fit: the method; else 0
  i64 dims;
  i64 sharedLimit;   // bytes of shared memory that a block may ask for
  i64 matrixUnits;   // 1: the device multiplies float64 matrices at its full speed; 0: it does not
};

// Statistics of `items` items. An item is a group, or one of the parts of a group of more than `part rows` rows: part p
// has rows p·(part rows) … of it, so that a result depends on the group alone. Parts go to slots from `firstPart` on,
// which keep what their means lose by rounding, so that means of 1e8 merge without loss.
struct MomentsArguments {
  const void* rows;       // [*, dims] float64 or float32, aligned to 16 bytes
  const f64* weights;     // one a row; 0 for the entries without weights
  const i64* first;       // [items]: first row of the item in `rows`
  const i64* length;      // [items]: its number of rows, 0 allowed
  const i64* target;      // [items]: slot of its results
  i64 items;
  i64 dims;
  f64* count;             // [slots]
  f64* weight;            // [slots]
  f64* mean;              // [slots, dims]
  f64* scatter;           // [slots, dims, dims]
  f64* meanRest;          // [slots − firstPart, dims]; may be 0 where there are no parts
  i64 firstPart;          // the first slot of a part
  i64 width;
  i64 sharedBytes;
  void* scratch;
  i64 scratchBytes;
};

// Merges consecutive slots in their order, in the first of them, and copies that to the target. More parts than `merge
// parts` are merged level by level, below the last to slots of parts. Within one launch a target must not be a slot of
// another merge; it may be the first of its own.
struct MergeArguments {
  const i64* first;       // [merges]: first slot
  const i64* parts;       // [merges]: number of slots, at least 1
  const i64* target;      // [merges]: slot of the result
  i64 merges;
  i64 dims;
  f64* count;             // [slots]
  f64* weight;            // [slots]
  f64* mean;              // [slots, dims]
  f64* scatter;           // [slots, dims, dims]
  f64* meanRest;          // [slots − firstPart, dims]; may be 0 where there are no parts
  i64 firstPart;          // the first slot of a part
  i64 width;
  i64 sharedBytes;
  void* scratch;
  i64 scratchBytes;
};

struct FitArguments {
  const f64* count;       // [groups]
  const f64* weight;      // [groups]
  const f64* mean;        // [groups, dims]
  const f64* scatter;     // [groups, dims, dims]
  i64 groups;
  i64 dims;
  i64 method;
  i64 start;
  const f64* startMean;   // [groups, dims], read where start = 2
  const f64* startFactor; // [groups, dims, dims], read where start = 2
  f64 ddof;
  f64 tolerance;
  i64 maxIterations;
  f64 epsilon;            // rounding unit of the rows as stored
  const i32* stop;        // non-zero there ends the call early; polled now and then; may be 0
  f64* outMean;           // [groups, dims]
  f64* outCovariance;     // [groups, dims, dims]
  f64* outFactor;         // [groups, dims, dims]
  f64* outLogLikelihood;  // [groups]
  f64* outResidual;       // [groups]
  f64* outGap;            // [groups]
  i32* outIterations;     // [groups]
  u8* outStatus;          // [groups]
  i64 width;
  i64 sharedBytes;
  void* scratch;
  i64 scratchBytes;
};

struct EvaluateArguments {
  const f64* count;       // [groups]
  const f64* weight;      // [groups]
  const f64* mean;        // [groups, dims]
  const f64* scatter;     // [groups, dims, dims]
  i64 groups;
  i64 dims;
  const f64* atMean;      // [groups, dims]
  const f64* atFactor;    // [groups, dims, dims]
  f64* j1;                // [groups]
  f64* j2;                // [groups]
  f64* objective;         // [groups]
  f64* dj1dFactor;        // [groups, dims, dims]
  f64* dj2dMean;          // [groups, dims]
  f64* dj2dFactor;        // [groups, dims, dims]
  u8* status;             // [groups]
  i64 width;
  i64 sharedBytes;
  void* scratch;
  i64 scratchBytes;
};

}  // namespace mvn
