// A fixed orthogonal map that spreads every vector over all its dimensions, so that one step suits them all.
//
// Signs that a hash fixes and a Walsh-Hadamard transform, over the first and the last 2^m dimensions in turn. It is
// orthogonal as real arithmetic has it; float64 evaluates it with a relative error below 2^-44 of the vector's norm
// (docs/math.md, section 3). Nothing of it is stored: D fixes it.
#pragma once

#include <cstddef>
#include <vector>

namespace twotower {

class Rotation {
 public:
  explicit Rotation(std::size_t dim);

  /// Rotates `vector` [dim] in place. Cost: about 4 dim log2(dim) additions. Thread-safe.
  void apply(double* vector) const noexcept;

 private:
  std::size_t dim_;
  std::size_t part_;                        // dimensions of one transform: the greatest power of two up to dim
  std::vector<std::vector<double>> signs_;  // [rounds][part]: +-1 / sqrt(part)
};

}  // namespace twotower
