#include "lexical/codec/bit_packing.h"

#include <array>
#include <bit>
#include <cstring>
#include <utility>

static_assert(std::endian::native == std::endian::little, "the packed form is little-endian and read as it lies");

namespace twotower::codec {
namespace {

// Four lanes as one value: the compiler makes SSE2 or NEON of it, or plain words where there is neither.
using Lanes = std::uint32_t __attribute__((vector_size(16)));

inline Lanes load(const void* from) noexcept {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

inline void store(Lanes lanes, void* to) noexcept { std::memcpy(to, &lanes, sizeof lanes); }

template <unsigned W>
constexpr std::uint32_t kMask = W == 32 ? 0xFFFFFFFFu : (1u << W) - 1;

// The width is a constant and the loops unroll, so that every shift is one too.
template <unsigned W>
void pack(const std::uint32_t* values, std::uint8_t* out) noexcept {
  Lanes row{};
#pragma GCC unroll 32
  for (unsigned i = 0; i < 32; ++i) {
    const unsigned shift = i * W % 32;
    const Lanes value = load(values + 4 * i) & kMask<W>;
    row |= value << shift;
    if (shift + W < 32) continue;
    store(row, out);
    out += kRowBytes;
    row = shift + W > 32 ? value >> ((32 - shift) % 32) : Lanes{};
  }
}

template <unsigned W>
void unpack(const std::uint8_t* in, std::uint32_t* values) noexcept {
  Lanes row = load(in);
#pragma GCC unroll 32
  for (unsigned i = 0; i < 32; ++i) {
    const unsigned shift = i * W % 32;
    Lanes value = row >> shift;
    if (shift + W >= 32 && i + 1 < 32) {
      in += kRowBytes;
      row = load(in);
      if (shift + W > 32) value |= row << ((32 - shift) % 32);
    }
    store(value & kMask<W>, values + 4 * i);
  }
}

template <>
void pack<0>(const std::uint32_t*, std::uint8_t*) noexcept {}
template <>
void unpack<0>(const std::uint8_t*, std::uint32_t* values) noexcept {
  std::memset(values, 0, kBlock * sizeof *values);
}

using Pack = void (*)(const std::uint32_t*, std::uint8_t*) noexcept;
using Unpack = void (*)(const std::uint8_t*, std::uint32_t*) noexcept;

template <unsigned... W>
constexpr std::array<Pack, sizeof...(W)> packers(std::integer_sequence<unsigned, W...>) {
  return {&pack<W>...};
}
template <unsigned... W>
constexpr std::array<Unpack, sizeof...(W)> unpackers(std::integer_sequence<unsigned, W...>) {
  return {&unpack<W>...};
}

constexpr auto kPack = packers(std::make_integer_sequence<unsigned, kMaxWidth + 1>());
constexpr auto kUnpack = unpackers(std::make_integer_sequence<unsigned, kMaxWidth + 1>());

}  // namespace

void pack_block(const std::uint32_t* values, unsigned width, std::uint8_t* out) noexcept { kPack[width](values, out); }

void unpack_block(const std::uint8_t* in, unsigned width, std::uint32_t* values) noexcept {
  kUnpack[width](in, values);
}

void pack_bits(const std::uint32_t* values, std::size_t n, unsigned width, std::uint8_t* out) noexcept {
  std::uint64_t bits = 0;
  unsigned held = 0;  // fewer than 8 between two numbers, so 39 at most
  for (std::size_t i = 0; i < n; ++i) {
    bits |= std::uint64_t{values[i]} << held;
    held += width;
    for (; held >= 8; held -= 8, bits >>= 8) *out++ = static_cast<std::uint8_t>(bits);
  }
  if (held > 0) *out = static_cast<std::uint8_t>(bits);
}

void unpack_bits(const std::uint8_t* in, std::size_t n, unsigned width, std::uint32_t* values) noexcept {
  const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
  for (std::size_t i = 0, bit = 0; i < n; ++i, bit += width) {
    std::uint64_t word;
    std::memcpy(&word, in + bit / 8, sizeof word);
    values[i] = static_cast<std::uint32_t>(word >> (bit % 8) & mask);
  }
}

}  // namespace twotower::codec
