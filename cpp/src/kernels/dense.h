// Inner products of stored vectors, the choice of what may be a hit, and exact sums.
//
// Legend: R rows (documents), D dimensions, U units of a row (32 bits each), W queries of a panel.
//
// An instruction-set file includes this header, <cstddef>, <cstdint> and the intrinsics, and nothing else: an inline
// function of any other header, compiled there with wider instructions, could become everyone's copy.
#pragma once

#include <cstddef>
#include <cstdint>

namespace twotower::kernels {

/// Rows r of a call: what a fast product needs to become an upper bound of a row's score (docs/math.md, section 1).
struct RowLimits {
  const float* scale;
  const float* norm;
  const float* offset;
  const std::int32_t* start;  ///< of QueryForm::kInt8 alone: -128 times the sum of the row, which takes its 128s back
};

/// One query. A row may be a hit unless product * unit * scale + (factor * norm + offset) <= threshold; a NaN is a hit.
struct QueryLimit {
  float unit;
  float factor;
  float threshold;
};

/// The same for the W queries of a panel, one array each.
struct PanelLimits {
  const float* unit;
  const float* factor;
  const float* threshold;
};

/// What a query looks like to the products: its elements end to end, filled up with zeros to kQueryAlign bytes.
enum class QueryForm : std::uint8_t {
  kFloat32,
  kBfloat16,  ///< rounded to bfloat16, denormals to zero
  kInt8,      ///< round(q / unit) + 128 as an unsigned byte
};

inline constexpr std::size_t kQueryAlign = 64;
inline constexpr std::size_t kMaxPanelWidth = 48;
inline constexpr std::size_t kMaxScanRows = 64;

/// Fast products with the rows of one storage type.
struct ScanKernels {
  QueryForm form;
  bool widened;       ///< scan_panel reads rows of float32, whatever the storage
  std::size_t lanes;  ///< the width W of a panel is a multiple of it
  std::size_t max_width;

  /// Bit w of masks[r] is set where row r may be a hit of query w of a panel [U, W] of 32-bit units, aligned to 64
  /// bytes.
  ///
  /// `rows` begin `stride` bytes apart, and have zeros up to a whole unit. Meanwhile one to three cache lines
  /// for each unit and some rows are fetched from `ahead` on, wherever that points.
  void (*scan_panel)(const void* queries, std::size_t width, const void* rows, std::size_t stride, std::size_t n_rows,
                     std::size_t dim, const RowLimits& limits, const PanelLimits& panel, const void* ahead,
                     std::uint64_t* masks) noexcept;

  /// Bit r is set where row r of n_rows <= kMaxScanRows stored rows may be a hit of one query.
  std::uint64_t (*scan_rows)(const void* query, const void* const* rows, std::size_t n_rows, std::size_t dim,
                             const RowLimits& limits, const QueryLimit& limit) noexcept;

  /// The product of one query and one stored row that scan_rows looks at; `start` as in RowLimits.
  float (*product)(const void* query, const void* row, std::size_t dim, std::int32_t start) noexcept;
};

/// What a row of 8-bit integers stands for: about step * codes.
struct CodedRow {
  float step;          ///< the row's greatest magnitude / 127; 0 for zeros; NaN where it is outside kCodedRange
  std::int32_t start;  ///< -128 times the sum of the codes
};

/// Greatest magnitudes of rows that are coded: their steps and the reciprocals of these are normal numbers.
inline constexpr float kLeastCoded = 0x1p-60f, kMostCoded = 0x1p+62f;

/// Rounds rows to 8-bit integers for one panel scan (DenseKernels::int8), where that multiplies faster than the stored
/// elements; nullptr where it does not.
///
/// codes[d] is within 1/2 + 2^-14 of row[d] / step and -127 to 127; codes are filled up with zeros to a multiple of
/// kQueryAlign bytes. Outside the range all are 0.
struct CodeRowKernels {
  CodedRow (*float32)(const void* row, std::size_t dim, std::int8_t* codes) noexcept;
  CodedRow (*bfloat16)(const void* row, std::size_t dim, std::int8_t* codes) noexcept;
  CodedRow (*float16)(const void* row, std::size_t dim, std::int8_t* codes) noexcept;
};

/// The sums that scores are defined by, in float64, d from 0 up, each operation rounded.
struct ExactKernels {
  /// sums[r] = sum of query[d] * rows[r][d].
  void (*dot)(const float* query, const float* const* rows, std::size_t n_rows, std::size_t dim, double* sums) noexcept;

  /// sums[r] = sum of (query[d] - rows[r][d])^2.
  void (*squared_distance)(const float* query, const float* const* rows, std::size_t n_rows, std::size_t dim,
                           double* sums) noexcept;

  /// Stored elements as float32, which hold each of them exactly.
  void (*widen_bfloat16)(const void* row, std::size_t dim, float* values) noexcept;
  void (*widen_float16)(const void* row, std::size_t dim, float* values) noexcept;
  void (*widen_int8)(const void* row, std::size_t dim, float* values) noexcept;
};

/// Kernels of one instruction set, by what rows are stored as; kernels.h says what holds for all of them.
struct DenseKernels {
  const ExactKernels& exact;
  const ScanKernels& float32;
  const ScanKernels& bfloat16;
  const ScanKernels& float16;
  const ScanKernels& int8;
  const CodeRowKernels& code_row;
};

#define TWOTOWER_DENSE(isa)               \
  namespace isa {                         \
  extern const ExactKernels kDenseExact;  \
  extern const ScanKernels kScanFloat32;  \
  extern const ScanKernels kScanBfloat16; \
  extern const ScanKernels kScanFloat16;  \
  extern const ScanKernels kScanInt8;     \
  }
TWOTOWER_DENSE(scalar)
TWOTOWER_DENSE(avx2)
TWOTOWER_DENSE(avx512)
TWOTOWER_DENSE(neon)
#undef TWOTOWER_DENSE

/// Of instruction sets without products of 8-bit integers.
inline constexpr CodeRowKernels kNoCodeRow{};

namespace avx512vnni {
extern const ScanKernels kScanInt8;
extern const CodeRowKernels kCodeRow;
}  // namespace avx512vnni
namespace avx512bf16 {
extern const ScanKernels kScanBfloat16;
}

}  // namespace twotower::kernels
