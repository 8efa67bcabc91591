#include "lexical/codec/number_block.h"

#include <array>
#include <bit>

#include "twotower/error.h"

namespace twotower::codec {
namespace {

constexpr std::uint8_t kHasExceptions = 0x80;  // beside the width in the header

// Bytes of a number of `bits` bits, 7 bits a byte.
constexpr unsigned varint_bytes(unsigned bits) { return (bits + 6) / 7; }

void append_varint(std::uint32_t value, std::vector<std::uint8_t>& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

std::uint32_t read_varint(PackedReader& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    const std::uint8_t byte = *in.take(1);
    value |= std::uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return static_cast<std::uint32_t>(value);
  }
  packed_corrupt("an exception has more than 5 bytes");
}

// The width at which packed bits and exceptions together take the fewest bytes; of equal ones the greatest.
unsigned best_width(const std::uint32_t* values) {
  std::array<std::uint8_t, kMaxWidth + 1> n_of{};  // by the bits that a number needs
  for (std::size_t i = 0; i < kBlock; ++i) ++n_of[static_cast<std::size_t>(std::bit_width(values[i]))];
  unsigned widest = kMaxWidth;
  while (widest > 0 && n_of[widest] == 0) --widest;
  unsigned best = widest;
  std::size_t best_bytes = kRowBytes * widest;
  for (unsigned width = widest; width-- > 0;) {
    std::size_t bytes = kRowBytes * width + 1;
    for (unsigned bits = width + 1; bits <= widest; ++bits) bytes += n_of[bits] * (1u + varint_bytes(bits - width));
    if (bytes < best_bytes) {
      best = width;
      best_bytes = bytes;
    }
  }
  return best;
}

}  // namespace

void packed_corrupt(const std::string& what) {
  throw CorruptFile("packed numbers are damaged: " + what + "; build and save the index again");
}

void append_block(const std::uint32_t* values, std::vector<std::uint8_t>& out) {
  const unsigned width = best_width(values);
  std::array<std::uint8_t, kBlock> places;
  std::size_t n_exceptions = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    places[n_exceptions % kBlock] = static_cast<std::uint8_t>(i);
    n_exceptions += static_cast<unsigned>(std::bit_width(values[i])) > width ? 1 : 0;
  }
  out.push_back(static_cast<std::uint8_t>(width | (n_exceptions > 0 ? kHasExceptions : 0u)));
  if (n_exceptions > 0) out.push_back(static_cast<std::uint8_t>(n_exceptions));
  const std::size_t begin = out.size();
  out.resize(begin + kRowBytes * width);
  pack_block(values, width, out.data() + begin);
  for (std::size_t e = 0; e < n_exceptions; ++e) {
    out.push_back(places[e]);
    append_varint(values[places[e]] >> width, out);
  }
}

void read_block(PackedReader& in, std::uint32_t* values) {
  const std::uint8_t header = *in.take(1);
  const unsigned width = header & 0x7Fu;
  if (width > kMaxWidth) packed_corrupt("a width of " + std::to_string(width) + " bits");
  const std::size_t n_exceptions = (header & kHasExceptions) != 0 ? *in.take(1) : 0;
  unpack_block(in.take(kRowBytes * width), width, values);
  if (n_exceptions == 0) return;
  if (width == kMaxWidth) packed_corrupt("exceptions to 32 bits");
  for (std::size_t e = 0; e < n_exceptions; ++e) {
    const std::uint8_t place = *in.take(1);
    if (place >= kBlock) packed_corrupt("an exception at place " + std::to_string(place));
    values[place] |= read_varint(in) << width;
  }
}

unsigned width_of(const std::uint32_t* values, std::size_t n) noexcept {
  std::uint32_t all = 0;
  for (std::size_t i = 0; i < n; ++i) all |= values[i];
  return static_cast<unsigned>(std::bit_width(all));
}

void append_bits(const std::uint32_t* values, std::size_t n, unsigned width, std::vector<std::uint8_t>& out) {
  const std::size_t begin = out.size();
  out.resize(begin + bit_bytes(n, width));
  pack_bits(values, n, width, out.data() + begin);
}

unsigned read_width(PackedReader& in) {
  const unsigned width = *in.take(1);
  if (width > kMaxWidth) packed_corrupt("a width of " + std::to_string(width) + " bits");
  return width;
}

}  // namespace twotower::codec
