// AVX-512 BF16: products of bfloat16 rows with queries that are rounded to bfloat16. See kernels/dense.h for the
// contracts.
//
// vdpbf16ps adds two products to each 32-bit lane. It takes denormals for zeros and flushes small sums to zero, and its
// additions round in an order of its own: docs/math.md, section 1, bounds all of that.
#include "kernels/dense.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx512bf16 {
namespace {

__mmask16 first_lanes(std::size_t n) noexcept { return static_cast<__mmask16>(n >= 16 ? 0xFFFFu : (1u << n) - 1u); }

std::uint64_t may_hit(__m512 product, const RowLimits& rows, std::size_t r, __mmask16 lanes,
                      const QueryLimit& limit) noexcept {
  const __m512 norm = _mm512_maskz_loadu_ps(lanes, rows.norm + r);
  const __m512 rest =
      _mm512_fmadd_ps(_mm512_set1_ps(limit.factor), norm, _mm512_maskz_loadu_ps(lanes, rows.offset + r));
  const __m512 scaled = _mm512_mul_ps(product, _mm512_set1_ps(limit.unit));
  const __m512 upper = _mm512_fmadd_ps(scaled, _mm512_maskz_loadu_ps(lanes, rows.scale + r), rest);
  return _mm512_mask_cmp_ps_mask(lanes, upper, _mm512_set1_ps(limit.threshold), _CMP_NLE_UQ);
}

// ---------------------------------------------------------------- panels: 3 x 16 rows times up to 8 queries

constexpr std::size_t kPanelRows = 48;
constexpr std::size_t kBlockQueries = 8;

// 8 x 3 accumulators, 3 columns of rows and 1 broadcast are 28 of the 32 registers.
template <std::size_t kQueries>
void panel_block(const std::int32_t* panel, const std::int32_t* queries, std::size_t n_units, const RowLimits& rows,
                 const QueryLimit* limits, const void* ahead, std::uint64_t* masks) noexcept {
  __m512 sums[kQueries][3];
#pragma GCC unroll 8
  for (std::size_t b = 0; b < kQueries; ++b) sums[b][0] = sums[b][1] = sums[b][2] = _mm512_setzero_ps();
  for (std::size_t u = 0; u < n_units; ++u) {
    _mm_prefetch(static_cast<const char*>(ahead) + u * 64, _MM_HINT_T1);
    const std::int32_t* column = panel + u * kPanelRows;
    const __m512i x0 = _mm512_load_si512(column), x1 = _mm512_load_si512(column + 16);
    const __m512i x2 = _mm512_load_si512(column + 32);
#pragma GCC unroll 8
    for (std::size_t b = 0; b < kQueries; ++b) {
      const __m512i value = _mm512_set1_epi32(queries[u * kBlockQueries + b]);
      sums[b][0] = _mm512_dpbf16_ps(sums[b][0], (__m512bh)x0, (__m512bh)value);
      sums[b][1] = _mm512_dpbf16_ps(sums[b][1], (__m512bh)x1, (__m512bh)value);
      sums[b][2] = _mm512_dpbf16_ps(sums[b][2], (__m512bh)x2, (__m512bh)value);
    }
  }
#pragma GCC unroll 8
  for (std::size_t b = 0; b < kQueries; ++b) {
    masks[b] = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      masks[b] |= may_hit(sums[b][i], rows, i * 16, 0xFFFF, limits[b]) << (i * 16);
    }
  }
}

void scan_panel(const void* panel, const void* queries, std::size_t n_queries, std::size_t dim, const RowLimits& rows,
                const QueryLimit* limits, const void* ahead, std::uint64_t* masks) noexcept {
  constexpr decltype(&panel_block<1>) kBlocks[] = {panel_block<1>, panel_block<2>, panel_block<3>, panel_block<4>,
                                                   panel_block<5>, panel_block<6>, panel_block<7>, panel_block<8>};
  if (n_queries == 0) return;
  kBlocks[n_queries - 1](static_cast<const std::int32_t*>(panel), static_cast<const std::int32_t*>(queries),
                         (dim + 1) / 2, rows, limits, ahead, masks);
}

void pack(const void* const* rows, std::size_t n_rows, std::size_t dim, void* panel) noexcept {
  avx512::pack_units(rows, n_rows, dim * 2, 0, panel);
}

// ---------------------------------------------------------------- single queries: rows as they lie

// Four rows at once: four streams keep the memory busy. The lines of the next four rows are fetched meanwhile.
template <std::size_t kRows>
void row_tile(const char* query, const void* const* rows, std::size_t row_bytes, float* products) noexcept {
  __m512 sums[kRows];
  for (std::size_t i = 0; i < kRows; ++i) sums[i] = _mm512_setzero_ps();
  std::size_t at = 0;
  for (; at + 64 <= row_bytes; at += 64) {
    const __m512i q = _mm512_loadu_si512(query + at);
    for (std::size_t i = 0; i < kRows; ++i) {
      _mm_prefetch(static_cast<const char*>(rows[i + kRowsAhead]) + at, _MM_HINT_T0);
      const __m512i row = _mm512_loadu_si512(static_cast<const char*>(rows[i]) + at);
      sums[i] = _mm512_dpbf16_ps(sums[i], (__m512bh)row, (__m512bh)q);
    }
  }
  if (at < row_bytes) {
    const __mmask64 mask = (std::uint64_t{1} << (row_bytes - at)) - 1;
    const __m512i q = _mm512_loadu_si512(query + at);  // zeros behind its end
    for (std::size_t i = 0; i < kRows; ++i) {
      const __m512i row = _mm512_maskz_loadu_epi8(mask, static_cast<const char*>(rows[i]) + at);
      sums[i] = _mm512_dpbf16_ps(sums[i], (__m512bh)row, (__m512bh)q);
    }
  }
  for (std::size_t i = 0; i < kRows; ++i) products[i] = _mm512_reduce_add_ps(sums[i]);
}

std::uint64_t scan_rows(const void* query, const void* const* rows, std::size_t n_rows, std::size_t dim,
                        const RowLimits& limits, const QueryLimit& limit) noexcept {
  const char* q = static_cast<const char*>(query);
  alignas(64) float products[kMaxScanRows];
  std::size_t r = 0;
  for (; r + 4 <= n_rows; r += 4) row_tile<4>(q, rows + r, dim * 2, products + r);
  for (; r < n_rows; ++r) row_tile<1>(q, rows + r, dim * 2, products + r);
  std::uint64_t mask = 0;
  for (r = 0; r < n_rows; r += 16) {
    const __mmask16 lanes = first_lanes(n_rows - r);
    mask |= may_hit(_mm512_maskz_loadu_ps(lanes, products + r), limits, r, lanes, limit) << r;
  }
  return mask;
}

}  // namespace

const ScanKernels kScanBfloat16{QueryForm::kBfloat16, kPanelRows, kBlockQueries, pack, scan_panel, scan_rows};

}  // namespace twotower::kernels::avx512bf16
