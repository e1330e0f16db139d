// mvn.cu: the entries of one module as kernels of the device. MVN_MODULE names it, and scripts/build-cuda.mjs cuts the PTX into kernels.
#include "describe.hpp"
#include "team.hpp"

namespace mvn {

extern __shared__ __align__(16) char sharedBlock[];

struct Thread : Warp {
  MVN_FN explicit Thread(int) : Warp(1) {}
};

// Warp8x20: teams of 8 lanes, of which a multiprocessor is to hold 20 warps, where the compiler would take more registers than leave
// room for them.
using Warp8x20 = FixedWarp<8>;
using Warp8x16 = FixedWarp<8>;
using Warp8x12 = FixedWarp<8>;
using Warp16x12 = FixedWarp<16>;
using Warp32x20 = FixedWarp<32>;
using Warp32x16 = FixedWarp<32>;
using Warp32x12 = FixedWarp<32>;
using Warp32x8 = FixedWarp<32>;

template <class Operation, class Team, class Arguments> MVN_FN void launch(const Arguments& a) {
  const Team team{int(a.width)};
  const i64 perBlock = blockDim.x / team.width, inBlock = threadIdx.x / team.width;
  const i64 index = blockIdx.x * perBlock + inBlock;
  char* block = sharedBlock + inBlock * a.sharedBytes;
  if constexpr (!requires { requires Operation::inSharedMemory; }) {
    if (a.sharedBytes == 0) block = static_cast<char*>(a.scratch) + index * a.scratchBytes;
  }
  playList<Operation>(team, index, gridDim.x * perBlock, a, block);
}
template <class Operation, class Team> MVN_FN void launch(const DescribeArguments& a) {
  playList<Operation>(Team(1), 0, 1, a, nullptr);
}

}  // namespace mvn

// The threads that a block may have: Block entries are launched with up to 256, the others with 128 (describe.hpp).
// Only so many blocks need fit on a multiprocessor at once: for more of them the compiler would spill registers.
#define MVN_THREADS_Thread 32
#define MVN_BLOCKS_Thread 1
#define MVN_THREADS_Warp 128
#define MVN_BLOCKS_Warp 2
#define MVN_THREADS_Warp8x20 128
#define MVN_BLOCKS_Warp8x20 5
#define MVN_THREADS_Warp8x16 128
#define MVN_BLOCKS_Warp8x16 4
#define MVN_THREADS_Warp8x12 128
#define MVN_BLOCKS_Warp8x12 3
#define MVN_THREADS_Warp16x12 128
#define MVN_BLOCKS_Warp16x12 3
#define MVN_THREADS_Warp32x20 128
#define MVN_BLOCKS_Warp32x20 5
#define MVN_THREADS_Warp32x16 128
#define MVN_BLOCKS_Warp32x16 4
#define MVN_THREADS_Warp32x12 128
#define MVN_BLOCKS_Warp32x12 3
#define MVN_THREADS_Warp32x8 128
#define MVN_BLOCKS_Warp32x8 2
#define MVN_THREADS_Block 256
#define MVN_BLOCKS_Block 1

#define MVN_KERNEL(name, Arguments, Team, ...)                                           \
  extern "C" __global__ void __launch_bounds__(MVN_THREADS_##Team, MVN_BLOCKS_##Team)    \
  name(const mvn::Arguments a) {                                                         \
    using namespace mvn;                                                                 \
    launch<__VA_ARGS__, Team>(a);                                                        \
  }

#define MVN_LIST_OF(module) MVN_ENTRIES_##module
#define MVN_LIST(module) MVN_LIST_OF(module)

MVN_LIST(MVN_MODULE)(MVN_KERNEL)
