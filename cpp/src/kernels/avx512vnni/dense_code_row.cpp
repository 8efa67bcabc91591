// AVX-512: stored rows rounded to 8-bit integers, on their way to products of VNNI. See kernels/dense.h for the
// contract. Two passes over a row: its greatest magnitude, then its codes, 64 at once.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/dense.h"

namespace twotower::kernels::avx512vnni {
namespace {

constexpr int kAbsoluteMaximum = 0x0B;  // of VRANGEPS: the greater magnitude, its sign cleared

__mmask16 first_lanes(std::size_t n) noexcept { return static_cast<__mmask16>(n >= 16 ? 0xFFFFu : (1u << n) - 1u); }

// ---------------------------------------------------------------- stored elements: 16 from d on, those of the mask

struct Float32 {
  static __m512 load(const void* row, std::size_t d, __mmask16 mask) noexcept {
    return _mm512_maskz_loadu_ps(mask, static_cast<const float*>(row) + d);
  }
};

struct Bfloat16 {
  static __m512 load(const void* row, std::size_t d, __mmask16 mask) noexcept {
    const __m256i bits = _mm256_maskz_loadu_epi16(mask, static_cast<const std::uint16_t*>(row) + d);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
};

struct Float16 {
  static __m512 load(const void* row, std::size_t d, __mmask16 mask) noexcept {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, static_cast<const std::uint16_t*>(row) + d));
  }
};

// ---------------------------------------------------------------- the two passes

// A NaN is passed over; a search does not meet one.
template <class Storage>
float greatest(const void* row, std::size_t dim) noexcept {
  __m512 most[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
  std::size_t d = 0;
  for (; d + 64 <= dim; d += 64) {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
      most[i] = _mm512_range_ps(most[i], Storage::load(row, d + i * 16, 0xFFFF), kAbsoluteMaximum);
    }
  }
  for (; d < dim; d += 16) {
    most[0] = _mm512_range_ps(most[0], Storage::load(row, d, first_lanes(dim - d)), kAbsoluteMaximum);
  }
  return _mm512_reduce_max_ps(_mm512_max_ps(_mm512_max_ps(most[0], most[1]), _mm512_max_ps(most[2], most[3])));
}

// Bit patterns without their signs are ordered as magnitudes are.
template <>
float greatest<Bfloat16>(const void* row, std::size_t dim) noexcept {
  const auto* values = static_cast<const std::uint16_t*>(row);
  const __m512i magnitude = _mm512_set1_epi16(0x7FFF);
  __m512i most[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
  std::size_t d = 0;
  for (; d + 64 <= dim; d += 64) {
    most[0] = _mm512_max_epu16(most[0], _mm512_and_si512(_mm512_loadu_si512(values + d), magnitude));
    most[1] = _mm512_max_epu16(most[1], _mm512_and_si512(_mm512_loadu_si512(values + d + 32), magnitude));
  }
  for (; d < dim; d += 32) {
    const __mmask32 mask = dim - d >= 32 ? 0xFFFFFFFFu : (1u << (dim - d)) - 1u;
    most[0] = _mm512_max_epu16(most[0], _mm512_and_si512(_mm512_maskz_loadu_epi16(mask, values + d), magnitude));
  }
  const __m512i both = _mm512_max_epu16(most[0], most[1]);
  const __m512i even = _mm512_slli_epi32(both, 16), odd = _mm512_and_si512(both, _mm512_set1_epi32(0x7FFF0000));
  return _mm512_reduce_max_ps(_mm512_castsi512_ps(_mm512_max_epi32(even, odd)));
}

// Two packings leave the 16 groups of four codes in the order 0 4 8 12 1 5 ...: this puts them back.
__m512i in_order(__m512i packed) noexcept {
  return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), packed);
}

// The codes of 64 elements from d on, of the first `left`.
template <class Storage>
__m512i code_64(const void* row, std::size_t d, std::size_t left, __m512 steps_of_one) noexcept {
  __m512i part[4];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) {
    const __mmask16 lanes = first_lanes(left > i * 16 ? left - i * 16 : 0);
    part[i] = _mm512_cvtps_epi32(_mm512_mul_ps(Storage::load(row, d + i * 16, lanes), steps_of_one));
  }
  const __m512i words = _mm512_packs_epi32(part[0], part[1]), more = _mm512_packs_epi32(part[2], part[3]);
  return in_order(_mm512_packs_epi16(words, more));
}

template <class Storage>
CodedRow code_row(const void* row, std::size_t dim, std::int8_t* codes) noexcept {
  const float most = greatest<Storage>(row, dim);
  const bool in_range = most >= kLeastCoded && most < kMostCoded;
  const __m512 steps_of_one = _mm512_set1_ps(in_range ? 127.0f / most : 0.0f);
  const __m512i ones = _mm512_set1_epi8(1);
  __m512i sum = _mm512_setzero_si512();
  std::size_t d = 0;
  for (; d + 64 <= dim; d += 64) {
    const __m512i bytes = code_64<Storage>(row, d, 64, steps_of_one);
    _mm512_storeu_si512(codes + d, bytes);
    sum = _mm512_dpbusd_epi32(sum, ones, bytes);
  }
  if (d < dim) {
    const __m512i bytes = code_64<Storage>(row, d, dim - d, steps_of_one);
    _mm512_storeu_si512(codes + d, bytes);
    sum = _mm512_dpbusd_epi32(sum, ones, bytes);
  }
  const float step = in_range ? most * (1.0f / 127.0f) : most == 0.0f ? 0.0f : __builtin_nanf("");
  return {step, -128 * _mm512_reduce_add_epi32(sum)};
}

}  // namespace

const CodeRowKernels kCodeRow{code_row<Float32>, code_row<Bfloat16>, code_row<Float16>};

}  // namespace twotower::kernels::avx512vnni
