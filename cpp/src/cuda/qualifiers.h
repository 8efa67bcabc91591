// Which functions also exist on a device. The one place that knows whether nvcc reads the file: the same kernels are
// compiled by the host compiler, where emulation/host_block.h runs them.
#pragma once

#ifdef __CUDACC__
#define TWOTOWER_BOTH __host__ __device__ __forceinline__
#define TWOTOWER_DEVICE __device__ __forceinline__
#define TWOTOWER_DEVICE_CALLED __device__ __noinline__  // rare: one copy keeps kernels small
#define TWOTOWER_UNROLL _Pragma("unroll")
#define TWOTOWER_UNROLL_BY_4 _Pragma("unroll 4")
#else
#define TWOTOWER_BOTH inline
#define TWOTOWER_DEVICE inline
#define TWOTOWER_DEVICE_CALLED inline
#define TWOTOWER_UNROLL
#define TWOTOWER_UNROLL_BY_4
#endif
