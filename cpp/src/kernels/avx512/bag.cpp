// AVX-512: rows of embedding tables. See kernels/bag.h for the contracts and scalar/ for the meaning.
#include "kernels/bag.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx512 {
namespace {

constexpr std::size_t kLane = 16;
constexpr std::size_t kAhead = 6;  // rows fetched before they are added: a row of a large table lies in slow memory

__mmask16 first_of(std::size_t n) noexcept {
  return n >= kLane ? static_cast<__mmask16>(0xffff) : static_cast<__mmask16>((1u << n) - 1);
}

__m512 load(__mmask16 mask, const float* values) noexcept { return _mm512_maskz_loadu_ps(mask, values); }

__m512 load(__mmask16 mask, const std::uint16_t* values) noexcept {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, values));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

// Adds kLanes * 16 dimensions of every row; the sums stay in registers. The last register holds `last` dimensions.
template <class T, std::size_t kLanes, bool kWeighted>
void add_panel(const T* table, std::size_t dim, const std::int64_t* ids, const float* weights, std::size_t n,
               __mmask16 last, float* sum) noexcept {
  __m512 total[kLanes];
  for (std::size_t l = 0; l < kLanes; ++l) total[l] = _mm512_setzero_ps();
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kAhead < n) {
      const T* ahead = table + static_cast<std::size_t>(ids[i + kAhead]) * dim;
      for (std::size_t l = 0; l < kLanes; l += sizeof(float) / sizeof(T)) {
        _mm_prefetch(reinterpret_cast<const char*>(ahead + l * kLane), _MM_HINT_T0);
      }
    }
    const T* row = table + static_cast<std::size_t>(ids[i]) * dim;
    for (std::size_t l = 0; l < kLanes; ++l) {
      const __m512 values = load(l + 1 < kLanes ? static_cast<__mmask16>(0xffff) : last, row + l * kLane);
      if constexpr (kWeighted) {
        total[l] = _mm512_add_ps(total[l], _mm512_mul_ps(_mm512_set1_ps(weights[i]), values));
      } else {
        total[l] = _mm512_add_ps(total[l], values);
      }
    }
  }
  for (std::size_t l = 0; l < kLanes; ++l) {
    _mm512_mask_storeu_ps(sum + l * kLane, l + 1 < kLanes ? static_cast<__mmask16>(0xffff) : last, total[l]);
  }
}

template <class T, bool kWeighted>
void sum_panels(const T* table, std::size_t dim, const std::int64_t* ids, const float* weights, std::size_t n,
                float* sum) noexcept {
  constexpr __mmask16 all = 0xffff;
  std::size_t d = 0;
  for (; d + 16 * kLane <= dim; d += 16 * kLane)
    add_panel<T, 16, kWeighted>(table + d, dim, ids, weights, n, all, sum + d);
  for (; d + 4 * kLane <= dim; d += 4 * kLane)
    add_panel<T, 4, kWeighted>(table + d, dim, ids, weights, n, all, sum + d);
  for (; d < dim; d += kLane) add_panel<T, 1, kWeighted>(table + d, dim, ids, weights, n, first_of(dim - d), sum + d);
}

template <class T>
void sum(const T* table, std::size_t dim, const std::int64_t* ids, const float* weights, std::size_t n,
         float* to) noexcept {
  if (weights == nullptr) {
    sum_panels<T, false>(table, dim, ids, weights, n, to);
  } else {
    sum_panels<T, true>(table, dim, ids, weights, n, to);
  }
}

__m512 step_of(__m512 first, __m512 second, const AdamStep& s) noexcept {
  const __m512 spread =
      _mm512_add_ps(_mm512_sqrt_ps(_mm512_mul_ps(second, _mm512_set1_ps(s.correction))), _mm512_set1_ps(s.epsilon));
  return _mm512_div_ps(_mm512_mul_ps(_mm512_set1_ps(s.rate), first), spread);
}

void adam_step(float* weight, float* first, float* second, const float* gradient, std::size_t dim,
               const AdamStep& s) noexcept {
  for (std::size_t d = 0; d < dim; d += kLane) {
    const __mmask16 mask = first_of(dim - d);
    const __m512 g = load(mask, gradient + d);
    const __m512 m = _mm512_add_ps(_mm512_mul_ps(_mm512_set1_ps(s.keep_first), load(mask, first + d)),
                                   _mm512_mul_ps(_mm512_set1_ps(s.new_first), g));
    const __m512 v = _mm512_add_ps(_mm512_mul_ps(_mm512_set1_ps(s.keep_second), load(mask, second + d)),
                                   _mm512_mul_ps(_mm512_mul_ps(_mm512_set1_ps(s.new_second), g), g));
    const __m512 kept = _mm512_mul_ps(_mm512_set1_ps(s.keep_weight), load(mask, weight + d));
    _mm512_mask_storeu_ps(first + d, mask, m);
    _mm512_mask_storeu_ps(second + d, mask, v);
    _mm512_mask_storeu_ps(weight + d, mask, _mm512_sub_ps(kept, step_of(m, v, s)));
  }
}

// Two registers of dimensions at a time: the divisions of one hide behind the square roots of the other.
void adam_idle(float* weight, float* first, float* second, std::size_t dim, const AdamStep* steps,
               std::size_t n_steps) noexcept {
  for (std::size_t d = 0; d < dim; d += 2 * kLane) {
    const __mmask16 mask[2] = {first_of(dim - d), first_of(dim - d > kLane ? dim - d - kLane : 0)};
    __m512 w[2], m[2], v[2];
    for (std::size_t l = 0; l < 2; ++l) {
      w[l] = load(mask[l], weight + d + l * kLane);
      m[l] = load(mask[l], first + d + l * kLane);
      v[l] = load(mask[l], second + d + l * kLane);
    }
    for (std::size_t t = 0; t < n_steps; ++t) {
      for (std::size_t l = 0; l < 2; ++l) {
        m[l] = _mm512_mul_ps(m[l], _mm512_set1_ps(steps[t].keep_first));
        v[l] = _mm512_mul_ps(v[l], _mm512_set1_ps(steps[t].keep_second));
        w[l] = _mm512_sub_ps(w[l], step_of(m[l], v[l], steps[t]));
      }
    }
    for (std::size_t l = 0; l < 2; ++l) {
      _mm512_mask_storeu_ps(weight + d + l * kLane, mask[l], w[l]);
      _mm512_mask_storeu_ps(first + d + l * kLane, mask[l], m[l]);
      _mm512_mask_storeu_ps(second + d + l * kLane, mask[l], v[l]);
    }
  }
}

}  // namespace

const BagKernels kBag{sum<float>, sum<std::uint16_t>, adam_step, adam_idle};

}  // namespace twotower::kernels::avx512
