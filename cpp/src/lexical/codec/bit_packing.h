// 128 numbers of w bits in 16 w bytes, and the other way. Knows no postings and checks nothing.
//
// Four lanes: number i is the (i / 4)-th of lane i % 4, and lane l of w-bit numbers fills the 32-bit words l, l + 4,
// l + 8, ... from their low bits up. Little-endian.
#pragma once

#include <cstddef>
#include <cstdint>

namespace twotower::codec {

inline constexpr std::size_t kBlock = 128;    ///< numbers that are packed together
inline constexpr std::size_t kRowBytes = 16;  ///< bytes of one word of each lane
inline constexpr std::size_t kPadding = 8;    ///< readable bytes that must follow packed bits
inline constexpr unsigned kMaxWidth = 32;

/// Writes 16 * width bytes. REQUIRES width <= 32; bits of the numbers above `width` are dropped.
void pack_block(const std::uint32_t* values, unsigned width, std::uint8_t* out) noexcept;

/// Reads 16 * width bytes and writes 128 numbers. REQUIRES width <= 32.
void unpack_block(const std::uint8_t* in, unsigned width, std::uint32_t* values) noexcept;

/// Bytes of n numbers of `width` bits, one behind the other.
constexpr std::size_t bit_bytes(std::size_t n, unsigned width) { return (n * width + 7) / 8; }

/// Writes bit_bytes(n, width) bytes: numbers one behind the other from the low bits up. REQUIRES width <= 32.
void pack_bits(const std::uint32_t* values, std::size_t n, unsigned width, std::uint8_t* out) noexcept;

/// Reads what pack_bits wrote. REQUIRES kPadding readable bytes behind it.
void unpack_bits(const std::uint8_t* in, std::size_t n, unsigned width, std::uint32_t* values) noexcept;

}  // namespace twotower::codec
