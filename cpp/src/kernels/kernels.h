// The hot functions that each instruction set brings, by topic. Knows no container, no thread and no library.
#pragma once

#include "kernels/bag.h"
#include "kernels/checksum.h"
#include "kernels/codes.h"
#include "kernels/dense.h"
#include "kernels/lexical.h"
#include "kernels/text.h"

namespace twotower::kernels {

/// One instruction set. Every function is pure, thread-safe and noexcept, takes pointers of any alignment and sizes
/// from 0 up, and agrees with kScalar: bit for bit but for the masks of ScanKernels, which hold at least every row
/// whose score is above the threshold (docs/math.md, section 1).
struct Kernels {
  const char* name;
  const ChecksumKernels& checksum;
  const BagKernels& bag;
  const CodesKernels& codes;
  DenseKernels dense;
  const LexicalKernels& lexical;
  const TextKernels& text;
};

inline constexpr Kernels kScalar{
    "scalar",
    scalar::kChecksum,
    scalar::kBag,
    scalar::kCodes,
    {scalar::kDenseExact, scalar::kScanFloat32, scalar::kScanBfloat16, scalar::kScanFloat16, scalar::kScanInt8},
    scalar::kLexical,
    scalar::kText};
inline constexpr Kernels kAvx2{
    "avx2",
    avx2::kChecksum,
    avx2::kBag,
    avx2::kCodes,
    {avx2::kDenseExact, avx2::kScanFloat32, avx2::kScanBfloat16, avx2::kScanFloat16, avx2::kScanInt8},
    avx2::kLexical,
    avx2::kText};
inline constexpr Kernels kAvx512{
    "avx512",
    avx2::kChecksum,
    avx512::kBag,
    avx512::kCodes,
    {avx512::kDenseExact, avx512::kScanFloat32, avx512::kScanBfloat16, avx512::kScanFloat16, avx512::kScanInt8},
    avx512::kLexical,
    avx512::kText};
/// avx512 with VNNI's products of 8-bit integers.
inline constexpr Kernels kAvx512Vnni{
    "avx512vnni",
    avx2::kChecksum,
    avx512::kBag,
    avx512vnni::kCodes,
    {avx512::kDenseExact, avx512::kScanFloat32, avx512::kScanBfloat16, avx512::kScanFloat16, avx512vnni::kScanInt8},
    avx512::kLexical,
    avx512::kText};
/// avx512vnni with products of bfloat16.
inline constexpr Kernels kAvx512Bf16{
    "avx512bf16",
    avx2::kChecksum,
    avx512::kBag,
    avx512vnni::kCodes,
    {avx512::kDenseExact, avx512::kScanFloat32, avx512bf16::kScanBfloat16, avx512::kScanFloat16, avx512vnni::kScanInt8},
    avx512::kLexical,
    avx512::kText};

/// 64-bit ARM: fast dense products; the rest, exact sums included, is what the compiler makes of kScalar.
inline constexpr Kernels kNeon{
    "neon",
    scalar::kChecksum,
    scalar::kBag,
    scalar::kCodes,
    {scalar::kDenseExact, neon::kScanFloat32, neon::kScanBfloat16, neon::kScanFloat16, neon::kScanInt8},
    scalar::kLexical,
    scalar::kText};

}  // namespace twotower::kernels
