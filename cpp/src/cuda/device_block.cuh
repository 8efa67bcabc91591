// One thread of a block of a kernel, on the device: the counterpart of HostBlock with the same members. What HostBlock
// does for all threads, this does for the thread that runs.
#pragma once

#include <cstdint>
#include <type_traits>

#include "cuda/multiply_kinds.h"
#include "cuda/tile_shape.h"

namespace twotower::cuda {

extern __shared__ __align__(1024) unsigned char shared_memory[];

template <int kThreads>
class DeviceBlock {
 public:
  template <class T>
  class PerThread {
   public:
    __device__ __forceinline__ T& operator[](int) { return value_; }

   private:
    T value_;
  };

  __device__ __forceinline__ std::uint32_t x() const { return blockIdx.x; }
  __device__ __forceinline__ std::uint32_t n_blocks() const { return gridDim.x; }
  __device__ __forceinline__ unsigned char* shared() { return shared_memory; }

  template <class Body>
  __device__ __forceinline__ void each(Body&& body) {
    body(static_cast<int>(threadIdx.x));
  }
  template <class Body>
  __device__ __forceinline__ void phase(Body&& body) {
    each(body);
    __syncthreads();
  }
  template <class Body>
  __device__ __forceinline__ void warps(Body&& body) {
    body(static_cast<int>(threadIdx.x / 32));
  }
  template <class Body>
  __device__ __forceinline__ void groups(Body&& body) {
    body(static_cast<int>(threadIdx.x / 128));
  }

  __device__ __forceinline__ std::uint32_t add(std::uint32_t* counter, std::uint32_t value) {
    return atomicAdd(counter, value);
  }
  __device__ __forceinline__ void least(std::uint32_t* value, std::uint32_t other) { atomicMin(value, other); }
  template <class T>
  __device__ __forceinline__ T uniform(PerThread<T>& values) {
    return values[0];
  }
  __device__ __forceinline__ float fused(float a, float b, float c) { return __fmaf_rn(a, b, c); }

  // ---------------------------------------------------------------- copies

  /// 16 bytes of global memory, or zeros, past the registers.
  __device__ __forceinline__ void copy16(void* to, const void* from, bool present) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from),
                 "r"(present ? 16 : 0)
                 : "memory");
  }
  __device__ __forceinline__ void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

  template <int kLeft, bool kAsyncReaders>
  __device__ __forceinline__ void await_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(kLeft) : "memory");
    // wgmma reads through another proxy, to which what this thread wrote has to be shown.
    if constexpr (kAsyncReaders) asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    __syncthreads();
  }

  // ---------------------------------------------------------------- matrix instructions

  template <int kMatrices, class Address, class Out>
  __device__ __forceinline__ void load_matrices(int, Address&& address, Out&& out) {
    const int t = static_cast<int>(threadIdx.x);
    std::uint32_t* words = out(t);
    const std::uint32_t from = shared_address(address(t));
    if constexpr (kMatrices == 4) {
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                   : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                   : "r"(from)
                   : "memory");
    } else {
      static_assert(kMatrices == 2);
      asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                   : "=r"(words[0]), "=r"(words[1])
                   : "r"(from)
                   : "memory");
    }
  }

  template <class Kind, class A, class B, class C>
  __device__ __forceinline__ void multiply(Kind kind, int, A&& a, B&& b, C&& sums) {
    const int t = static_cast<int>(threadIdx.x);
    product(kind, a(t), b(t), sums(t));
  }

  template <int kN, class Kind, class C>
  __device__ __forceinline__ void group_multiply(Kind kind, int, const unsigned char* a, const unsigned char* b,
                                                 C&& sums) {
    group_product(kind, std::integral_constant<int, kN>{}, sums(static_cast<int>(threadIdx.x)),
                  matrix_descriptor(shared_address(a)), matrix_descriptor(shared_address(b)));
  }
  /// The registers of these sums are as written here, for what reads or writes them beside the program.
  template <int kParts>
  __device__ __forceinline__ void pin(float (*sums)[4]) {
#pragma unroll
    for (int i = 0; i < kParts; ++i) {
#pragma unroll
      for (int e = 0; e < 4; ++e) asm volatile("" : "+f"(sums[i][e])::"memory");
    }
  }
  __device__ __forceinline__ void group_begin() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
  __device__ __forceinline__ void group_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
  template <int kLeft>
  __device__ __forceinline__ void group_await() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kLeft) : "memory");
  }

 private:
  static __device__ __forceinline__ std::uint32_t shared_address(const void* pointer) {
    return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
  }

  static __device__ __forceinline__ void product(Bfloat16Products, const std::uint32_t* a, const std::uint32_t* b,
                                                 float* sums) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
  static __device__ __forceinline__ void product(Float16Products, const std::uint32_t* a, const std::uint32_t* b,
                                                 float* sums) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
  static __device__ __forceinline__ void product(Int8Products, const std::uint32_t* a, const std::uint32_t* b,
                                                 std::int32_t* sums) {
    asm volatile(
        "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+r"(sums[0]), "+r"(sums[1]), "+r"(sums[2]), "+r"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
};

}  // namespace twotower::cuda
