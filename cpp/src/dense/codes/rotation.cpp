#include "dense/codes/rotation.h"

#include <cmath>
#include <string>

#include "kernels/codes.h"
#include "twotower/dense_codes.h"
#include "twotower/error.h"

namespace twotower {
namespace {

constexpr std::size_t kLanes = 8;  // partial sums, which the compiler keeps side by side

template <typename T>
double inner_product(const T* v, const T* x, std::size_t n) noexcept {
  double sums[kLanes] = {};
  std::size_t d = 0;
  for (; d + kLanes <= n; d += kLanes) {
    for (std::size_t i = 0; i < kLanes; ++i) sums[i] += static_cast<double>(v[d + i]) * static_cast<double>(x[d + i]);
  }
  double sum = 0.0;
  for (; d < n; ++d) sum += static_cast<double>(v[d]) * static_cast<double>(x[d]);
  for (const double part : sums) sum += part;
  return sum;
}

}  // namespace

Rotation::Rotation(std::size_t dim, std::size_t prefix, const float* reflections, std::size_t n_reflections)
    : dim_(dim),
      prefix_(prefix),
      reflections_(reflections, reflections + n_reflections * dim),
      of_prefix_(prefix),
      of_tail_(dim - prefix) {
  for (std::size_t at = 0; at < reflections_.size(); at += dim) {
    weights_.push_back(2.0 / inner_product(&reflections_[at], &reflections_[at], dim));
  }
}

void Rotation::apply(const kernels::CodesKernels& kernels, double* vectors, std::size_t n_vectors) const {
  if (n_vectors == 1 || weights_.empty()) {
    for (std::size_t i = 0; i < n_vectors; ++i) reflect_one(vectors + i * dim_);
  } else {
    reflect_lanes(kernels, vectors, n_vectors);
  }
  for (std::size_t i = 0; i < n_vectors; ++i) {
    of_prefix_.apply(vectors + i * dim_);
    if (has_tail()) of_tail_.apply(vectors + i * dim_ + prefix_);
  }
}

void Rotation::reflect_one(double* vector) const noexcept {
  const double* v = reflections_.data();
  for (const double weight : weights_) {
    const double length = weight * inner_product(v, vector, dim_);
    for (std::size_t d = 0; d < dim_; ++d) vector[d] -= length * v[d];
    v += dim_;
  }
}

void Rotation::reflect_lanes(const kernels::CodesKernels& kernels, double* vectors, std::size_t n_vectors) const {
  std::vector<double> lanes(dim_ * kernels::kReflected);
  for (std::size_t i = 0; i < n_vectors; ++i) {
    for (std::size_t d = 0; d < dim_; ++d) lanes[d * kernels::kReflected + i] = vectors[i * dim_ + d];
  }
  kernels.reflect(reflections_.data(), weights_.data(), weights_.size(), dim_, lanes.data());
  for (std::size_t i = 0; i < n_vectors; ++i) {
    for (std::size_t d = 0; d < dim_; ++d) vectors[i * dim_ + d] = lanes[d * kernels::kReflected + i];
  }
}

std::shared_ptr<const Rotation> make_rotation(std::size_t dim, std::size_t prefix, const float* reflections,
                                              std::size_t n_reflections) {
  if (prefix < 1 || prefix > dim || (prefix < dim && prefix % kernels::kCodeGroup != 0)) {
    throw InvalidInput("the prefix is " + std::to_string(prefix) + " of " + std::to_string(dim) +
                       " dimensions: give all of them or a multiple of " + std::to_string(kernels::kCodeGroup));
  }
  if (n_reflections > 0 && (dim > kMaxReflectedDim || n_reflections > dim)) {
    throw InvalidInput(std::to_string(n_reflections) + " reflections of " + std::to_string(dim) +
                       " dimensions: at most one for each of at most " + std::to_string(kMaxReflectedDim));
  }
  for (std::size_t r = 0; r < n_reflections; ++r) {
    const double length = inner_product(reflections + r * dim, reflections + r * dim, dim);
    if (!(length > 0.0) || std::isinf(length)) {
      throw InvalidInput("reflection " + std::to_string(r) + " is zero or not finite");
    }
  }
  return std::make_shared<const Rotation>(dim, prefix, reflections, n_reflections);
}

}  // namespace twotower
