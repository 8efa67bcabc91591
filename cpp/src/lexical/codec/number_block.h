// One block of numbers with its header: 128 of them packed with exceptions, or fewer, packed plainly. Knows no
// postings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lexical/codec/bit_packing.h"

namespace twotower::codec {

/// THROWS CorruptFile about packed numbers.
[[noreturn]] void packed_corrupt(const std::string& what);

/// A place in packed bytes and where they end; kPadding more bytes can be read behind the end.
struct PackedReader {
  const std::uint8_t* at;
  const std::uint8_t* end;

  /// Moves on by n bytes and returns where they begin. THROWS CorruptFile if there are fewer.
  const std::uint8_t* take(std::size_t n) {
    if (static_cast<std::size_t>(end - at) < n) packed_corrupt("a block passes the end");
    const std::uint8_t* const begin = at;
    at += n;
    return begin;
  }
};

/// Appends a block of exactly 128 numbers.
void append_block(const std::uint32_t* values, std::vector<std::uint8_t>& out);

/// Reads a block of 128 numbers. THROWS CorruptFile.
void read_block(PackedReader& in, std::uint32_t* values);

/// Bits that the largest of n numbers needs, 0 to 32.
unsigned width_of(const std::uint32_t* values, std::size_t n) noexcept;

/// Appends n numbers of `width` bits without a header.
void append_bits(const std::uint32_t* values, std::size_t n, unsigned width, std::vector<std::uint8_t>& out);

/// Reads a width of at most 32. THROWS CorruptFile.
unsigned read_width(PackedReader& in);

}  // namespace twotower::codec
