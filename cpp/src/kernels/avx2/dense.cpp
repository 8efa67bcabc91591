// AVX2, FMA, F16C: float32 products with rows of every storage. See kernels/dense.h for the contracts and scalar/ for
// the meaning.
#include "kernels/dense.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx2 {
namespace {

// ---------------------------------------------------------------- stored elements: 8 from d on

struct Float32 {
  using Element = float;
  static __m256 load(const Element* row) noexcept { return _mm256_loadu_ps(row); }
};

struct Bfloat16 {
  using Element = std::uint16_t;
  static __m256 load(const Element* row) noexcept {
    const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
  }
};

struct Float16 {
  using Element = std::uint16_t;
  static __m256 load(const Element* row) noexcept {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row)));
  }
};

struct Int8 {
  using Element = std::int8_t;
  static __m256 load(const Element* row) noexcept {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(row))));
  }
};

// Elements d..d+n-1 of a row, n <= 8, and zeros. Never reads past the row.
template <class Storage>
__m256 load(const void* row, std::size_t d, std::size_t n) noexcept {
  const auto* values = static_cast<const typename Storage::Element*>(row) + d;
  if (n >= 8) return Storage::load(values);
  typename Storage::Element part[8] = {};
  __builtin_memcpy(part, values, n * sizeof *part);  // rows may begin anywhere
  return Storage::load(part);
}

// ---------------------------------------------------------------- limits

std::uint64_t above(__m256 product, __m256 unit, __m256 factor, __m256 threshold, __m256 scale, __m256 norm,
                    __m256 offset) noexcept {
  const __m256 rest = _mm256_fmadd_ps(factor, norm, offset);
  const __m256 upper = _mm256_fmadd_ps(_mm256_mul_ps(product, unit), scale, rest);
  const __m256 mask = _mm256_cmp_ps(upper, threshold, _CMP_NLE_UQ);
  return static_cast<std::uint64_t>(static_cast<unsigned>(_mm256_movemask_ps(mask)));
}

// The mask of 8 queries for one row.
std::uint64_t may_hit(__m256 product, const RowLimits& rows, std::size_t r, const PanelLimits& panel,
                      std::size_t w) noexcept {
  return above(product, _mm256_loadu_ps(panel.unit + w), _mm256_loadu_ps(panel.factor + w),
               _mm256_loadu_ps(panel.threshold + w), _mm256_set1_ps(rows.scale[r]), _mm256_set1_ps(rows.norm[r]),
               _mm256_set1_ps(rows.offset[r]))
         << w;
}

// ---------------------------------------------------------------- panels: 8 or 16 queries times 6 rows

constexpr std::size_t kLanes = 8;
constexpr std::size_t kMaxWidth = 16;

// 6 x 2 accumulators, 2 columns of queries and 1 broadcast are 15 of the 16 registers.
template <std::size_t kVectors, std::size_t kRows>
void panel_block(const float* queries, const char* rows, std::size_t stride, std::size_t dim, const RowLimits& limits,
                 std::size_t first, const PanelLimits& panel, const void* ahead, std::uint64_t* masks) noexcept {
  __m256 sums[kRows][kVectors];
#pragma GCC unroll 6
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = _mm256_setzero_ps();
  }
  for (std::size_t d = 0; d < dim; ++d) {
    _mm_prefetch(static_cast<const char*>(ahead) + d * 64, _MM_HINT_T1);
    __m256 q[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) q[v] = _mm256_load_ps(queries + (d * kVectors + v) * kLanes);
#pragma GCC unroll 6
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m256 value = _mm256_set1_ps(reinterpret_cast<const float*>(rows + r * stride)[d]);
      for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = _mm256_fmadd_ps(value, q[v], sums[r][v]);
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    masks[first + r] = 0;
    for (std::size_t v = 0; v < kVectors; ++v) {
      masks[first + r] |= may_hit(sums[r][v], limits, first + r, panel, v * kLanes);
    }
  }
}

template <std::size_t kVectors>
void scan_groups(const void* queries, const void* rows, std::size_t stride, std::size_t n_rows, std::size_t dim,
                 const RowLimits& limits, const PanelLimits& panel, const void* ahead, std::uint64_t* masks) noexcept {
  const auto* q = static_cast<const float*>(queries);
  const auto* x = static_cast<const char*>(rows);
  const auto* next = static_cast<const char*>(ahead);
  std::size_t r = 0;
  for (; r + 6 <= n_rows; r += 6, next += dim * 64) {
    panel_block<kVectors, 6>(q, x + r * stride, stride, dim, limits, r, panel, next, masks);
  }
  for (; r < n_rows; ++r) {
    panel_block<kVectors, 1>(q, x + r * stride, stride, dim, limits, r, panel, next, masks);
  }
}

void scan_panel(const void* queries, std::size_t width, const void* rows, std::size_t stride, std::size_t n_rows,
                std::size_t dim, const RowLimits& limits, const PanelLimits& panel, const void* ahead,
                std::uint64_t* masks) noexcept {
  (width == kLanes ? scan_groups<1> : scan_groups<2>)(queries, rows, stride, n_rows, dim, limits, panel, ahead, masks);
}

// ---------------------------------------------------------------- single queries: rows as they lie

float sum_lanes(__m256 v) noexcept {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

// One row after another: the hardware fetches one stream ahead at the full rate of the memory, and several at half of
// it. Four chains hide the latency of the FMA.
template <class Storage>
float product(const void* at, const void* row, std::size_t dim, std::int32_t) noexcept {
  const auto* query = static_cast<const float*>(at);
  const auto* values = static_cast<const typename Storage::Element*>(row);
  __m256 sums[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
  std::size_t d = 0;
  for (; d + 32 <= dim; d += 32) {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
      sums[i] = _mm256_fmadd_ps(_mm256_loadu_ps(query + d + i * 8), Storage::load(values + d + i * 8), sums[i]);
    }
  }
  for (; d < dim; d += 8) {
    sums[0] = _mm256_fmadd_ps(load<Float32>(query, d, dim - d), load<Storage>(row, d, dim - d), sums[0]);
  }
  return sum_lanes(_mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3])));
}

template <class Storage>
std::uint64_t scan_rows(const void* query, const void* const* rows, std::size_t n_rows, std::size_t dim,
                        const RowLimits& limits, const QueryLimit& limit) noexcept {
  std::uint64_t mask = 0;
  for (std::size_t r = 0; r < n_rows; r += 8) {
    const std::size_t n = n_rows - r < 8 ? n_rows - r : 8;
    float products[8] = {}, scale[8] = {}, norm[8] = {}, offset[8] = {};
    for (std::size_t i = 0; i < n; ++i) {
      products[i] = product<Storage>(query, rows[r + i], dim, 0);
      scale[i] = limits.scale[r + i];
      norm[i] = limits.norm[r + i];
      offset[i] = limits.offset[r + i];
    }
    const std::uint64_t hits =
        above(_mm256_loadu_ps(products), _mm256_set1_ps(limit.unit), _mm256_set1_ps(limit.factor),
              _mm256_set1_ps(limit.threshold), _mm256_loadu_ps(scale), _mm256_loadu_ps(norm), _mm256_loadu_ps(offset));
    mask |= (hits & ((1u << n) - 1u)) << r;
  }
  return mask;
}

template <class Storage>
constexpr ScanKernels kScan{QueryForm::kFloat32, true, kLanes, kMaxWidth, scan_panel, scan_rows<Storage>,
                            product<Storage>};

}  // namespace

const ScanKernels kScanFloat32 = kScan<Float32>;
const ScanKernels kScanBfloat16 = kScan<Bfloat16>;
const ScanKernels kScanFloat16 = kScan<Float16>;
const ScanKernels kScanInt8 = kScan<Int8>;

}  // namespace twotower::kernels::avx2
