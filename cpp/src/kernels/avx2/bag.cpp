// AVX2: rows of embedding tables. See kernels/bag.h for the contracts and scalar/ for the meaning.
#include "kernels/bag.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx2 {
namespace {

constexpr std::size_t kLane = 8;
constexpr std::size_t kAhead = 6;  // rows fetched before they are added: a row of a large table lies in slow memory

__m256 load(const float* values) noexcept { return _mm256_loadu_ps(values); }

__m256 load(const std::uint16_t* values) noexcept {
  const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values)));
  return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}

float widen(float value) noexcept { return value; }

float widen(std::uint16_t value) noexcept {
  const std::uint32_t bits = static_cast<std::uint32_t>(value) << 16;
  float wide;
  __builtin_memcpy(&wide, &bits, sizeof wide);
  return wide;
}

template <class T, std::size_t kLanes, bool kWeighted>
void add_panel(const T* table, std::size_t dim, const std::int64_t* ids, const float* weights, std::size_t n,
               float* sum) noexcept {
  __m256 total[kLanes];
  for (std::size_t l = 0; l < kLanes; ++l) total[l] = _mm256_setzero_ps();
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kAhead < n) {
      const T* ahead = table + static_cast<std::size_t>(ids[i + kAhead]) * dim;
      for (std::size_t l = 0; l < kLanes; l += 2) {
        _mm_prefetch(reinterpret_cast<const char*>(ahead + l * kLane), _MM_HINT_T0);
      }
    }
    const T* row = table + static_cast<std::size_t>(ids[i]) * dim;
    for (std::size_t l = 0; l < kLanes; ++l) {
      __m256 values = load(row + l * kLane);
      if constexpr (kWeighted) values = _mm256_mul_ps(_mm256_set1_ps(weights[i]), values);
      total[l] = _mm256_add_ps(total[l], values);
    }
  }
  for (std::size_t l = 0; l < kLanes; ++l) _mm256_storeu_ps(sum + l * kLane, total[l]);
}

template <class T, bool kWeighted>
void sum_panels(const T* table, std::size_t dim, const std::int64_t* ids, const float* weights, std::size_t n,
                float* sum) noexcept {
  std::size_t d = 0;
  for (; d + 12 * kLane <= dim; d += 12 * kLane) add_panel<T, 12, kWeighted>(table + d, dim, ids, weights, n, sum + d);
  for (; d + kLane <= dim; d += kLane) add_panel<T, 1, kWeighted>(table + d, dim, ids, weights, n, sum + d);
  for (; d < dim; ++d) {
    float total = 0.0f;
    for (std::size_t i = 0; i < n; ++i) {
      const float value = widen(table[static_cast<std::size_t>(ids[i]) * dim + d]);
      total += kWeighted ? weights[i] * value : value;
    }
    sum[d] = total;
  }
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

// The last lanes of a row, for which there is no masked load of unaligned floats that never reads beyond: a copy.
struct Tail {
  float values[kLane] = {};
  Tail(const float* from, std::size_t n) noexcept {
    for (std::size_t d = 0; d < n; ++d) values[d] = from[d];
  }
  void store(float* to, std::size_t n) const noexcept {
    for (std::size_t d = 0; d < n; ++d) to[d] = values[d];
  }
};

__m256 step_of(__m256 first, __m256 second, const AdamStep& s) noexcept {
  const __m256 spread =
      _mm256_add_ps(_mm256_sqrt_ps(_mm256_mul_ps(second, _mm256_set1_ps(s.correction))), _mm256_set1_ps(s.epsilon));
  return _mm256_div_ps(_mm256_mul_ps(_mm256_set1_ps(s.rate), first), spread);
}

void step_lane(float* weight, float* first, float* second, const float* gradient, const AdamStep& s) noexcept {
  const __m256 g = load(gradient);
  const __m256 m = _mm256_add_ps(_mm256_mul_ps(_mm256_set1_ps(s.keep_first), load(first)),
                                 _mm256_mul_ps(_mm256_set1_ps(s.new_first), g));
  const __m256 v = _mm256_add_ps(_mm256_mul_ps(_mm256_set1_ps(s.keep_second), load(second)),
                                 _mm256_mul_ps(_mm256_mul_ps(_mm256_set1_ps(s.new_second), g), g));
  const __m256 kept = _mm256_mul_ps(_mm256_set1_ps(s.keep_weight), load(weight));
  _mm256_storeu_ps(first, m);
  _mm256_storeu_ps(second, v);
  _mm256_storeu_ps(weight, _mm256_sub_ps(kept, step_of(m, v, s)));
}

void idle_lane(float* weight, float* first, float* second, const AdamStep* steps, std::size_t n_steps) noexcept {
  __m256 w = load(weight), m = load(first), v = load(second);
  for (std::size_t t = 0; t < n_steps; ++t) {
    m = _mm256_mul_ps(m, _mm256_set1_ps(steps[t].keep_first));
    v = _mm256_mul_ps(v, _mm256_set1_ps(steps[t].keep_second));
    w = _mm256_sub_ps(w, step_of(m, v, steps[t]));
  }
  _mm256_storeu_ps(weight, w);
  _mm256_storeu_ps(first, m);
  _mm256_storeu_ps(second, v);
}

// Calls lane(weight, first, second, gradient) for every kLane dimensions, the last of them in copies.
template <class Lane>
void over_lanes(float* weight, float* first, float* second, const float* gradient, std::size_t dim,
                Lane lane) noexcept {
  std::size_t d = 0;
  for (; d + kLane <= dim; d += kLane) lane(weight + d, first + d, second + d, gradient + d);
  if (d == dim) return;
  Tail w(weight + d, dim - d), m(first + d, dim - d), v(second + d, dim - d), g(gradient + d, dim - d);
  lane(w.values, m.values, v.values, g.values);
  w.store(weight + d, dim - d);
  m.store(first + d, dim - d);
  v.store(second + d, dim - d);
}

void adam_step(float* weight, float* first, float* second, const float* gradient, std::size_t dim,
               const AdamStep& s) noexcept {
  over_lanes(weight, first, second, gradient, dim,
             [&s](float* w, float* m, float* v, const float* g) { step_lane(w, m, v, g, s); });
}

void adam_idle(float* weight, float* first, float* second, std::size_t dim, const AdamStep* steps,
               std::size_t n_steps) noexcept {
  over_lanes(weight, first, second, first, dim,
             [steps, n_steps](float* w, float* m, float* v, const float*) { idle_lane(w, m, v, steps, n_steps); });
}

}  // namespace

const BagKernels kBag{sum<float>, sum<std::uint16_t>, adam_step, adam_idle};

}  // namespace twotower::kernels::avx2
