// The meaning of the kernels of embedding rows: every other instruction set is compared with this file.
#include "kernels/bag.h"

#include <cmath>
#include <cstring>

namespace twotower::kernels::scalar {
namespace {

float widen(float value) noexcept { return value; }

float widen(std::uint16_t value) noexcept {
  const std::uint32_t bits = static_cast<std::uint32_t>(value) << 16;
  float wide;
  std::memcpy(&wide, &bits, sizeof wide);
  return wide;
}

template <class T>
void sum(const T* table, std::size_t dim, const std::int64_t* ids, const float* weights, std::size_t n,
         float* to) noexcept {
  for (std::size_t d = 0; d < dim; ++d) to[d] = 0.0f;
  for (std::size_t i = 0; i < n; ++i) {
    const T* row = table + static_cast<std::size_t>(ids[i]) * dim;
    for (std::size_t d = 0; d < dim; ++d) to[d] += weights == nullptr ? widen(row[d]) : weights[i] * widen(row[d]);
  }
}

void adam_step(float* weight, float* first, float* second, const float* gradient, std::size_t dim,
               const AdamStep& s) noexcept {
  for (std::size_t d = 0; d < dim; ++d) {
    const float g = gradient[d];
    first[d] = s.keep_first * first[d] + s.new_first * g;
    second[d] = s.keep_second * second[d] + s.new_second * g * g;
    weight[d] = s.keep_weight * weight[d] - s.rate * first[d] / (std::sqrt(second[d] * s.correction) + s.epsilon);
  }
}

void adam_idle(float* weight, float* first, float* second, std::size_t dim, const AdamStep* steps,
               std::size_t n_steps) noexcept {
  for (std::size_t d = 0; d < dim; ++d) {
    for (std::size_t t = 0; t < n_steps; ++t) {
      first[d] *= steps[t].keep_first;
      second[d] *= steps[t].keep_second;
      weight[d] -= steps[t].rate * first[d] / (std::sqrt(second[d] * steps[t].correction) + steps[t].epsilon);
    }
  }
}

}  // namespace

const BagKernels kBag{sum<float>, sum<std::uint16_t>, adam_step, adam_idle};

}  // namespace twotower::kernels::scalar
