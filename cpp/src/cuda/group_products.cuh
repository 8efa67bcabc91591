// The instructions of compute capability 9.0 that four warps give together (PTX ISA, "wgmma.mma_async"). Only files
// that are compiled for sm_90a alone include it.
#pragma once

#include <cstdint>

#include "cuda/multiply_kinds.h"

namespace twotower::cuda {

// clang-format off
#define TWOTOWER_SUMS(part) "+f"(sums[part][0]), "+f"(sums[part][1]), "+f"(sums[part][2]), "+f"(sums[part][3])

/// sums += a b of 64 documents and 256 queries, 32 bytes of each; a and b are matrix descriptors.
__device__ __forceinline__ void group_product(Bfloat16Products, float (*sums)[4], std::uint64_t a, std::uint64_t b) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}, "
      "%128, %129, 1, 1, 1, 0, 0;"
      : TWOTOWER_SUMS(0), TWOTOWER_SUMS(1), TWOTOWER_SUMS(2), TWOTOWER_SUMS(3),
        TWOTOWER_SUMS(4), TWOTOWER_SUMS(5), TWOTOWER_SUMS(6), TWOTOWER_SUMS(7),
        TWOTOWER_SUMS(8), TWOTOWER_SUMS(9), TWOTOWER_SUMS(10), TWOTOWER_SUMS(11),
        TWOTOWER_SUMS(12), TWOTOWER_SUMS(13), TWOTOWER_SUMS(14), TWOTOWER_SUMS(15),
        TWOTOWER_SUMS(16), TWOTOWER_SUMS(17), TWOTOWER_SUMS(18), TWOTOWER_SUMS(19),
        TWOTOWER_SUMS(20), TWOTOWER_SUMS(21), TWOTOWER_SUMS(22), TWOTOWER_SUMS(23),
        TWOTOWER_SUMS(24), TWOTOWER_SUMS(25), TWOTOWER_SUMS(26), TWOTOWER_SUMS(27),
        TWOTOWER_SUMS(28), TWOTOWER_SUMS(29), TWOTOWER_SUMS(30), TWOTOWER_SUMS(31)
      : "l"(a), "l"(b));
}

__device__ __forceinline__ void group_product(Float16Products, float (*sums)[4], std::uint64_t a, std::uint64_t b) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}, "
      "%128, %129, 1, 1, 1, 0, 0;"
      : TWOTOWER_SUMS(0), TWOTOWER_SUMS(1), TWOTOWER_SUMS(2), TWOTOWER_SUMS(3),
        TWOTOWER_SUMS(4), TWOTOWER_SUMS(5), TWOTOWER_SUMS(6), TWOTOWER_SUMS(7),
        TWOTOWER_SUMS(8), TWOTOWER_SUMS(9), TWOTOWER_SUMS(10), TWOTOWER_SUMS(11),
        TWOTOWER_SUMS(12), TWOTOWER_SUMS(13), TWOTOWER_SUMS(14), TWOTOWER_SUMS(15),
        TWOTOWER_SUMS(16), TWOTOWER_SUMS(17), TWOTOWER_SUMS(18), TWOTOWER_SUMS(19),
        TWOTOWER_SUMS(20), TWOTOWER_SUMS(21), TWOTOWER_SUMS(22), TWOTOWER_SUMS(23),
        TWOTOWER_SUMS(24), TWOTOWER_SUMS(25), TWOTOWER_SUMS(26), TWOTOWER_SUMS(27),
        TWOTOWER_SUMS(28), TWOTOWER_SUMS(29), TWOTOWER_SUMS(30), TWOTOWER_SUMS(31)
      : "l"(a), "l"(b));
}
#undef TWOTOWER_SUMS
// clang-format on

}  // namespace twotower::cuda
