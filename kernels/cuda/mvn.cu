// mvn.cu: the entries of one module as kernels of the device. MVN_MODULE names it (scripts/build-cuda.mjs).
#include "describe.hpp"
#include "team.hpp"

namespace mvn {

extern __shared__ __align__(16) char sharedBlock[];

struct Thread : Warp {
  MVN_FN explicit Thread(int) : Warp(1) {}
};

// Where so many warps are to fit on a multiprocessor, and the compiler would take more registers than leave room for them.
using Warp12 = Warp;
using Warp16 = Warp;
using Warp20 = Warp;

template <class Operation, class Team, class Arguments> MVN_FN void launch(const Arguments& a) {
  const i64 perBlock = blockDim.x / a.width, inBlock = threadIdx.x / a.width;
  const i64 index = blockIdx.x * perBlock + inBlock;
  char* block = sharedBlock + inBlock * a.sharedBytes;
  if constexpr (!requires { Operation::inSharedMemory; }) {
    if (a.sharedBytes == 0) block = static_cast<char*>(a.scratch) + index * a.scratchBytes;
  }
  playList<Operation>(Team(int(a.width)), index, gridDim.x * perBlock, a, block);
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
#define MVN_THREADS_Warp12 128
#define MVN_BLOCKS_Warp12 3
#define MVN_THREADS_Warp16 128
#define MVN_BLOCKS_Warp16 4
#define MVN_THREADS_Warp20 128
#define MVN_BLOCKS_Warp20 5
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
