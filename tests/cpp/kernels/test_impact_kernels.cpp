// add_column and take_sums of every runnable instruction set against the definition, in place.
#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "kernels/dispatch.h"

using twotower::kernels::Kernels;

namespace {

std::vector<std::uint16_t> random_sums(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::uint16_t> sums(n);
  // Often equal to each other and to the bounds below, often 0, and up to the greatest number.
  for (auto& sum : sums) sum = static_cast<std::uint16_t>(random() % 3 == 0 ? random() % 4 : random() % 65536);
  return sums;
}

}  // namespace

TEST_CASE("kernels: add_column is code * multiplier >> 8, plus one, for codes that are not 0") {
  for (const Kernels* kernels : twotower::kernels::runnable()) {
    CAPTURE(kernels->name);
    for (const std::size_t n : {0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 257}) {
      for (const unsigned multiplier : {0u, 1u, 255u, 256u, 257u, 40'000u, 65'535u}) {
        std::vector<std::uint16_t> sums = random_sums(n + 1, 1);
        std::vector<std::uint16_t> expected = sums;
        std::vector<std::uint8_t> codes(n + 1);
        for (std::size_t i = 0; i < n; ++i) codes[i] = static_cast<std::uint8_t>(i % 3 == 0 ? 0 : 255 - i);
        for (std::size_t i = 0; i < n; ++i) {
          const unsigned value = codes[i] == 0 ? 0 : codes[i] * multiplier / 256 + 1;
          expected[i + 1] = static_cast<std::uint16_t>(expected[i + 1] + value);
        }
        kernels->lexical.add_column(sums.data() + 1, codes.data(), n, static_cast<std::uint16_t>(multiplier));
        CHECK(sums == expected);
      }
    }
  }
}

TEST_CASE("kernels: take_sums finds every sum that is high enough, in order, and leaves zeros") {
  for (const Kernels* kernels : twotower::kernels::runnable()) {
    CAPTURE(kernels->name);
    for (const std::size_t n : {0, 64, 128, 640, 65'536}) {
      for (const unsigned least : {1u, 2u, 3u, 32'767u, 32'768u, 65'535u}) {
        std::vector<std::uint16_t> sums = random_sums(n, 2);
        std::vector<std::uint32_t> expected;
        for (std::size_t i = 0; i < n; ++i) {
          if (sums[i] >= least) expected.push_back(static_cast<std::uint32_t>(sums[i] * 65'536u + i));
        }
        std::vector<std::uint32_t> found(n);
        found.resize(kernels->lexical.take_sums(sums.data(), n, static_cast<std::uint16_t>(least), found.data()));
        CHECK(found == expected);
        CHECK(sums == std::vector<std::uint16_t>(n, 0));
      }
    }
  }
}

TEST_CASE("kernels: find_entries finds the places of a list, and no neighbour of the list") {
  constexpr unsigned kTfBits = twotower::kernels::kEntryTfBits, kBlockBits = twotower::kernels::kBlockBits;
  constexpr std::uint32_t kPlaces = 1u << (16 - kTfBits);
  for (const Kernels* kernels : twotower::kernels::runnable()) {
    CAPTURE(kernels->name);
    for (const unsigned one_in : {1u, 2u, 7u, 31u, 300u, 20'000u}) {  // blocks of all places, of many, of none
      std::mt19937 random(one_in);
      std::vector<std::uint16_t> list, starts;
      std::vector<std::uint32_t> wanted, expected;
      for (std::uint32_t place = 0; place < kPlaces; ++place) {
        if (place % (1u << kBlockBits) == 0) starts.push_back(static_cast<std::uint16_t>(list.size()));
        const bool is_there = random() % one_in == 0;
        wanted.push_back(7u << 16 | place);
        expected.push_back(is_there ? static_cast<std::uint32_t>(list.size()) : twotower::kernels::kNoEntry);
        if (is_there) list.push_back(static_cast<std::uint16_t>(place << kTfBits | random() % 4));
      }
      starts.push_back(static_cast<std::uint16_t>(list.size()));
      for (std::uint32_t place = 0; place < twotower::kernels::kEntryPadding; ++place) {  // the next window's
        list.push_back(static_cast<std::uint16_t>((kPlaces - 1 - place) << kTfBits));
      }
      std::vector<std::uint32_t> found(wanted.size());
      kernels->lexical.find_entries(list.data(), starts.data(), wanted.data(), wanted.size(), found.data());
      CHECK(found == expected);
    }
  }
}
