// The oracle for inner products and their selection: what each kernel of kernels/dense.h means, in plain C++. Runs on
// any machine.
#include "kernels/dense.h"

namespace twotower::kernels::scalar {
namespace {

void dot_rows(const float* query, const float* rows, std::size_t n_rows, std::size_t dim, float* scores) noexcept {
  for (std::size_t r = 0; r < n_rows; ++r) {
    float sum = 0.0f;
    for (std::size_t d = 0; d < dim; ++d) sum += query[d] * rows[r * dim + d];
    scores[r] = sum;
  }
}

constexpr std::size_t kPanel = 16;

void dot_panel(const float* queries, const float* rows, std::size_t n_rows, std::size_t dim, float* scores) noexcept {
  for (std::size_t r = 0; r < n_rows; ++r) {
    float sum[kPanel] = {};
    for (std::size_t d = 0; d < dim; ++d) {
      const float value = rows[r * dim + d];
      for (std::size_t p = 0; p < kPanel; ++p) sum[p] += queries[d * kPanel + p] * value;
    }
    for (std::size_t p = 0; p < kPanel; ++p) scores[r * kPanel + p] = sum[p];
  }
}

void dot_exact(const float* query, const float* const* rows, std::size_t n_rows, std::size_t dim,
               float* scores) noexcept {
  for (std::size_t r = 0; r < n_rows; ++r) {
    double sum = 0.0;
    for (std::size_t d = 0; d < dim; ++d) sum += static_cast<double>(query[d]) * static_cast<double>(rows[r][d]);
    scores[r] = static_cast<float>(sum);
  }
}

bool may_pass(float score, float norm, float factor, float absolute, float threshold) noexcept {
  const bool finite = score - score == 0.0f;  // infinity and NaN give NaN
  return !finite || !(score + (factor * norm + absolute) <= threshold);
}

std::size_t select_rows(const float* scores, const float* norms, std::size_t n_rows, float factor, float absolute,
                        float threshold, std::uint32_t* found) noexcept {
  std::size_t n = 0;
  for (std::size_t r = 0; r < n_rows; ++r) {
    if (may_pass(scores[r], norms[r], factor, absolute, threshold)) found[n++] = static_cast<std::uint32_t>(r);
  }
  return n;
}

std::size_t select_panel(const float* scores, const float* norms, std::size_t n_rows, const float* factor,
                         const float* absolute, const float* threshold, std::uint32_t* found) noexcept {
  std::size_t n = 0;
  for (std::size_t r = 0; r < n_rows; ++r) {
    for (std::size_t p = 0; p < kPanel; ++p) {
      if (may_pass(scores[r * kPanel + p], norms[r], factor[p], absolute[p], threshold[p])) {
        found[n++] = static_cast<std::uint32_t>(r * kPanel + p);
      }
    }
  }
  return n;
}

}  // namespace

const DenseKernels kDense{kPanel, dot_rows, dot_panel, dot_exact, select_rows, select_panel};

}  // namespace twotower::kernels::scalar
