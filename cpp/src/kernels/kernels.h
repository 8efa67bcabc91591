// The hot functions that each instruction set brings, by topic. Knows no container, no thread and no library.
#pragma once

#include "kernels/checksum.h"
#include "kernels/codes.h"
#include "kernels/dense.h"
#include "kernels/lexical.h"
#include "kernels/text.h"

namespace twotower::kernels {

/// One instruction set. Every function is pure, thread-safe and noexcept, takes pointers of any alignment and sizes
/// from 0 up, and agrees with kScalar: bit for bit but for the two float32 inner products, which agree within the bound
/// of docs/math.md (section 1).
struct Kernels {
  const char* name;
  const ChecksumKernels& checksum;
  const CodesKernels& codes;
  const DenseKernels& dense;
  const LexicalKernels& lexical;
  const TextKernels& text;
};

inline constexpr Kernels kScalar{"scalar",       scalar::kChecksum, scalar::kCodes,
                                 scalar::kDense, scalar::kLexical,  scalar::kText};
inline constexpr Kernels kAvx2{"avx2", avx2::kChecksum, avx2::kCodes, avx2::kDense, avx2::kLexical, avx2::kText};
inline constexpr Kernels kAvx512{"avx512",       avx2::kChecksum,  avx512::kCodes,
                                 avx512::kDense, avx512::kLexical, avx512::kText};
inline constexpr Kernels kAvx512Vnni{"avx512vnni",   avx2::kChecksum,  avx512vnni::kCodes,
                                     avx512::kDense, avx512::kLexical, avx512::kText};

}  // namespace twotower::kernels
