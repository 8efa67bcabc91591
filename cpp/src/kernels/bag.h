// Rows of embedding tables: weighted sums of rows, and steps of Adam on one row.
//
// Legend: D dimensions of a row. No operation is fused and every dimension is summed in the order of the ids, so that
// all instruction sets agree bit for bit.
//
// An instruction-set file includes this header, <cstddef>, <cstdint> and the intrinsics, and nothing else: an inline
// function of any other header, compiled there with wider instructions, could become everyone's copy.
#pragma once

#include <cstddef>
#include <cstdint>

namespace twotower::kernels {

/// What a step of Adam multiplies with; the same for a whole row.
struct AdamStep {
  float keep_first;   // beta1
  float new_first;    // 1 - beta1
  float keep_second;  // beta2
  float new_second;   // 1 - beta2
  float rate;         // learning rate / (1 - beta1^t)
  float correction;   // 1 / (1 - beta2^t)
  float epsilon;
  float keep_weight;  // 1 - learning rate * weight decay
};

/// Kernels of one instruction set; kernels.h says what holds for all of them.
struct BagKernels {
  /// sum[d] = over i in order, weights[i] * table[ids[i] * dim + d], each product and sum rounded to float32. Without
  /// `weights` (nullptr) rows are added as they are. REQUIRES every id to name a row.
  void (*sum_float32)(const float* table, std::size_t dim, const std::int64_t* ids, const float* weights, std::size_t n,
                      float* sum) noexcept;

  /// The same for a table of bfloat16 (the upper 16 bits of a float32).
  void (*sum_bfloat16)(const std::uint16_t* table, std::size_t dim, const std::int64_t* ids, const float* weights,
                       std::size_t n, float* sum) noexcept;

  /// One step with a gradient: first = keep_first * first + new_first * g; second = keep_second * second +
  /// (new_second * g) * g; weight = keep_weight * weight - (rate * first) / (sqrt(second * correction) + epsilon).
  void (*adam_step)(float* weight, float* first, float* second, const float* gradient, std::size_t dim,
                    const AdamStep& step) noexcept;

  /// `n_steps` steps in a row with a gradient of 0 and keep_weight taken as 1.
  void (*adam_idle)(float* weight, float* first, float* second, std::size_t dim, const AdamStep* steps,
                    std::size_t n_steps) noexcept;
};

namespace scalar {
extern const BagKernels kBag;
}
namespace avx2 {
extern const BagKernels kBag;
}
namespace avx512 {
extern const BagKernels kBag;
}

}  // namespace twotower::kernels
