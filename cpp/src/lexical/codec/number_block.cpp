#include "lexical/codec/number_block.h"

#include <bit>

#include "twotower/error.h"

namespace twotower::codec {
namespace {

constexpr std::uint8_t kHasExceptions = 0x80;  // beside the width in the header

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

// Numbers that need more than `width` bits.
std::size_t count_wider(const std::uint32_t* values, unsigned width) noexcept {
  std::uint32_t n = 0;
  for (std::size_t i = 0; i < kBlock; ++i) n += (values[i] >> width) != 0 ? 1 : 0;
  return n;
}

struct Width {
  unsigned bits;
  std::size_t n_exceptions;
};

// The width at which packed bits and exceptions take the fewest bytes, if an exception takes kExceptionBytes. A bit
// less saves kRowBytes, so at kMostExceptions no further bit can pay.
Width best_width(const std::uint32_t* values) noexcept {
  constexpr std::size_t kExceptionBytes = 2;  // place and 7 bits or fewer; longer ones are too rare to matter
  constexpr std::size_t kMostExceptions = 40;
  const unsigned widest = width_of(values, kBlock);
  Width best{widest, 0};
  std::size_t best_bytes = kRowBytes * widest;
  for (unsigned width = widest; width-- > 0;) {
    const std::size_t n = count_wider(values, width);
    if (n > kMostExceptions) break;
    const std::size_t bytes = kRowBytes * width + 1 + kExceptionBytes * n;
    if (bytes < best_bytes) {
      best = {width, n};
      best_bytes = bytes;
    }
  }
  return best;
}

void append_exceptions(const std::uint32_t* values, unsigned width, std::vector<std::uint8_t>& out) {
  for (std::size_t i = 0; i < kBlock; ++i) {
    if (values[i] >> width == 0) continue;
    out.push_back(static_cast<std::uint8_t>(i));
    append_varint(values[i] >> width, out);
  }
}

}  // namespace

void packed_corrupt(const std::string& what) {
  throw CorruptFile("packed numbers are damaged: " + what + "; build and save the index again");
}

void append_block(const std::uint32_t* values, std::vector<std::uint8_t>& out) {
  const auto [width, n_exceptions] = best_width(values);
  const std::size_t begin = out.size() + (n_exceptions > 0 ? 2 : 1);
  out.push_back(static_cast<std::uint8_t>(width | (n_exceptions > 0 ? kHasExceptions : 0u)));
  if (n_exceptions > 0) out.push_back(static_cast<std::uint8_t>(n_exceptions));
  out.resize(begin + kRowBytes * width);
  pack_block(values, width, out.data() + begin);
  if (n_exceptions > 0) append_exceptions(values, width, out);
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
