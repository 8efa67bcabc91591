// The bytes of a manifest: round trip, every cut, every flipped bit, and lies under a right checksum.
#include <doctest/doctest.h>

#include <cstring>
#include <limits>

#include "io/manifest.h"
#include "kernels/dispatch.h"
#include "twotower/error.h"

using namespace twotower;

namespace {

Manifest sample() {
  Manifest manifest;
  manifest.generation = 7;
  manifest.kind = "flat";
  manifest.meta = "{\"k\": 1}";
  manifest.segments = {{"vectors", DType::kFloat32, {3, 5}, 0, 0},
                       {"empty", DType::kInt64, {0, 4}, 0, 0},
                       {"scalar", DType::kUint8, {}, 0, 0}};
  manifest.data_bytes = lay_out(manifest.segments);
  manifest.block_crcs = {0xDEADBEEF};
  return manifest;
}

// A manifest with `value` written at `offset` and the checksum made right again.
template <class Integer>
std::string forged(std::size_t offset, Integer value) {
  std::string bytes = encode_manifest(sample());
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const std::uint32_t crc = kernels::kScalar.checksum.crc32c(0, data, bytes.size() - 4);
  std::memcpy(bytes.data() + bytes.size() - 4, &crc, 4);
  return bytes;
}

}  // namespace

TEST_CASE("manifest: what was encoded is decoded; segments are aligned") {
  const Manifest manifest = decode_manifest(encode_manifest(sample()));
  CHECK(manifest.generation == 7);
  CHECK(manifest.kind == "flat");
  CHECK(manifest.meta == "{\"k\": 1}");
  REQUIRE(manifest.segments.size() == 3);
  CHECK(manifest.segments[0].bytes == 60);
  CHECK(manifest.segments[1].offset == 64);
  CHECK(manifest.segments[1].bytes == 0);
  CHECK(manifest.segments[2].offset == 64);
  CHECK(manifest.data_bytes == 65);
  CHECK(manifest.block_crcs == std::vector<std::uint32_t>{0xDEADBEEF});
}

TEST_CASE("manifest: every cut and every flipped bit is refused") {
  const std::string good = encode_manifest(sample());
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK_THROWS_AS(decode_manifest(good.substr(0, size)), CorruptFile);
  CHECK_THROWS_AS(decode_manifest(good + '\0'), CorruptFile);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    CHECK_THROWS_AS(decode_manifest(bad), CorruptFile);
  }
}

TEST_CASE("manifest: lies under a right checksum are refused, and allocate nothing") {
  constexpr auto kMax32 = std::numeric_limits<std::uint32_t>::max();
  constexpr auto kMax64 = std::numeric_limits<std::uint64_t>::max();
  CHECK_NOTHROW(decode_manifest(forged<std::uint64_t>(24, 7)));  // the generation as it was: the forger itself works
  const std::size_t first = 56 + 4 + 8;                          // after kind and meta
  for (const std::size_t offset : {32u, 40u}) {                  // data_bytes, meta_bytes
    CHECK_THROWS_AS(decode_manifest(forged<std::uint64_t>(offset, kMax64)), CorruptFile);
    CHECK_THROWS_AS(decode_manifest(forged<std::uint64_t>(offset, 0)), CorruptFile);
  }
  for (const std::size_t offset :
       {12ul, 48ul, 52ul, first, first + 4, first + 8}) {  // block size, lengths, dtype, rank
    CHECK_THROWS_AS(decode_manifest(forged<std::uint32_t>(offset, kMax32)), CorruptFile);
    CHECK_THROWS_AS(decode_manifest(forged<std::uint32_t>(offset, 0)), CorruptFile);
  }
  for (const std::uint64_t value : {kMax64, kMax64 / 2 + 1, std::uint64_t{1} << 62, std::uint64_t{64}}) {
    CHECK_THROWS_AS(decode_manifest(forged<std::uint64_t>(first + 12, value)), CorruptFile);  // offset
    CHECK_THROWS_AS(decode_manifest(forged<std::uint64_t>(first + 20, value)), CorruptFile);  // bytes
    CHECK_THROWS_AS(decode_manifest(forged<std::uint64_t>(first + 28, value)), CorruptFile);  // shape[0]
  }
  CHECK_THROWS_WITH_AS(decode_manifest(forged<std::uint32_t>(8, 2)),
                       "container version 2 is unknown to this twotower, which reads 1: load it with the twotower that "
                       "saved it",
                       CorruptFile);
}

TEST_CASE("lay_out refuses names, dtypes and shapes that are not allowed") {
  const auto refused = [](ManifestSegment segment) {
    std::vector<ManifestSegment> segments{std::move(segment)};
    CHECK_THROWS_AS(lay_out(segments), InvalidInput);
  };
  refused({"", DType::kUint8, {1}, 0, 0});
  refused({"Name", DType::kUint8, {1}, 0, 0});
  refused({std::string(65, 'a'), DType::kUint8, {1}, 0, 0});
  refused({"a", static_cast<DType>(11), {1}, 0, 0});
  refused({"a", DType::kUint8, std::vector<std::uint64_t>(9, 1), 0, 0});
  refused({"a", DType::kFloat64, {std::uint64_t{1} << 40, std::uint64_t{1} << 40}, 0, 0});
  refused({"a", DType::kFloat64, {0, std::uint64_t{1} << 63}, 0, 0});
  std::vector<ManifestSegment> twice{{"a", DType::kUint8, {1}, 0, 0}, {"a", DType::kUint8, {1}, 0, 0}};
  CHECK_THROWS_AS(lay_out(twice), InvalidInput);
}
