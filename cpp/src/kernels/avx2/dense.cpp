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
  for (std::size_t i = 0; i < n; ++i) part[i] = values[i];
  return Storage::load(part);
}

// ---------------------------------------------------------------- limits

// The mask of 8 rows from r on.
std::uint64_t may_hit(__m256 product, const float* scale, const float* norm, const float* offset,
                      const QueryLimit& limit) noexcept {
  const __m256 rest = _mm256_fmadd_ps(_mm256_set1_ps(limit.factor), _mm256_loadu_ps(norm), _mm256_loadu_ps(offset));
  const __m256 scaled = _mm256_mul_ps(product, _mm256_set1_ps(limit.unit));
  const __m256 upper = _mm256_fmadd_ps(scaled, _mm256_loadu_ps(scale), rest);
  const __m256 above = _mm256_cmp_ps(upper, _mm256_set1_ps(limit.threshold), _CMP_NLE_UQ);
  return static_cast<std::uint64_t>(static_cast<unsigned>(_mm256_movemask_ps(above)));
}

// ---------------------------------------------------------------- panels: 2 x 8 rows times up to 6 queries

constexpr std::size_t kPanelRows = 16;
constexpr std::size_t kBlockQueries = 6;

// 6 x 2 accumulators, 2 columns of rows and 1 broadcast are 15 of the 16 registers.
template <std::size_t kQueries>
void panel_block(const float* panel, const float* queries, std::size_t dim, const RowLimits& rows,
                 const QueryLimit* limits, const void* ahead, std::uint64_t* masks) noexcept {
  __m256 sums[kQueries][2];
#pragma GCC unroll 6
  for (std::size_t b = 0; b < kQueries; ++b) sums[b][0] = sums[b][1] = _mm256_setzero_ps();
  for (std::size_t d = 0; d < dim; ++d) {
    _mm_prefetch(static_cast<const char*>(ahead) + d * 64, _MM_HINT_T1);
    const __m256 x0 = _mm256_load_ps(panel + d * kPanelRows), x1 = _mm256_load_ps(panel + d * kPanelRows + 8);
#pragma GCC unroll 6
    for (std::size_t b = 0; b < kQueries; ++b) {
      const __m256 value = _mm256_set1_ps(queries[d * kBlockQueries + b]);
      sums[b][0] = _mm256_fmadd_ps(value, x0, sums[b][0]);
      sums[b][1] = _mm256_fmadd_ps(value, x1, sums[b][1]);
    }
  }
  for (std::size_t b = 0; b < kQueries; ++b) {
    masks[b] = may_hit(sums[b][0], rows.scale, rows.norm, rows.offset, limits[b]) |
               may_hit(sums[b][1], rows.scale + 8, rows.norm + 8, rows.offset + 8, limits[b]) << 8;
  }
}

void scan_panel(const void* panel, const void* queries, std::size_t n_queries, std::size_t dim, const RowLimits& rows,
                const QueryLimit* limits, const void* ahead, std::uint64_t* masks) noexcept {
  constexpr decltype(&panel_block<1>) kBlocks[] = {panel_block<1>, panel_block<2>, panel_block<3>,
                                                   panel_block<4>, panel_block<5>, panel_block<6>};
  if (n_queries == 0) return;
  kBlocks[n_queries - 1](static_cast<const float*>(panel), static_cast<const float*>(queries), dim, rows, limits, ahead,
                         masks);
}

// Eight rows of eight columns become eight columns of eight rows.
void transpose(__m256* v) noexcept {
  __m256 t[8];
#pragma GCC unroll 2
  for (int h = 0; h < 8; h += 4) {
    const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(v[h], v[h + 1]));
    const __m256d b = _mm256_castps_pd(_mm256_unpackhi_ps(v[h], v[h + 1]));
    const __m256d c = _mm256_castps_pd(_mm256_unpacklo_ps(v[h + 2], v[h + 3]));
    const __m256d e = _mm256_castps_pd(_mm256_unpackhi_ps(v[h + 2], v[h + 3]));
    t[h] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, c));
    t[h + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, c));
    t[h + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(b, e));
    t[h + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(b, e));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    v[i] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x20);
    v[i + 4] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x31);
  }
}

template <class Storage>
void pack(const void* const* rows, std::size_t n_rows, std::size_t dim, void* panel) noexcept {
  for (std::size_t first = 0; first < kPanelRows; first += 8) {
    float* out = static_cast<float*>(panel) + first;
    for (std::size_t d = 0; d < dim; d += 8) {
      const std::size_t n = dim - d < 8 ? dim - d : 8;
      __m256 v[8];
      for (std::size_t i = 0; i < 8; ++i) {
        v[i] = first + i < n_rows ? load<Storage>(rows[first + i], d, n) : _mm256_setzero_ps();
      }
      transpose(v);
      for (std::size_t j = 0; j < n; ++j) _mm256_store_ps(out + (d + j) * kPanelRows, v[j]);
    }
  }
}

// ---------------------------------------------------------------- single queries: rows as they lie

float sum_lanes(__m256 v) noexcept {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

// Four rows at once: four streams keep the memory busy, and their four chains hide half of the FMA's latency; the
// second set of accumulators hides the rest.
template <class Storage, std::size_t kRows>
void row_tile(const float* query, const void* const* rows, std::size_t dim, float* products) noexcept {
  __m256 even[kRows], odd[kRows];
  for (std::size_t i = 0; i < kRows; ++i) even[i] = odd[i] = _mm256_setzero_ps();
  std::size_t d = 0;
  for (; d + 16 <= dim; d += 16) {
    const __m256 q0 = _mm256_loadu_ps(query + d), q1 = _mm256_loadu_ps(query + d + 8);
    for (std::size_t i = 0; i < kRows; ++i) {
      const auto* row = static_cast<const typename Storage::Element*>(rows[i]) + d;
      _mm_prefetch(static_cast<const char*>(rows[i + kRowsAhead]) + d * sizeof(*row), _MM_HINT_T0);
      even[i] = _mm256_fmadd_ps(q0, Storage::load(row), even[i]);
      odd[i] = _mm256_fmadd_ps(q1, Storage::load(row + 8), odd[i]);
    }
  }
  for (; d < dim; d += 8) {
    const std::size_t n = dim - d < 8 ? dim - d : 8;
    const __m256 q = load<Float32>(query, d, n);
    for (std::size_t i = 0; i < kRows; ++i) even[i] = _mm256_fmadd_ps(q, load<Storage>(rows[i], d, n), even[i]);
  }
  for (std::size_t i = 0; i < kRows; ++i) products[i] = sum_lanes(_mm256_add_ps(even[i], odd[i]));
}

template <class Storage>
std::uint64_t scan_rows(const void* query, const void* const* rows, std::size_t n_rows, std::size_t dim,
                        const RowLimits& limits, const QueryLimit& limit) noexcept {
  const float* q = static_cast<const float*>(query);
  std::uint64_t mask = 0;
  for (std::size_t r = 0; r < n_rows; r += 8) {
    const std::size_t n = n_rows - r < 8 ? n_rows - r : 8;
    float products[8] = {}, scale[8] = {}, norm[8] = {}, offset[8] = {};
    for (std::size_t i = 0; i < n; ++i) {
      scale[i] = limits.scale[r + i];
      norm[i] = limits.norm[r + i];
      offset[i] = limits.offset[r + i];
    }
    std::size_t i = 0;
    for (; i + 4 <= n; i += 4) row_tile<Storage, 4>(q, rows + r + i, dim, products + i);
    for (; i < n; ++i) row_tile<Storage, 1>(q, rows + r + i, dim, products + i);
    mask |= (may_hit(_mm256_loadu_ps(products), scale, norm, offset, limit) & ((1u << n) - 1u)) << r;
  }
  return mask;
}

template <class Storage>
constexpr ScanKernels kScan{QueryForm::kFloat32, kPanelRows, kBlockQueries,
                            pack<Storage>,       scan_panel, scan_rows<Storage>};

}  // namespace

const ScanKernels kScanFloat32 = kScan<Float32>;
const ScanKernels kScanBfloat16 = kScan<Bfloat16>;
const ScanKernels kScanFloat16 = kScan<Float16>;
const ScanKernels kScanInt8 = kScan<Int8>;

}  // namespace twotower::kernels::avx2
