// The instructions of compute capability 9.0 that four warps give together (PTX ISA, "wgmma.mma_async"). Only files
// that are compiled for sm_90a alone include it.
#pragma once

#include <cstdint>
#include <type_traits>

#include "cuda/multiply_kinds.h"

namespace twotower::cuda {

// clang-format off
#define TWOTOWER_SUMS(part) "+f"(sums[part][0]), "+f"(sums[part][1]), "+f"(sums[part][2]), "+f"(sums[part][3])
#define TWOTOWER_SUMS_8(part) \
  TWOTOWER_SUMS(part), TWOTOWER_SUMS(part + 1), TWOTOWER_SUMS(part + 2), TWOTOWER_SUMS(part + 3), \
  TWOTOWER_SUMS(part + 4), TWOTOWER_SUMS(part + 5), TWOTOWER_SUMS(part + 6), TWOTOWER_SUMS(part + 7)
#define TWOTOWER_REGISTERS_0 \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define TWOTOWER_REGISTERS_1 \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define TWOTOWER_REGISTERS_2 \
  "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, " \
  "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
#define TWOTOWER_REGISTERS_3 \
  "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, " \
  "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"

/// sums += a b of 64 documents and `n` queries, 32 bytes of each; a and b are matrix descriptors. The numbers behind them:
/// the sums are added to, no sign is changed, both matrices are stored by rows of K.
#define TWOTOWER_GROUP_PRODUCT(Kind, type, n, registers, operands, ...) \
  __device__ __forceinline__ void group_product(Kind, std::integral_constant<int, n>, float (*sums)[4], \
                                                std::uint64_t a, std::uint64_t b) { \
    asm volatile("wgmma.mma_async.sync.aligned.m64n" #n "k16.f32." type "." type " {" registers "}, " \
                 operands ", 1, 1, 1, 0, 0;" : __VA_ARGS__ : "l"(a), "l"(b)); \
  }
#define TWOTOWER_GROUP_PRODUCTS(Kind, type) \
  TWOTOWER_GROUP_PRODUCT(Kind, type, 64, TWOTOWER_REGISTERS_0, "%32, %33", TWOTOWER_SUMS_8(0)) \
  TWOTOWER_GROUP_PRODUCT(Kind, type, 128, TWOTOWER_REGISTERS_0 ", " TWOTOWER_REGISTERS_1, "%64, %65", \
                         TWOTOWER_SUMS_8(0), TWOTOWER_SUMS_8(8)) \
  TWOTOWER_GROUP_PRODUCT(Kind, type, 256, TWOTOWER_REGISTERS_0 ", " TWOTOWER_REGISTERS_1 ", " TWOTOWER_REGISTERS_2 \
                         ", " TWOTOWER_REGISTERS_3, "%128, %129", TWOTOWER_SUMS_8(0), TWOTOWER_SUMS_8(8), \
                         TWOTOWER_SUMS_8(16), TWOTOWER_SUMS_8(24))

TWOTOWER_GROUP_PRODUCTS(Bfloat16Products, "bf16")
TWOTOWER_GROUP_PRODUCTS(Float16Products, "f16")

#undef TWOTOWER_GROUP_PRODUCTS
#undef TWOTOWER_GROUP_PRODUCT
#undef TWOTOWER_REGISTERS_0
#undef TWOTOWER_REGISTERS_1
#undef TWOTOWER_REGISTERS_2
#undef TWOTOWER_REGISTERS_3
#undef TWOTOWER_SUMS_8
#undef TWOTOWER_SUMS
// clang-format on

}  // namespace twotower::cuda
