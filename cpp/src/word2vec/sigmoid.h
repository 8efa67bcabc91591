// The logistic function in plain float32 arithmetic: one value on every machine, which the mathematical library of a
// system does not promise.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace twotower {

/// e^x for x from -30 to 30; beyond, as at the ends. Relative error below 3e-7.
inline float exp_plain(float x) {
  x = std::min(30.0f, std::max(-30.0f, x));
  const auto n = static_cast<std::int32_t>(x * 1.44269504f + (x < 0 ? -0.5f : 0.5f));
  const auto whole = static_cast<float>(n);
  const float r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;  // ln 2 in two parts (Cody and Waite)
  float sum = 1.0f / 5040;
  sum = sum * r + 1.0f / 720;
  sum = sum * r + 1.0f / 120;
  sum = sum * r + 1.0f / 24;
  sum = sum * r + 1.0f / 6;
  sum = sum * r + 0.5f;
  sum = sum * r + 1.0f;
  sum = sum * r + 1.0f;
  return sum * std::bit_cast<float>((n + 127) << 23);
}

inline float sigmoid(float x) { return 1.0f / (1.0f + exp_plain(-x)); }

}  // namespace twotower
