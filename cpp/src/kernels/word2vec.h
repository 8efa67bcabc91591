// Inner products of one vector with rows of a table, and the step that moves both. For the training of word vectors.
//
// Legend: R rows, D dimensions.
//
// An instruction-set file includes this header, <cstddef>, <cstdint> and the intrinsics, and nothing else: an inline
// function of any other header, compiled there with wider instructions, could become everyone's copy.
#pragma once

#include <cstddef>
#include <cstdint>

namespace twotower::kernels {

inline constexpr std::size_t kLanes = 16;  ///< partial sums of an inner product; lane j has dimensions j, j + 16, ...

/// Kernels of one instruction set; kernels.h says what holds for all of them. Row r is table + rows[r] * dim.
struct Word2VecKernels {
  /// scores[r] = the inner product of `input` and row r: kLanes sums, each product and sum rounded to float32, folded
  /// in halves (lane j and j + 8, then j + 4, j + 2, j + 1).
  void (*row_scores)(const float* input, const float* table, const std::uint32_t* rows, std::size_t n_rows,
                     std::size_t dim, float* scores) noexcept;

  /// For r = 0 .. n_rows - 1 in this order: error += steps[r] * row r, then row r += steps[r] * input. A row may come
  /// twice. REQUIRES that `input` and `error` are no part of the table.
  void (*step_rows)(const float* input, float* table, const std::uint32_t* rows, const float* steps, std::size_t n_rows,
                    std::size_t dim, float* error) noexcept;
};

namespace scalar {
extern const Word2VecKernels kWord2Vec;
}
namespace avx2 {
extern const Word2VecKernels kWord2Vec;
}
namespace avx512 {
extern const Word2VecKernels kWord2Vec;
}

}  // namespace twotower::kernels
