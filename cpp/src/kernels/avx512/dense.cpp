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

// 8 x 3 accumulators and 3 columns of rows are 27 of the 32 registers; the queries are broadcast from memory.
template <std::size_t kQueries>
void panel_block(const float* panel, const float* queries, std::size_t dim, const RowLimits& rows,
                 const QueryLimit* limits, const void* ahead, std::uint64_t* masks) noexcept {
  __m512 sums[kQueries][3];
#pragma GCC unroll 8
  for (std::size_t b = 0; b < kQueries; ++b) sums[b][0] = sums[b][1] = sums[b][2] = _mm512_setzero_ps();
  for (std::size_t d = 0; d < dim; ++d) {
    _mm_prefetch(static_cast<const char*>(ahead) + d * 64, _MM_HINT_T1);
    const float* column = panel + d * kPanelRows;
    const __m512 x0 = _mm512_load_ps(column), x1 = _mm512_load_ps(column + 16), x2 = _mm512_load_ps(column + 32);
#pragma GCC unroll 8
    for (std::size_t b = 0; b < kQueries; ++b) {
      const __m512 value = _mm512_set1_ps(queries[d * kBlockQueries + b]);
      sums[b][0] = _mm512_fmadd_ps(value, x0, sums[b][0]);
      sums[b][1] = _mm512_fmadd_ps(value, x1, sums[b][1]);
      sums[b][2] = _mm512_fmadd_ps(value, x2, sums[b][2]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t b = 0; b < kQueries; ++b) {
    masks[b] = may_hit(sums[b][0], rows, 0, 0xFFFF, limits[b]) |
               may_hit(sums[b][1], rows, 16, 0xFFFF, limits[b]) << 16 |
               may_hit(sums[b][2], rows, 32, 0xFFFF, limits[b]) << 32;
  }
}

void scan_panel(const void* panel, const void* queries, std::size_t n_queries, std::size_t dim, const RowLimits& rows,
                const QueryLimit* limits, const void* ahead, std::uint64_t* masks) noexcept {
  constexpr decltype(&panel_block<1>) kBlocks[] = {panel_block<1>, panel_block<2>, panel_block<3>, panel_block<4>,
                                                   panel_block<5>, panel_block<6>, panel_block<7>, panel_block<8>};
  if (n_queries == 0) return;
  kBlocks[n_queries - 1](static_cast<const float*>(panel), static_cast<const float*>(queries), dim, rows, limits, ahead,
                         masks);
}

// Columns of 16 rows become 16 rows of columns: in lanes of 4 by unpacking, then across lanes.
void transpose(__m512* v) noexcept {
  __m512 a[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 4) {
    const __m512 t0 = _mm512_unpacklo_ps(v[i], v[i + 1]), t1 = _mm512_unpackhi_ps(v[i], v[i + 1]);
    const __m512 t2 = _mm512_unpacklo_ps(v[i + 2], v[i + 3]), t3 = _mm512_unpackhi_ps(v[i + 2], v[i + 3]);
    a[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(t0), _mm512_castps_pd(t2)));
    a[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(t0), _mm512_castps_pd(t2)));
    a[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(t1), _mm512_castps_pd(t3)));
    a[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(t1), _mm512_castps_pd(t3)));
  }
#pragma GCC unroll 8
  for (int i = 0; i < 4; ++i) {
    const __m512 b0 = _mm512_shuffle_f32x4(a[i], a[i + 4], 0x44), b1 = _mm512_shuffle_f32x4(a[i], a[i + 4], 0xEE);
    const __m512 b2 = _mm512_shuffle_f32x4(a[i + 8], a[i + 12], 0x44);
    const __m512 b3 = _mm512_shuffle_f32x4(a[i + 8], a[i + 12], 0xEE);
    v[i] = _mm512_shuffle_f32x4(b0, b2, 0x88);
    v[i + 4] = _mm512_shuffle_f32x4(b0, b2, 0xDD);
    v[i + 8] = _mm512_shuffle_f32x4(b1, b3, 0x88);
    v[i + 12] = _mm512_shuffle_f32x4(b1, b3, 0xDD);
  }
}

// `load(row, u, mask)` gives 16 units of a row from u on.
template <class Load>
void pack_with(Load load, const void* const* rows, std::size_t n_rows, std::size_t n_units, void* panel) noexcept {
  float* out = static_cast<float*>(panel);
  for (std::size_t first = 0; first < kPanelRows; first += 16) {
    for (std::size_t u = 0; u < n_units; u += 16) {
      const std::size_t n = n_units - u < 16 ? n_units - u : 16;
      __m512 v[16];
#pragma GCC unroll 16
      for (std::size_t i = 0; i < 16; ++i) {
        v[i] = first + i < n_rows ? load(rows[first + i], u, first_lanes(n)) : _mm512_setzero_ps();
      }
      transpose(v);
      float* columns = out + u * kPanelRows + first;
      if (n == 16) {
#pragma GCC unroll 16
        for (std::size_t j = 0; j < 16; ++j) _mm512_store_ps(columns + j * kPanelRows, v[j]);
      } else {
        for (std::size_t j = 0; j < n; ++j) _mm512_store_ps(columns + j * kPanelRows, v[j]);
      }
    }
  }
}

template <class Storage>
void pack(const void* const* rows, std::size_t n_rows, std::size_t dim, void* panel) noexcept {
  pack_with(Storage::load, rows, n_rows, dim, panel);
}

// ---------------------------------------------------------------- single queries: rows as they lie

// Four rows at once: four streams keep the memory busy, and their chains hide the latency of the FMA. The lines of the
// next four rows are fetched meanwhile.
template <class Storage, std::size_t kRows>
void row_tile(const float* query, const void* const* rows, std::size_t dim, float* products) noexcept {
  constexpr std::size_t kLine = 64 / Storage::kBytes;
  __m512 even[kRows], odd[kRows];
  for (std::size_t i = 0; i < kRows; ++i) even[i] = odd[i] = _mm512_setzero_ps();
  std::size_t d = 0;
  for (; d + 32 <= dim; d += 32) {
    const __m512 q0 = _mm512_loadu_ps(query + d), q1 = _mm512_loadu_ps(query + d + 16);
    for (std::size_t i = 0; i < kRows; ++i) {
      if (d % kLine == 0 || kLine < 32) {
        const char* ahead = static_cast<const char*>(rows[i + kRowsAhead]) + d * Storage::kBytes;
        _mm_prefetch(ahead, _MM_HINT_T0);
        if (kLine < 32) _mm_prefetch(ahead + 64, _MM_HINT_T0);
      }
      even[i] = _mm512_fmadd_ps(q0, Storage::load(rows[i], d, 0xFFFF), even[i]);
      odd[i] = _mm512_fmadd_ps(q1, Storage::load(rows[i], d + 16, 0xFFFF), odd[i]);
    }
  }
  for (; d < dim; d += 16) {
    const __mmask16 mask = first_lanes(dim - d);
    const __m512 q = _mm512_maskz_loadu_ps(mask, query + d);
    for (std::size_t i = 0; i < kRows; ++i) even[i] = _mm512_fmadd_ps(q, Storage::load(rows[i], d, mask), even[i]);
  }
  for (std::size_t i = 0; i < kRows; ++i) products[i] = _mm512_reduce_add_ps(_mm512_add_ps(even[i], odd[i]));
}

template <class Storage>
std::uint64_t scan_rows(const void* query, const void* const* rows, std::size_t n_rows, std::size_t dim,
                        const RowLimits& limits, const QueryLimit& limit) noexcept {
  const float* q = static_cast<const float*>(query);
  alignas(64) float products[kMaxScanRows];
  std::size_t r = 0;
  for (; r + 4 <= n_rows; r += 4) row_tile<Storage, 4>(q, rows + r, dim, products + r);
  for (; r < n_rows; ++r) row_tile<Storage, 1>(q, rows + r, dim, products + r);
  std::uint64_t mask = 0;
  for (r = 0; r < n_rows; r += 16) {
    const __mmask16 lanes = first_lanes(n_rows - r);
    mask |= may_hit(_mm512_maskz_loadu_ps(lanes, products + r), limits, r, lanes, limit) << r;
  }
  return mask;
}

template <class Storage>
constexpr ScanKernels kScan{QueryForm::kFloat32, kPanelRows, kBlockQueries,
                            pack<Storage>,       scan_panel, scan_rows<Storage>};

}  // namespace

void pack_units(const void* const* rows, std::size_t n_rows, std::size_t row_bytes, unsigned char flip,
                void* panel) noexcept {
  const __m512i flips = _mm512_set1_epi8(static_cast<char>(flip));
  const auto load = [=](const void* row, std::size_t u, __mmask16) noexcept {
    const std::size_t left = row_bytes - u * 4;
    const __mmask64 bytes = left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
    const __m512i units = _mm512_maskz_loadu_epi8(bytes, static_cast<const char*>(row) + u * 4);
    return _mm512_castsi512_ps(_mm512_xor_si512(units, flips));
  };
  pack_with(load, rows, n_rows, (row_bytes + 3) / 4, panel);
}

const ScanKernels kScanFloat32 = kScan<Float32>;
const ScanKernels kScanBfloat16 = kScan<Bfloat16>;
const ScanKernels kScanFloat16 = kScan<Float16>;
const ScanKernels kScanInt8 = kScan<Int8>;

}  // namespace twotower::kernels::avx512
