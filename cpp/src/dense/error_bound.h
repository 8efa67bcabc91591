// How far a float32 inner product can be from the exact score. The proof is docs/math.md, section 1.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace twotower {

/// |fast - exact| <= factor * norm_bound(row) + absolute, as float32 arithmetic evaluates the right side.
struct ErrorBound {
  float factor = 0.0f;
  float absolute = 0.0f;
};

/// n u / (1 - n u) with u = 2^-24: the relative error of n float32 roundings; infinity where it is no bound.
inline double gamma32(std::size_t n) {
  const double nu = static_cast<double>(n) * 0x1p-24;
  return nu < 0.5 ? nu / (1.0 - nu) : std::numeric_limits<double>::infinity();
}

/// The smallest float32 above `value`'s nearest one: never below `value`.
inline float round_up(double value) {
  return std::nextafter(static_cast<float>(value), std::numeric_limits<float>::infinity());
}

/// For one query of `dim` dimensions and a Euclidean norm not above `norm`.
inline ErrorBound error_bound(double norm, std::size_t dim) {
  if (norm == 0.0) return {};  // every product is zero, in either precision
  // 2^-20 covers the float64 summation of the exact score and the roundings of factor * bound + absolute themselves.
  const double relative = gamma32(dim) * (1.0 + 0x1p-20) + static_cast<double>(dim) * 0x1p-52;
  return {round_up(relative * norm), static_cast<float>(static_cast<double>(dim + 4) * 0x1p-148)};
}

}  // namespace twotower
