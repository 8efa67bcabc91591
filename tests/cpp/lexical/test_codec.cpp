// The packed form against an oracle that reads bit by bit, over every width; and no byte outside of what was given.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "lexical/codec/list_codec.h"
#include "lexical/codec/number_block.h"
#include "twotower/error.h"
#include "twotower/postings_codec.h"

using namespace twotower;
using namespace twotower::codec;

namespace {

using Numbers = std::array<std::uint32_t, kBlock>;

// Number i of 128, as docs/formats/lexical.md says: bit b of it is bit (i / 4) * width + b of lane i % 4.
std::uint32_t lane_number(const std::vector<std::uint8_t>& bytes, unsigned width, std::size_t i) {
  std::uint32_t value = 0;
  for (unsigned b = 0; b < width; ++b) {
    const std::size_t bit = i / 4 * width + b;
    const std::size_t byte = bit / 32 * 16 + i % 4 * 4 + bit % 32 / 8;
    value |= static_cast<std::uint32_t>(bytes[byte] >> bit % 8 & 1) << b;
  }
  return value;
}

std::uint32_t low_bits(std::uint32_t value, unsigned width) {
  return width == 32 ? value : value & ((std::uint32_t{1} << width) - 1);
}

std::vector<std::uint8_t> padded(std::vector<std::uint8_t> bytes) {
  bytes.resize(bytes.size() + kPadding, 0xEE);
  return bytes;
}

}  // namespace

TEST_CASE("codec: blocks of every width are what the oracle reads, and come back") {
  std::mt19937 random(5);
  for (unsigned width = 0; width <= 32; ++width) {
    CAPTURE(width);
    Numbers values;
    for (auto& value : values) value = static_cast<std::uint32_t>(random());
    std::vector<std::uint8_t> bytes(16 * width + 1, 0xAB);  // one byte more, at an odd address: must stay
    std::vector<std::uint8_t> moved(bytes.size() + 1);
    pack_block(values.data(), width, bytes.data());
    CHECK(bytes.back() == 0xAB);
    std::copy(bytes.begin(), bytes.end(), moved.begin() + 1);
    Numbers read;
    unpack_block(moved.data() + 1, width, read.data());
    for (std::size_t i = 0; i < kBlock; ++i) {
      REQUIRE(read[i] == low_bits(values[i], width));
      REQUIRE(lane_number(bytes, width, i) == read[i]);
    }
  }
}

TEST_CASE("codec: bits of every width and count come back") {
  std::mt19937 random(6);
  for (unsigned width = 0; width <= 32; ++width) {
    for (const std::size_t n : {0, 1, 2, 7, 8, 9, 31, 63, 127}) {
      CAPTURE(width);
      CAPTURE(n);
      std::vector<std::uint32_t> values(n);
      for (auto& value : values) value = low_bits(static_cast<std::uint32_t>(random()), width);
      std::vector<std::uint8_t> bytes;
      append_bits(values.data(), n, width, bytes);
      REQUIRE(bytes.size() == bit_bytes(n, width));
      bytes = padded(bytes);
      std::vector<std::uint32_t> read(n, 77);
      unpack_bits(bytes.data(), n, width, read.data());
      REQUIRE(read == values);
    }
  }
}

TEST_CASE("codec: exceptions of every size come back, and take fewer bytes than a width for all") {
  for (unsigned bits = 1; bits <= 32; ++bits) {
    for (const std::size_t n_wide : {0, 1, 3, 40, 41, 128}) {
      CAPTURE(bits);
      CAPTURE(n_wide);
      Numbers values{};
      for (std::size_t i = 0; i < n_wide; ++i) values[i] = 0xFFFFFFFFu >> (32 - bits);
      std::vector<std::uint8_t> bytes;
      append_block(values.data(), bytes);
      CHECK(bytes.size() <= 1 + 16 * bits);
      const std::size_t size = bytes.size();
      bytes = padded(bytes);
      Numbers read;
      PackedReader in{bytes.data(), bytes.data() + size};
      read_block(in, read.data());
      CHECK(in.at == in.end);
      CHECK(read == values);
    }
  }
}

TEST_CASE("codec: a block that is cut, or whose header says what cannot be, is refused") {
  Numbers values{};
  for (std::size_t i = 0; i < kBlock; ++i) values[i] = i % 50 == 0 ? 70'000 : 3;
  std::vector<std::uint8_t> good;
  append_block(values.data(), good);
  Numbers read;
  for (std::size_t size = 0; size < good.size(); ++size) {
    std::vector<std::uint8_t> cut = padded({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
    PackedReader in{cut.data(), cut.data() + size};
    CHECK_THROWS_AS(read_block(in, read.data()), CorruptFile);
  }
  for (const std::uint8_t header : {33, 127, 33 + 128, 32 + 128}) {
    std::vector<std::uint8_t> bad(1000, 1);
    bad[0] = header;
    PackedReader in{bad.data(), bad.data() + bad.size() - kPadding};
    CHECK_THROWS_AS(read_block(in, read.data()), CorruptFile);
  }
}

TEST_CASE("codec: the postings of a list, written out by hand") {
  // DocIds 2, 3 and 7 leave out 2, 0 and 3 documents: 2 bits each. tfs 1, 1 and 3, less 1: 2 bits each.
  std::vector<std::uint8_t> bytes;
  ListPacker packer(bytes);
  packer.add(2, 1);
  packer.add(3, 1);
  packer.add(7, 3);
  packer.end();
  CHECK(bytes == std::vector<std::uint8_t>{0x80 | 2, 2, 0b11'00'10, 0b10'00'00});
  bytes.clear();
  packer.add(300, 1);
  packer.end();
  CHECK(bytes == std::vector<std::uint8_t>{9, 300 & 0xFF, 300 >> 8});
}

TEST_CASE("codec: lists of every length around a block, and the largest numbers, come back") {
  constexpr std::uint32_t kMax = 0xFFFFFFFFu;
  for (const std::size_t n : {1, 2, 127, 128, 129, 255, 256, 300}) {
    CAPTURE(n);
    std::vector<DocId> docs(n);
    std::vector<std::uint32_t> tfs(n, 1);
    for (std::size_t i = 0; i < n; ++i) docs[i] = static_cast<DocId>(i * i + i);
    docs.back() = kMax - 1;
    tfs.back() = kMax;
    const std::vector<std::int64_t> offsets{0, 0, static_cast<std::int64_t>(n)};
    const PackedPostings packed = pack_postings(offsets, docs, tfs, 1);
    std::vector<DocId> docs_read(n);
    std::vector<std::uint32_t> tfs_read(n);
    unpack_postings(packed.bytes, packed.group_ends, offsets, docs_read, tfs_read, 1);
    CHECK(docs_read == docs);
    CHECK(tfs_read == tfs);
  }
}

TEST_CASE("codec: groups are the same for every thread count and end where the rule says") {
  const std::size_t n = 3 * kGroupPostings;
  std::vector<DocId> docs(n);
  std::vector<std::uint32_t> tfs(n, 2);
  std::vector<std::int64_t> offsets{0};
  for (const std::size_t size : {kGroupPostings - 1, std::size_t{1}, std::size_t{0}, kGroupPostings + 5}) {
    offsets.push_back(offsets.back() + static_cast<std::int64_t>(size));
  }
  offsets.push_back(static_cast<std::int64_t>(n));
  for (std::size_t t = 0; t + 1 < offsets.size(); ++t) {
    for (auto i = offsets[t]; i < offsets[t + 1]; ++i)
      docs[static_cast<std::size_t>(i)] = static_cast<DocId>(i - offsets[t]);
  }
  CHECK(term_groups(offsets) == std::vector<std::size_t>{0, 2, 4, 5});
  const PackedPostings one = pack_postings(offsets, docs, tfs, 1);
  const PackedPostings many = pack_postings(offsets, docs, tfs, 7);
  CHECK(one.bytes == many.bytes);
  CHECK(one.group_ends == many.group_ends);
  CHECK(one.group_ends.size() == 3);
  std::vector<DocId> docs_read(n);
  std::vector<std::uint32_t> tfs_read(n);
  unpack_postings(one.bytes, one.group_ends, offsets, docs_read, tfs_read, 7);
  CHECK(docs_read == docs);
  std::vector<std::uint64_t> wrong = one.group_ends;
  ++wrong[0];
  CHECK_THROWS_AS(unpack_postings(one.bytes, wrong, offsets, docs_read, tfs_read, 2), CorruptFile);
  wrong.pop_back();
  CHECK_THROWS_AS(unpack_postings(one.bytes, wrong, offsets, docs_read, tfs_read, 2), CorruptFile);
}

// The address sanitizer (preset asan) gives this test its teeth.
TEST_CASE("codec: any bytes are read or refused, within their arrays") {
  std::mt19937 random(7);
  std::vector<DocId> docs(700);
  std::vector<std::uint32_t> tfs(700, 1);
  for (std::size_t i = 0; i < docs.size(); ++i) docs[i] = static_cast<DocId>(i * 5 + random() % 5);
  const std::vector<std::int64_t> offsets{0, 1, 4, 400, 700};
  const PackedPostings good = pack_postings(offsets, docs, tfs, 1);
  const std::vector<std::uint8_t> numbers = pack_integers(docs);
  std::size_t n_refused = 0;
  for (int round = 0; round < 4000; ++round) {
    std::vector<std::uint8_t> postings = good.bytes;
    std::vector<std::uint8_t> packed = numbers;
    for (unsigned change = 0; change <= random() % 4; ++change) {
      postings[random() % (postings.size() - kPadding)] = static_cast<std::uint8_t>(random());
      packed[random() % packed.size()] ^= static_cast<std::uint8_t>(1u << random() % 8);
    }
    try {
      unpack_postings(postings, good.group_ends, offsets, docs, tfs, 1);
    } catch (const CorruptFile&) {
      ++n_refused;
    }
    try {
      std::vector<std::uint32_t> values(packed_count(packed));
      unpack_integers(packed, values);
    } catch (const CorruptFile&) {
      ++n_refused;
    }
  }
  CHECK(n_refused > 1000);
}
