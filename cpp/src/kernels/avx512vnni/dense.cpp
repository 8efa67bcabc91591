// AVX-512 VNNI: products of 8-bit rows with queries that are rounded to 8 bits. See kernels/dense.h for the contracts.
//
// vpdpbusd adds four products of an unsigned and a signed byte to each 32-bit lane, exactly. Rows are the unsigned
// side, as value + 128 (their sign bit flipped); the sum starts at -128 times the sum of the query, which takes that
// back.
#include "kernels/dense.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx512vnni {
namespace {

__mmask16 first_lanes(std::size_t n) noexcept { return static_cast<__mmask16>(n >= 16 ? 0xFFFFu : (1u << n) - 1u); }

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

std::int32_t unit_at(const char* row, std::size_t u) noexcept {
  std::int32_t unit;
  __builtin_memcpy(&unit, row + u * sizeof unit, sizeof unit);
  return unit;
}

// _mm512_dpbusd_epi32 as one instruction: GCC 12 copies and spills the sums around the intrinsic, which halves the
// speed.
void add_products(__m512i& sum, __m512i query, __m512i row) noexcept {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(query), "v"(row));
}

// Cache lines fetched for each unit of `n_rows`: as much as rows of float32 have, which are coded for this kernel; but
// more than 3 wait for each other.
constexpr std::size_t lines_ahead(std::size_t n_rows) noexcept { return n_rows < 8 ? 1 : n_rows < 12 ? 2 : 3; }

// 24 accumulators, at most 3 columns of queries and a broadcast are 28 of the 32 registers.
template <std::size_t kVectors, std::size_t kRows>
void panel_block(const std::int32_t* queries, const char* rows, std::size_t stride, std::size_t n_units,
                 const RowLimits& limits, std::size_t first, const PanelLimits& panel, const char* ahead,
                 std::uint64_t* masks) noexcept {
  constexpr std::size_t kLines = lines_ahead(kRows);
  __m512i sums[kRows][kVectors];
#pragma GCC unroll 24
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = _mm512_set1_epi32(limits.start[first + r]);
  }
  for (std::size_t u = 0; u < n_units; ++u) {
#pragma GCC unroll 6
    for (std::size_t line = 0; line < kLines; ++line) _mm_prefetch(ahead + (u * kLines + line) * 64, _MM_HINT_T1);
    __m512i q[kVectors];
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v) q[v] = _mm512_load_si512(queries + (u * kVectors + v) * kLanes);
#pragma GCC unroll 24
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512i value = _mm512_set1_epi32(unit_at(rows + r * stride, u));
#pragma GCC unroll 3
      for (std::size_t v = 0; v < kVectors; ++v) add_products(sums[r][v], q[v], value);
    }
  }
#pragma GCC unroll 24
  for (std::size_t r = 0; r < kRows; ++r) {
    std::uint64_t mask = 0;
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v)
      mask |= may_hit(_mm512_cvtepi32_ps(sums[r][v]), limits, first + r, panel, v * kLanes);
    masks[first + r] = mask;
  }
}

template <std::size_t kVectors>
void scan_groups(const std::int32_t* queries, const char* rows, std::size_t stride, std::size_t n_rows,
                 std::size_t n_units, const RowLimits& limits, const PanelLimits& panel, const char* ahead,
                 std::uint64_t* masks) noexcept {
  constexpr std::size_t kRows = 24 / kVectors;
  std::size_t r = 0;
  for (; r + kRows <= n_rows; r += kRows, ahead += n_units * lines_ahead(kRows) * 64) {
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
  scan(static_cast<const std::int32_t*>(queries), static_cast<const char*>(rows), stride, n_rows, (dim + 3) / 4, limits,
       panel, static_cast<const char*>(ahead), masks);
}

// ---------------------------------------------------------------- single queries: rows as they lie

// One row after another: the hardware fetches one stream ahead at the full rate of the memory, and several at half of
// it. Two chains hide a part of the latency of the products, and the next rows the rest.
float product(const void* of_query, const void* of_row, std::size_t row_bytes, std::int32_t start) noexcept {
  const auto *query = static_cast<const char*>(of_query), *row = static_cast<const char*>(of_row);
  __m512i sums[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
  std::size_t at = 0;
  for (; at + 128 <= row_bytes; at += 128) {
#pragma GCC unroll 2
    for (std::size_t i = 0; i < 2; ++i) {
      const __m512i q = _mm512_loadu_si512(query + at + i * 64), x = _mm512_loadu_si512(row + at + i * 64);
      sums[i] = _mm512_dpbusd_epi32(sums[i], q, x);
    }
  }
  for (std::size_t i = 0; at < row_bytes; at += 64, i ^= 1) {
    const std::size_t left = row_bytes - at;
    const __mmask64 mask = left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
    const __m512i q = _mm512_loadu_si512(query + at), x = _mm512_maskz_loadu_epi8(mask, row + at);
    sums[i] = _mm512_dpbusd_epi32(sums[i], q, x);
  }
  return static_cast<float>(start + _mm512_reduce_add_epi32(_mm512_add_epi32(sums[0], sums[1])));
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

std::uint64_t scan_rows(const void* query, const void* const* rows, std::size_t n_rows, std::size_t dim,
                        const RowLimits& limits, const QueryLimit& limit) noexcept {
  alignas(64) float products[kMaxScanRows];
  for (std::size_t r = 0; r < n_rows; ++r) products[r] = product(query, rows[r], dim, limits.start[r]);
  std::uint64_t mask = 0;
  for (std::size_t r = 0; r < n_rows; r += 16) {
    const __mmask16 lanes = first_lanes(n_rows - r);
    mask |= may_hit(_mm512_maskz_loadu_ps(lanes, products + r), limits, r, lanes, limit);
  }
  return mask;
}

}  // namespace

const ScanKernels kScanInt8{QueryForm::kInt8, false, kLanes, kMaxWidth, scan_panel, scan_rows, product};

}  // namespace twotower::kernels::avx512vnni
