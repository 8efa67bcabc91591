// The roundings that bounds of exact scores are made of. The proofs are docs/math.md, sections 1 and 3.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

namespace twotower {

/// n u / (1 - n u) with u = 2^-24: the relative error of n float32 roundings; infinity where it is no bound.
inline double gamma32(std::size_t n) {
  const double nu = static_cast<double>(n) * 0x1p-24;
  return nu < 0.5 ? nu / (1.0 - nu) : std::numeric_limits<double>::infinity();
}

/// The smallest float32 above `value`'s nearest one: never below `value`.
inline float round_up(double value) {
  return std::nextafter(static_cast<float>(value), std::numeric_limits<float>::infinity());
}

}  // namespace twotower
