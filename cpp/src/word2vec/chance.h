// Random numbers that are a function of (seed, epoch, text): what a text draws hangs on nothing that came before it.
#pragma once

#include <cstdint>

namespace twotower {

/// SplitMix64 (Steele, Lea, Flood 2014). Not for secrets.
class Chance {
 public:
  Chance(std::uint64_t seed, std::uint64_t epoch, std::uint64_t text) : state_(mix(mix(mix(seed) + epoch) + text)) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15;
    return mix(state_);
  }

  /// A number below n, from the high half of a draw; n / 2^32 is the most that a number is favoured by.
  static std::uint32_t below(std::uint64_t draw, std::uint32_t n) {
    return static_cast<std::uint32_t>((draw >> 32) * n >> 32);
  }

 private:
  static std::uint64_t mix(std::uint64_t x) {
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
    x = (x ^ x >> 27) * 0x94D049BB133111EB;
    return x ^ x >> 31;
  }

  std::uint64_t state_;
};

}  // namespace twotower
