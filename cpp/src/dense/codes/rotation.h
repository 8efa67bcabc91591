// The orthogonal map under which vectors are coded: reflections, then a mixing of the prefix and one of the tail.
//
// A reflection is x - 2 v (v.x) / (v.v), orthogonal whatever v is, so that a file cannot make this map anything else.
// Float64 evaluates it with a relative error below 2^-28.9 of the vector's norm (docs/math.md, section 3). Does not know
// what the reflections are good for: that they turn the tail into directions in which vectors vary little.
#pragma once

#include <cstddef>
#include <vector>

#include "dense/codes/mixing.h"
#include "kernels/codes.h"

namespace twotower {

class Rotation {
 public:
  /// REQUIRES 1 <= prefix <= dim, and `reflections` [n, dim] finite, none of them zero; n <= dim <= 2048 if n > 0.
  Rotation(std::size_t dim, std::size_t prefix, const float* reflections, std::size_t n_reflections);

  std::size_t prefix() const noexcept { return prefix_; }
  bool has_tail() const noexcept { return prefix_ < dim_; }

  /// Rotates `vectors` [n_vectors, dim] in place; n_vectors <= kernels::kReflected. Cost: 4 dim operations for each
  /// reflection and vector, and those of Mixing. Thread-safe.
  void apply(const kernels::CodesKernels& kernels, double* vectors, std::size_t n_vectors) const;

 private:
  void reflect_one(double* vector) const noexcept;
  void reflect_lanes(const kernels::CodesKernels& kernels, double* vectors, std::size_t n_vectors) const;

  std::size_t dim_;
  std::size_t prefix_;
  std::vector<double> reflections_;  // [n, dim]
  std::vector<double> weights_;      // [n]: 2 / (v.v)
  Mixing of_prefix_;
  Mixing of_tail_;
};

}  // namespace twotower
