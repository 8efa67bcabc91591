#include "dense/codes/rotation.h"

#include <bit>
#include <cmath>
#include <cstdint>

namespace twotower {
namespace {

// The finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
std::uint64_t mix(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

void hadamard(double* x, std::size_t n) noexcept {
  for (std::size_t half = 1; half < n; half *= 2) {
    for (std::size_t i = 0; i < n; i += 2 * half) {
      for (std::size_t j = i; j < i + half; ++j) {
        const double a = x[j], b = x[j + half];
        x[j] = a + b;
        x[j + half] = a - b;
      }
    }
  }
}

}  // namespace

Rotation::Rotation(std::size_t dim) : dim_(dim), part_(std::bit_floor(dim)) {
  const std::size_t rounds = part_ == dim ? 2 : 4;
  const double scale = 1.0 / std::sqrt(static_cast<double>(part_));
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<double> signs(part_);
    for (std::size_t d = 0; d < part_; ++d) signs[d] = (mix(round << 32 | d) & 1) != 0 ? scale : -scale;
    signs_.push_back(std::move(signs));
  }
}

void Rotation::apply(double* vector) const noexcept {
  for (std::size_t round = 0; round < signs_.size(); ++round) {
    double* part = vector + (round % 2 == 0 ? 0 : dim_ - part_);
    for (std::size_t d = 0; d < part_; ++d) part[d] *= signs_[round][d];
    hadamard(part, part_);
  }
}

}  // namespace twotower
