// NEON (every 64-bit ARM): float32 products with rows of every storage. See kernels/dense.h for the contracts and
// scalar/ for the meaning.
#include "kernels/dense.h"

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::neon {
namespace {

// ---------------------------------------------------------------- stored elements: 4 from d on

struct Float32 {
  using Element = float;
  static float32x4_t load(const Element* row) noexcept { return vld1q_f32(row); }
};

struct Bfloat16 {
  using Element = std::uint16_t;
  static float32x4_t load(const Element* row) noexcept { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(row), 16)); }
};

struct Float16 {
  using Element = std::uint16_t;
  static float32x4_t load(const Element* row) noexcept { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(row))); }
};

struct Int8 {
  using Element = std::int8_t;
  static float32x4_t load(const Element* row) noexcept {
    std::uint32_t four;
    __builtin_memcpy(&four, row, sizeof four);
    const int16x8_t wide = vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(four)));
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide)));
  }
};

// Elements d..d+n-1 of a row, n <= 4, and zeros. Never reads past the row.
template <class Storage>
float32x4_t load(const void* row, std::size_t d, std::size_t n) noexcept {
  const auto* values = static_cast<const typename Storage::Element*>(row) + d;
  if (n >= 4) return Storage::load(values);
  typename Storage::Element part[4] = {};
  __builtin_memcpy(part, values, n * sizeof *part);  // rows may begin anywhere
  return Storage::load(part);
}

// ---------------------------------------------------------------- limits

// Bit i is set where lane i may be a hit. NaN compares false, and so is a hit.
std::uint64_t above(float32x4_t product, float32x4_t unit, float32x4_t factor, float32x4_t threshold, float32x4_t scale,
                    float32x4_t norm, float32x4_t offset) noexcept {
  const float32x4_t upper = vfmaq_f32(vfmaq_f32(offset, factor, norm), vmulq_f32(product, unit), scale);
  constexpr std::uint32_t kBits[4] = {1, 2, 4, 8};
  return vaddvq_u32(vbicq_u32(vld1q_u32(kBits), vcleq_f32(upper, threshold)));
}

// The mask of 4 queries for one row.
std::uint64_t may_hit(float32x4_t product, const RowLimits& rows, std::size_t r, const PanelLimits& panel,
                      std::size_t w) noexcept {
  return above(product, vld1q_f32(panel.unit + w), vld1q_f32(panel.factor + w), vld1q_f32(panel.threshold + w),
               vdupq_n_f32(rows.scale[r]), vdupq_n_f32(rows.norm[r]), vdupq_n_f32(rows.offset[r]))
         << w;
}

// ---------------------------------------------------------------- panels: 4, 8 or 12 queries times 8 rows

constexpr std::size_t kLanes = 4;
constexpr std::size_t kMaxWidth = 12;

// 8 x 3 accumulators, 3 columns of queries and a broadcast are 28 of the 32 registers.
template <std::size_t kVectors, std::size_t kRows>
void panel_block(const float* queries, const char* rows, std::size_t stride, std::size_t dim, const RowLimits& limits,
                 std::size_t first, const PanelLimits& panel, const char* ahead, std::uint64_t* masks) noexcept {
  float32x4_t sums[kRows][kVectors];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = vdupq_n_f32(0.0f);
  }
  for (std::size_t d = 0; d < dim; ++d) {
    __builtin_prefetch(ahead + d * 64, 0, 2);
    float32x4_t q[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) q[v] = vld1q_f32(queries + (d * kVectors + v) * kLanes);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      const float32x4_t value = vdupq_n_f32(reinterpret_cast<const float*>(rows + r * stride)[d]);
      for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = vfmaq_f32(sums[r][v], value, q[v]);
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
  for (; r + 8 <= n_rows; r += 8, next += dim * 64) {
    panel_block<kVectors, 8>(q, x + r * stride, stride, dim, limits, r, panel, next, masks);
  }
  for (; r < n_rows; ++r) {
    panel_block<kVectors, 1>(q, x + r * stride, stride, dim, limits, r, panel, next, masks);
  }
}

void scan_panel(const void* queries, std::size_t width, const void* rows, std::size_t stride, std::size_t n_rows,
                std::size_t dim, const RowLimits& limits, const PanelLimits& panel, const void* ahead,
                std::uint64_t* masks) noexcept {
  const auto scan = width == 4 ? scan_groups<1> : width == 8 ? scan_groups<2> : scan_groups<3>;
  scan(queries, rows, stride, n_rows, dim, limits, panel, ahead, masks);
}

// ---------------------------------------------------------------- single queries: rows as they lie

template <class Storage>
float product(const void* at, const void* row, std::size_t dim, std::int32_t) noexcept {
  const auto* query = static_cast<const float*>(at);
  const auto* values = static_cast<const typename Storage::Element*>(row);
  float32x4_t sums[4] = {vdupq_n_f32(0.0f), vdupq_n_f32(0.0f), vdupq_n_f32(0.0f), vdupq_n_f32(0.0f)};
  std::size_t d = 0;
  for (; d + 16 <= dim; d += 16) {
    for (std::size_t i = 0; i < 4; ++i) {
      sums[i] = vfmaq_f32(sums[i], vld1q_f32(query + d + i * 4), Storage::load(values + d + i * 4));
    }
  }
  for (; d < dim; d += 4) {
    sums[0] = vfmaq_f32(sums[0], load<Float32>(query, d, dim - d), load<Storage>(row, d, dim - d));
  }
  return vaddvq_f32(vaddq_f32(vaddq_f32(sums[0], sums[1]), vaddq_f32(sums[2], sums[3])));
}

template <class Storage>
std::uint64_t scan_rows(const void* query, const void* const* rows, std::size_t n_rows, std::size_t dim,
                        const RowLimits& limits, const QueryLimit& limit) noexcept {
  std::uint64_t mask = 0;
  for (std::size_t r = 0; r < n_rows; r += 4) {
    const std::size_t n = n_rows - r < 4 ? n_rows - r : 4;
    float products[4] = {};
    for (std::size_t i = 0; i < n; ++i) products[i] = product<Storage>(query, rows[r + i], dim, 0);
    const std::uint64_t hits =
        above(vld1q_f32(products), vdupq_n_f32(limit.unit), vdupq_n_f32(limit.factor), vdupq_n_f32(limit.threshold),
              load<Float32>(limits.scale, r, n), load<Float32>(limits.norm, r, n), load<Float32>(limits.offset, r, n));
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

}  // namespace twotower::kernels::neon
