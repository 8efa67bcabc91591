// Integer inner products of quantised vectors, and the selection of the rows whose upper end reaches a threshold.
//
// Legend: R rows of a block (16), D dimensions padded to a multiple of 8, P queries of a panel.
//
// A plane holds four bits a dimension of each row. Rows come in blocks of 16, a block in D / 8 groups of 64 bytes: byte
// 4 r + j of group g has dimension 8 g + j of row r in its low half and dimension 8 g + 4 + j in its high half.
//
// An instruction-set file includes this header, <cstddef>, <cstdint> and the intrinsics, and nothing else: an inline
// function of any other header, compiled there with wider instructions, could become everyone's copy.
#pragma once

#include <cstddef>
#include <cstdint>

namespace twotower::kernels {

inline constexpr std::size_t kCodeRows = 16;    // rows of a block
inline constexpr std::size_t kCodeGroup = 8;    // dimensions of a group
inline constexpr std::size_t kGroupBytes = 64;  // kCodeRows * kCodeGroup / 2
inline constexpr std::size_t kCodePanel = 8;    // queries of a panel
inline constexpr std::size_t kHitRows = 48;     // rows of a batch of CodesHits: three blocks
inline constexpr std::size_t kHitLanes = 16;    // the width of one of its panels is one to three times that
inline constexpr std::size_t kMaxHitWidth = 48;
inline constexpr std::size_t kReflected = 8;  // vectors that are reflected together

/// How a sum becomes a score and its upper end: (float)(sum - offset) * (scale * unit) + factor * radius, each
/// operation rounded to float32 in this order, without FMA.
struct CodeLine {
  float unit;
  std::int32_t offset;
  float factor;
  std::int32_t least;  // sums below it are known to be too small: most rows then cost a comparison
};

/// The W queries of a panel of CodesHits, one array each; all but the first in units of the query's step.
struct CodeLines {
  const std::int32_t* offset;
  const std::int32_t* tail_offset;
  const float* factor;
  const float* prefix_factor;
  const float* tail;
  const float* threshold;
};

/// What CodesHits knows of kHitRows rows beside their bytes: the scale of each, and the greatest of all radii and tails.
struct CodeLimits {
  const float* scales;
  const float* radii;         // of whole bytes
  const float* prefix_radii;
  const float* tails;
};

/// Planes of the rows that come next, fetched meanwhile: `step` bytes of each for each row and four dimensions.
struct PlanesAhead {
  const std::uint8_t* high;
  const std::uint8_t* low;
  std::size_t step;
};

/// Batches of kHitRows rows against panels of queries, compared in registers; nullptr where byte_sums and select_sums
/// are as fast.
struct CodesHits {
  /// bytes[(u * kHitRows + r) * 4 + j] = the byte of dimension 4 u + j of row r, of n_blocks <= 3 blocks of both
  /// planes. `bytes` is aligned to 64 bytes; rows of missing blocks are left as they are.
  void (*join)(const std::uint8_t* high, const std::uint8_t* low, std::size_t n_groups, std::size_t n_blocks,
               std::uint8_t* bytes) noexcept;

  /// Bit w of masks[r] is set where (float)(sum - offset) * scale of row r, for query w of a panel [2 * n_groups, W] of
  /// four dimensions each, is not below (threshold - factor * radius) - tail of query * tail of rows (NaN is not). Where
  /// a mask is not 0, sums[r * W + w] = sum - offset. REQUIRES an aligned panel.
  void (*hits)(const void* panel, std::size_t width, const std::uint8_t* bytes, std::size_t n_groups,
               std::size_t n_prefix, const CodeLimits& limits, const CodeLines& lines, const PlanesAhead& ahead, std::uint64_t* masks,
               std::int32_t* sums) noexcept;

  /// sums[r] = the inner product of `query` [4 * n_units] and row r of a block, whose unit u is at bytes[(u * kHitRows +
  /// r) * 4]. REQUIRES an even n_units and `bytes` aligned to 64 bytes.
  void (*unit_sums)(const std::int8_t* query, const std::uint8_t* bytes, std::size_t n_units,
                    std::int32_t* sums) noexcept;
};

/// Kernels of one instruction set; kernels.h says what holds for all of them. Sums are exact: REQUIRES n_groups <=
/// 8192.
struct CodesKernels {
  /// sums[16 b + r] = the inner product of `query` [8 * n_groups], -127 to 127, and the 4-bit numbers (0 to 15) of row
  /// r of block b of a plane.
  void (*plane_sums)(const std::int8_t* query, std::size_t n_groups, const std::uint8_t* plane, std::size_t n_blocks,
                     std::int32_t* sums) noexcept;

  /// sums[q * stride + 16 b + r] = the inner product of query q and the bytes 16 * high + low of row r of block b of
  /// two planes. Queries come in panels: panels[((q / P * 2 n_groups + d / 4) * P + q % P) * 4 + d % 4] is dimension d
  /// of query q, with P = kCodePanel. The sums of the last panel are written for all P.
  void (*byte_sums)(const std::int8_t* panels, std::size_t n_panels, std::size_t n_groups, const std::uint8_t* high,
                    const std::uint8_t* low, std::size_t n_blocks, std::int32_t* sums, std::size_t stride) noexcept;

  /// Writes each r whose sum is at least line.least and whose upper end is not below `threshold` (NaN is not) to
  /// `found`, ascending; returns how many.
  std::size_t (*select_sums)(const std::int32_t* sums, const float* scales, const float* radii, std::size_t n_rows,
                             CodeLine line, float threshold, std::uint32_t* found) noexcept;

  /// Reflects kReflected vectors: x[d * kReflected + i] is dimension d of vector i, and for each r from 0 up x -= v
  /// (weights[r] * (v.x)) with v = reflections[r * dim ...]. The inner product is that of even d, plus that of odd d.
  void (*reflect)(const double* reflections, const double* weights, std::size_t n, std::size_t dim,
                  double* x) noexcept;

  CodesHits panels{};
};

namespace scalar {
extern const CodesKernels kCodes;
}
namespace avx2 {
extern const CodesKernels kCodes;
}
namespace avx512 {
extern const CodesKernels kCodes;
// For avx512vnni, too, which multiplies batches by CodesHits alone.
void byte_sums(const std::int8_t* panels, std::size_t n_panels, std::size_t n_groups, const std::uint8_t* high,
               const std::uint8_t* low, std::size_t n_blocks, std::int32_t* sums, std::size_t stride) noexcept;
std::size_t select_sums(const std::int32_t* sums, const float* scales, const float* radii, std::size_t n_rows,
                        CodeLine line, float threshold, std::uint32_t* found) noexcept;
void reflect(const double* reflections, const double* weights, std::size_t n, std::size_t dim, double* x) noexcept;
}  // namespace avx512
namespace avx512vnni {
extern const CodesKernels kCodes;
}

}  // namespace twotower::kernels
