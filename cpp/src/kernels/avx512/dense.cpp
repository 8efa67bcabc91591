// AVX-512 F, BW, VL, DQ: float32 products with rows of every storage. See kernels/dense.h for the contracts and scalar/
// for the meaning.
#include "kernels/dense.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx512 {
namespace {

__mmask16 first_lanes(std::size_t n) noexcept { return static_cast<__mmask16>(n >= 16 ? 0xFFFFu : (1u << n) - 1u); }

// ---------------------------------------------------------------- stored elements: 16 from d on, those of the mask

struct Float32 {
  static constexpr std::size_t kBytes = 4;
  static __m512 load(const void* row, std::size_t d, __mmask16 mask) noexcept {
    return _mm512_maskz_loadu_ps(mask, static_cast<const float*>(row) + d);
  }
};

struct Bfloat16 {
  static constexpr std::size_t kBytes = 2;
  static __m512 load(const void* row, std::size_t d, __mmask16 mask) noexcept {
    const __m256i bits = _mm256_maskz_loadu_epi16(mask, static_cast<const std::uint16_t*>(row) + d);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
};

struct Float16 {
  static constexpr std::size_t kBytes = 2;
  static __m512 load(const void* row, std::size_t d, __mmask16 mask) noexcept {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, static_cast<const std::uint16_t*>(row) + d));
  }
};

struct Int8 {
  static constexpr std::size_t kBytes = 1;
  static __m512 load(const void* row, std::size_t d, __mmask16 mask) noexcept {
    const __m128i values = _mm_maskz_loadu_epi8(mask, static_cast<const std::int8_t*>(row) + d);
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(values));
  }
};

// ---------------------------------------------------------------- limits

// The mask of 16 queries for one row.
std::uint64_t may_hit(__m512 product, const RowLimits& rows, std::size_t r, const PanelLimits& panel,
                      std::size_t w) noexcept {
  const __m512 rest =
      _mm512_fmadd_ps(_mm512_loadu_ps(panel.factor + w), _mm512_set1_ps(rows.norm[r]), _mm512_set1_ps(rows.offset[r]));
  const __m512 scaled = _mm512_mul_ps(product, _mm512_loadu_ps(panel.unit + w));
  const __m512 upper = _mm512_fmadd_ps(scaled, _mm512_set1_ps(rows.scale[r]), rest);
  return std::uint64_t{_mm512_cmp_ps_mask(upper, _mm512_loadu_ps(panel.threshold + w), _CMP_NLE_UQ)} << w;
}

// ---------------------------------------------------------------- panels: 16, 32 or 48 queries times 24, 12 or 8 rows

constexpr std::size_t kLanes = 16;
constexpr std::size_t kMaxWidth = 48;

float unit_at(const char* row, std::size_t u) noexcept {
  float unit;
  __builtin_memcpy(&unit, row + u * sizeof unit, sizeof unit);
  return unit;
}

// 24 accumulators, at most 3 columns of queries and a broadcast are 28 of the 32 registers.
template <std::size_t kVectors, std::size_t kRows>
void panel_block(const float* queries, const char* rows, std::size_t stride, std::size_t n_units,
                 const RowLimits& limits, std::size_t first, const PanelLimits& panel, const char* ahead,
                 std::uint64_t* masks) noexcept {
  __m512 sums[kRows][kVectors];
#pragma GCC unroll 24
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = _mm512_setzero_ps();
  }
  for (std::size_t u = 0; u < n_units; ++u) {
    _mm_prefetch(ahead + u * 64, _MM_HINT_T1);
    __m512 q[kVectors];
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v) q[v] = _mm512_load_ps(queries + (u * kVectors + v) * kLanes);
#pragma GCC unroll 24
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512 value = _mm512_set1_ps(unit_at(rows + r * stride, u));
#pragma GCC unroll 3
      for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = _mm512_fmadd_ps(value, q[v], sums[r][v]);
    }
  }
#pragma GCC unroll 24
  for (std::size_t r = 0; r < kRows; ++r) {
    std::uint64_t mask = 0;
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v) mask |= may_hit(sums[r][v], limits, first + r, panel, v * kLanes);
    masks[first + r] = mask;
  }
}

template <std::size_t kVectors>
void scan_groups(const float* queries, const char* rows, std::size_t stride, std::size_t n_rows, std::size_t n_units,
                 const RowLimits& limits, const PanelLimits& panel, const char* ahead, std::uint64_t* masks) noexcept {
  constexpr std::size_t kRows = 24 / kVectors;
  std::size_t r = 0;
  for (; r + kRows <= n_rows; r += kRows, ahead += n_units * 64) {
    panel_block<kVectors, kRows>(queries, rows + r * stride, stride, n_units, limits, r, panel, ahead, masks);
  }
  for (; r < n_rows; ++r) {
    panel_block<kVectors, 1>(queries, rows + r * stride, stride, n_units, limits, r, panel, ahead, masks);
  }
}

void scan_panel(const void* queries, std::size_t width, const void* rows, std::size_t stride, std::size_t n_rows,
                std::size_t dim, const RowLimits& limits, const PanelLimits& panel, const void* ahead,
                std::uint64_t* masks) noexcept {
  const auto scan = width == 16 ? scan_groups<1> : width == 32 ? scan_groups<2> : scan_groups<3>;
  scan(static_cast<const float*>(queries), static_cast<const char*>(rows), stride, n_rows, dim, limits, panel,
       static_cast<const char*>(ahead), masks);
}

// ---------------------------------------------------------------- single queries: rows as they lie

// One row after another: the hardware fetches one stream ahead at the full rate of the memory, and several at half of
// it. Four chains hide the latency of the FMA.
template <class Storage>
float product(const void* at, const void* row, std::size_t dim, std::int32_t) noexcept {
  const auto* query = static_cast<const float*>(at);
  __m512 sums[4];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) sums[i] = _mm512_setzero_ps();
  std::size_t d = 0;
  for (; d + 64 <= dim; d += 64) {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
      sums[i] = _mm512_fmadd_ps(_mm512_loadu_ps(query + d + i * 16), Storage::load(row, d + i * 16, 0xFFFF), sums[i]);
    }
  }
  for (; d < dim; d += 16) {
    const __mmask16 mask = first_lanes(dim - d);
    sums[0] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, query + d), Storage::load(row, d, mask), sums[0]);
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])));
}

// The mask of 16 rows for one query.
std::uint64_t may_hit(__m512 products, const RowLimits& rows, std::size_t r, __mmask16 lanes,
                      const QueryLimit& limit) noexcept {
  const __m512 norm = _mm512_maskz_loadu_ps(lanes, rows.norm + r);
  const __m512 rest =
      _mm512_fmadd_ps(_mm512_set1_ps(limit.factor), norm, _mm512_maskz_loadu_ps(lanes, rows.offset + r));
  const __m512 scaled = _mm512_mul_ps(products, _mm512_set1_ps(limit.unit));
  const __m512 upper = _mm512_fmadd_ps(scaled, _mm512_maskz_loadu_ps(lanes, rows.scale + r), rest);
  return std::uint64_t{_mm512_mask_cmp_ps_mask(lanes, upper, _mm512_set1_ps(limit.threshold), _CMP_NLE_UQ)} << r;
}

template <class Storage>
std::uint64_t scan_rows(const void* query, const void* const* rows, std::size_t n_rows, std::size_t dim,
                        const RowLimits& limits, const QueryLimit& limit) noexcept {
  alignas(64) float products[kMaxScanRows];
  for (std::size_t r = 0; r < n_rows; ++r) products[r] = product<Storage>(query, rows[r], dim, 0);
  std::uint64_t mask = 0;
  for (std::size_t r = 0; r < n_rows; r += 16) {
    const __mmask16 lanes = first_lanes(n_rows - r);
    mask |= may_hit(_mm512_maskz_loadu_ps(lanes, products + r), limits, r, lanes, limit);
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

}  // namespace twotower::kernels::avx512
