// Numbers as kernels handle them: bits of floats, stored elements, keys that sort like results. The same on host and
// device; compiled without contraction to fused operations, so that both give the same bits.
#pragma once

#include <cstdint>

#include "cuda/qualifiers.h"
#include "twotower/dense.h"

namespace twotower::cuda {

/// 16 bytes that are read and written at once.
struct alignas(16) Words4 {
  std::uint32_t word[4];
};

TWOTOWER_BOTH float float_of(std::uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

TWOTOWER_BOTH std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline constexpr std::uint32_t kInfinityBits = 0x7F800000u;
inline constexpr std::uint32_t kNanBits = 0x7FC00000u;

TWOTOWER_BOTH float infinity() { return float_of(kInfinityBits); }
TWOTOWER_BOTH float not_a_number() { return float_of(kNanBits); }
TWOTOWER_BOTH float magnitude(float value) { return float_of(bits_of(value) & 0x7FFFFFFFu); }
TWOTOWER_BOTH bool is_finite(float value) { return (bits_of(value) & kInfinityBits) != kInfinityBits; }

/// The float32 above `value` (below for next_down); infinities and NaN stay.
TWOTOWER_BOTH float next_up(float value) {
  const std::uint32_t bits = bits_of(value);
  if (!(value < infinity())) return value;
  if (value == 0.0f) return float_of(1u);
  return float_of(value > 0.0f ? bits + 1 : bits - 1);
}
TWOTOWER_BOTH float next_down(float value) { return -next_up(-value); }

/// A float32 that is not below (not above) the number; off by at most two steps.
TWOTOWER_BOTH float round_up(double value) { return next_up(static_cast<float>(value)); }
TWOTOWER_BOTH float round_down(double value) { return next_down(static_cast<float>(value)); }

// ---------------------------------------------------------------- stored elements

TWOTOWER_BOTH constexpr std::uint32_t element_bytes(Storage storage) {
  return storage == Storage::kFloat32 ? 4u : storage == Storage::kInt8 ? 1u : 2u;
}

TWOTOWER_BOTH float widen_float16(std::uint32_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16, rest = bits & 0x7FFFu;
  if (rest >= 0x7C00u) return float_of(sign | kInfinityBits | (rest & 0x3FFu) << 13);
  const float value = float_of(rest << 13) * 0x1p+112f;  // moves the exponent's bias, for denormals too: exact
  return sign == 0 ? value : -value;
}

/// Storage `i` of the elements that a 32-bit word holds, least first, as a float32.
TWOTOWER_BOTH float element_of_word(Storage storage, std::uint32_t word, std::uint32_t i) {
  switch (storage) {
    case Storage::kBfloat16:
      return float_of((word >> (16 * i)) << 16);
    case Storage::kFloat16:
      return widen_float16((word >> (16 * i)) & 0xFFFFu);
    case Storage::kInt8:
      return static_cast<float>(static_cast<std::int8_t>((word >> (8 * i)) & 0xFFu));
    default:
      return float_of(word);
  }
}

/// Storage `i` of an array of elements, as a float32.
TWOTOWER_BOTH float element_at(Storage storage, const void* data, std::uint64_t i) {
  switch (storage) {
    case Storage::kBfloat16:
      return float_of(static_cast<std::uint32_t>(static_cast<const std::uint16_t*>(data)[i]) << 16);
    case Storage::kFloat16:
      return widen_float16(static_cast<const std::uint16_t*>(data)[i]);
    case Storage::kInt8:
      return static_cast<float>(static_cast<const std::int8_t*>(data)[i]);
    default:
      return static_cast<const float*>(data)[i];
  }
}

/// To the nearest bfloat16, ties to even; denormals and what would become infinite to zero.
TWOTOWER_BOTH std::uint16_t to_bfloat16(float value) {
  const std::uint32_t bits = bits_of(value), exponent = bits >> 23 & 0xFFu;
  const std::uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
  return exponent == 0 || (rounded & 0x7F80u) == 0x7F80u ? std::uint16_t{0} : static_cast<std::uint16_t>(rounded);
}

/// To the nearest float16, ties to even. REQUIRES a magnitude of at most 1.
TWOTOWER_BOTH std::uint16_t to_float16(float value) {
  const std::uint32_t sign = bits_of(value) >> 16 & 0x8000u;
  const float absolute = magnitude(value);
  if (absolute < 0x1p-14f) {  // steps of 2^-24: adding 2^-1 rounds to them
    const std::uint32_t steps = bits_of(absolute + 0.5f) - bits_of(0.5f);
    return static_cast<std::uint16_t>(sign | steps);
  }
  const std::uint32_t bits = bits_of(absolute);
  const std::uint32_t rounded = (bits + 0xFFFu + (bits >> 13 & 1u)) >> 13;
  return static_cast<std::uint16_t>(sign | (rounded - (112u << 10)));
}

// ---------------------------------------------------------------- keys

/// Integers in the order of float32 numbers; the two zeros have one key. 0 is below the key of any number.
TWOTOWER_BOTH std::uint32_t order_of(float value) {
  const std::uint32_t bits = value == 0.0f ? 0u : bits_of(value);
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}
TWOTOWER_BOTH float value_of_order(std::uint32_t order) {
  return float_of((order & 0x80000000u) != 0 ? order & 0x7FFFFFFFu : ~order);
}

/// Greater keys rank first: score descending, then DocId ascending. No two documents share a key.
TWOTOWER_BOTH std::uint64_t key_of(float score, std::uint32_t doc) {
  return static_cast<std::uint64_t>(order_of(score)) << 32 | (0xFFFFFFFFu - doc);
}
TWOTOWER_BOTH float score_of(std::uint64_t key) { return value_of_order(static_cast<std::uint32_t>(key >> 32)); }
TWOTOWER_BOTH std::uint32_t doc_of(std::uint64_t key) { return 0xFFFFFFFFu - static_cast<std::uint32_t>(key); }

}  // namespace twotower::cuda
