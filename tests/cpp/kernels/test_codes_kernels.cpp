// The kernels of quantised vectors: every runnable instruction set equal to the scalar oracle, and the oracle to a
// plain sum.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/dispatch.h"

using namespace twotower::kernels;

namespace {

constexpr std::size_t kGroups[] = {1, 2, 3, 4, 5, 48, 63, 64, 65, 130};

std::vector<std::uint8_t> random_plane(std::size_t n_blocks, std::size_t n_groups, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<std::uint8_t> plane(n_blocks * n_groups * kGroupBytes);
  for (auto& byte : plane) byte = static_cast<std::uint8_t>(generator());
  return plane;
}

// Codes of a query at their ends as often as not: what saturates shows.
std::vector<std::int8_t> random_query(std::size_t n_groups, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<std::int8_t> query(n_groups * kCodeGroup);
  for (auto& code : query) {
    const auto value = static_cast<int>(generator() % 509) - 254;
    code = static_cast<std::int8_t>(value > 127 ? 127 : value < -127 ? -127 : value);
  }
  return query;
}

int number(const std::vector<std::uint8_t>& plane, std::size_t n_groups, std::size_t row, std::size_t d) {
  const std::size_t at = (row / 16 * n_groups + d / 8) * kGroupBytes + 4 * (row % 16) + d % 4;
  return plane[at] >> (d % 8 < 4 ? 0 : 4) & 15;
}

}  // namespace

TEST_CASE("plane_sums: a plain sum at every number of groups and blocks, on every ISA") {
  for (const std::size_t n_groups : kGroups) {
    for (const std::size_t n_blocks : {0u, 1u, 2u, 3u, 7u}) {
      const auto plane = random_plane(n_blocks, n_groups, 1);
      const auto query = random_query(n_groups, 2);
      std::vector<std::int32_t> expected(n_blocks * kCodeRows);
      for (std::size_t r = 0; r < expected.size(); ++r) {
        for (std::size_t d = 0; d < query.size(); ++d) expected[r] += query[d] * number(plane, n_groups, r, d);
      }
      for (const Kernels* kernels : runnable()) {
        CAPTURE(kernels->name);
        std::vector<std::int32_t> sums(expected.size());
        kernels->codes.plane_sums(query.data(), n_groups, plane.data(), n_blocks, sums.data());
        CHECK(sums == expected);
      }
    }
  }
}

TEST_CASE("byte_sums: panels of queries against joined planes, on every ISA") {
  for (const std::size_t n_groups : kGroups) {
    for (const std::size_t n_blocks : {0u, 1u, 2u, 5u}) {
      for (const std::size_t n_panels : {1u, 3u}) {
        const auto high = random_plane(n_blocks, n_groups, 3), low = random_plane(n_blocks, n_groups, 4);
        const std::size_t n_queries = n_panels * kCodePanel, stride = n_blocks * kCodeRows + 3;
        std::vector<std::int8_t> panels(n_queries * n_groups * kCodeGroup);
        std::vector<std::int32_t> expected(n_queries * stride, -1);
        for (std::size_t q = 0; q < n_queries; ++q) {
          const auto query = random_query(n_groups, static_cast<unsigned>(q));
          for (std::size_t d = 0; d < query.size(); ++d) {
            panels[((q / kCodePanel * 2 * n_groups + d / 4) * kCodePanel + q % kCodePanel) * 4 + d % 4] = query[d];
          }
          for (std::size_t r = 0; r < n_blocks * kCodeRows; ++r) {
            std::int32_t sum = 0;
            for (std::size_t d = 0; d < query.size(); ++d) {
              sum += query[d] * (16 * number(high, n_groups, r, d) + number(low, n_groups, r, d));
            }
            expected[q * stride + r] = sum;
          }
        }
        for (const Kernels* kernels : runnable()) {
          CAPTURE(kernels->name);
          std::vector<std::int32_t> sums(expected.size(), -1);
          kernels->codes.byte_sums(panels.data(), n_panels, n_groups, high.data(), low.data(), n_blocks, sums.data(),
                                   stride);
          CHECK(sums == expected);
        }
      }
    }
  }
}

TEST_CASE("join and hits: batches against panels, on every ISA that has them") {
  std::mt19937 generator(9);
  std::normal_distribution<float> normal;
  for (const Kernels* kernels : runnable()) {
    const CodesHits& k = kernels->codes.panels;
    if (k.hits == nullptr) continue;
    CAPTURE(kernels->name);
    for (const std::size_t n_groups : {1u, 2u, 5u, 48u, 65u}) {
      for (const std::size_t width : {16u, 32u, 48u}) {
        for (const std::size_t n_blocks : {1u, 3u}) {
          const auto high = random_plane(n_blocks, n_groups, 3), low = random_plane(n_blocks, n_groups, 4);
          const std::size_t dim = n_groups * kCodeGroup;
          std::vector<std::uint8_t> room((kHitRows + width) * dim + 128);
          std::uint8_t* bytes = room.data() + (64 - reinterpret_cast<std::uintptr_t>(room.data()) % 64) % 64;
          std::uint8_t* panel = bytes + (kHitRows * dim + 63) / 64 * 64;
          k.join(high.data(), low.data(), n_groups, n_blocks, bytes);
          std::vector<std::vector<std::int8_t>> queries;
          std::vector<float> unit(width), factor(width), threshold(width), scales(kHitRows), radii(kHitRows);
          std::vector<std::int32_t> offset(width), sums(kHitRows * width);
          for (float& scale : scales) scale = std::fabs(normal(generator));
          for (float& radius : radii) radius = std::fabs(normal(generator));
          radii[7] = std::numeric_limits<float>::infinity();
          for (std::size_t q = 0; q < width; ++q) {
            queries.push_back(random_query(n_groups, static_cast<unsigned>(q)));
            for (std::size_t d = 0; d < dim; ++d) {
              panel[(d / 4 * width + q) * 4 + d % 4] = static_cast<std::uint8_t>(queries[q][d]);
              offset[q] += 128 * queries[q][d];
            }
            unit[q] = 1.0f / static_cast<float>(dim * 1000);
            factor[q] = 0.5f;
            threshold[q] = q == 3 ? std::numeric_limits<float>::infinity() : normal(generator);
          }
          std::uint64_t masks[kHitRows];
          k.hits(panel, width, bytes, n_groups, scales.data(), radii.data(),
                 {unit.data(), offset.data(), factor.data(), threshold.data()}, {high.data(), low.data()}, masks,
                 sums.data());
          for (std::size_t r = 0; r < n_blocks * kCodeRows; ++r) {
            for (std::size_t q = 0; q < width; ++q) {
              std::int32_t sum = -offset[q];
              for (std::size_t d = 0; d < dim; ++d) {
                sum += queries[q][d] * (16 * number(high, n_groups, r, d) + number(low, n_groups, r, d));
              }
              if (masks[r] != 0) REQUIRE(sums[r * width + q] == sum);
              const float upper = static_cast<float>(sum) * unit[q] * scales[r] + factor[q] * radii[r];
              const bool hit = (masks[r] >> q & 1) != 0;
              if (!(std::fabs(upper - threshold[q]) < 1e-5f * (1.0f + std::fabs(upper)))) {
                REQUIRE(hit == !(upper < threshold[q]));
              }
            }
            const std::uint64_t beyond = masks[r] >> (width - 1) >> 1;
            REQUIRE(beyond == 0);
          }
        }
      }
    }
  }
}

TEST_CASE("sums: the greatest numbers of 65,536 dimensions do not overflow") {
  const std::size_t n_groups = 8192;
  const std::vector<std::uint8_t> plane(n_groups * kGroupBytes, 0xFF);
  for (const int code : {127, -127}) {
    const std::vector<std::int8_t> panel(kCodePanel * n_groups * kCodeGroup, static_cast<std::int8_t>(code));
    for (const Kernels* kernels : runnable()) {
      CAPTURE(kernels->name);
      std::vector<std::int32_t> sums(kCodePanel * kCodeRows);
      kernels->codes.plane_sums(panel.data(), n_groups, plane.data(), 1, sums.data());
      CHECK(sums[5] == code * 15 * 65536);
      kernels->codes.byte_sums(panel.data(), 1, n_groups, plane.data(), plane.data(), 1, sums.data(), kCodeRows);
      for (const std::int32_t sum : sums) CHECK(sum == code * 255 * 65536);
      if (kernels->codes.panels.hits == nullptr) continue;
      std::vector<std::uint8_t> bytes(kHitRows * n_groups * kCodeGroup + 64, 0xFF);
      std::vector<std::uint8_t> queries(kHitLanes * n_groups * kCodeGroup + 64, static_cast<std::uint8_t>(code));
      std::uint8_t* aligned = queries.data() + (64 - reinterpret_cast<std::uintptr_t>(queries.data()) % 64) % 64;
      const std::vector<float> ones(kHitRows, 1.0f), zeros(kHitRows);
      const std::vector<std::int32_t> offset(kHitLanes, 128 * code * 65536);
      std::vector<std::int32_t> less(kHitRows * kHitLanes);
      std::uint64_t masks[kHitRows];
      kernels->codes.panels.hits(aligned, kHitLanes, bytes.data(), n_groups, ones.data(), ones.data(),
                                 {ones.data(), offset.data(), ones.data(), zeros.data()}, {bytes.data(), bytes.data()},
                                 masks, less.data());
      CHECK(masks[47] == (code > 0 ? 0xFFFFu : 0u));
      if (code > 0) CHECK(less[47 * kHitLanes] == 127 * 127 * 65536);
    }
  }
}

TEST_CASE("select_sums: the same rows on every ISA, infinities and no numbers among them") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::mt19937 generator(5);
  std::normal_distribution<float> normal;
  for (const std::size_t n : {0u, 1u, 7u, 8u, 15u, 16u, 17u, 33u, 1000u}) {
    std::vector<std::int32_t> sums(n);
    std::vector<float> scales(n), radii(n);
    for (std::size_t r = 0; r < n; ++r) {
      sums[r] = static_cast<std::int32_t>(generator());
      scales[r] = r % 11 == 3 ? 0.0f : std::abs(normal(generator)) * 1e-9f;
      radii[r] = r % 13 == 5 ? kInfinity : std::abs(normal(generator));
      if (sums[r] < -(1 << 30) || sums[r] > 1 << 30) sums[r] /= 4;
    }
    for (const float threshold : {-kInfinity, -1.0f, 0.0f, 1.0f, 3.0f, kInfinity}) {
      for (const float factor : {0.0f, 0.5f}) {  // 0 times infinity is no number, and no number is found
        constexpr std::int32_t kLeast = std::numeric_limits<std::int32_t>::min();
        const CodeLine line{0.75f, -12345, factor, threshold == 1.0f ? 1000 : kLeast};
        std::vector<std::uint32_t> expected(n), found(n);
        expected.resize(
            kScalar.codes.select_sums(sums.data(), scales.data(), radii.data(), n, line, threshold, expected.data()));
        for (std::size_t r = 5; r < n; r += 13) {
          if (sums[r] < line.least) continue;
          CHECK(std::find(expected.begin(), expected.end(), static_cast<std::uint32_t>(r)) != expected.end());
        }
        for (const Kernels* kernels : runnable()) {
          CAPTURE(kernels->name);
          found.resize(n);
          found.resize(
              kernels->codes.select_sums(sums.data(), scales.data(), radii.data(), n, line, threshold, found.data()));
          CHECK(found == expected);
        }
      }
    }
  }
}
