// Inner products of float32 vectors, and the selection of what may be a hit.
//
// Legend: R rows (documents), D dimensions, P queries of a panel.
//
// An instruction-set file includes this header, <cstddef>, <cstdint> and the intrinsics, and nothing else: an inline
// function of any other header, compiled there with wider instructions, could become everyone's copy.
#pragma once

#include <cstddef>
#include <cstdint>

namespace twotower::kernels {

/// Kernels of one instruction set; kernels.h says what holds for all of them.
struct DenseKernels {
  /// Queries in one panel of dot_panel; a multiple of the vector width, at most kMaxPanel.
  std::size_t panel;

  /// scores[r] = the float32 inner product of `query` [D] and row r of `rows` [R, D].
  void (*dot_rows)(const float* query, const float* rows, std::size_t n_rows, std::size_t dim, float* scores) noexcept;

  /// scores[r * panel + p] = the float32 inner product of row r and query p; `queries` is transposed: [D, panel].
  void (*dot_panel)(const float* queries, const float* rows, std::size_t n_rows, std::size_t dim,
                    float* scores) noexcept;

  /// scores[r] = (float)(sum of (double)query[d] * (double)row[d], d from 0 up): the definition of a dense score.
  void (*dot_exact)(const float* query, const float* const* rows, std::size_t n_rows, std::size_t dim,
                    float* scores) noexcept;

  /// Writes each r whose score is not finite, or whose upper bound score + (factor * norms[r] + absolute) is not
  /// <= threshold, to `found`, ascending; returns how many.
  std::size_t (*select_rows)(const float* scores, const float* norms, std::size_t n_rows, float factor, float absolute,
                             float threshold, std::uint32_t* found) noexcept;

  /// The same for scores [R, panel] with factor, absolute and threshold per query; writes r * panel + p.
  std::size_t (*select_panel)(const float* scores, const float* norms, std::size_t n_rows, const float* factor,
                              const float* absolute, const float* threshold, std::uint32_t* found) noexcept;
};

inline constexpr std::size_t kMaxPanel = 32;

namespace scalar {
extern const DenseKernels kDense;
}
namespace avx2 {
extern const DenseKernels kDense;
}
namespace avx512 {
extern const DenseKernels kDense;
}

}  // namespace twotower::kernels
