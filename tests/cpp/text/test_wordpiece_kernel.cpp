// mark_tokens of every runnable instruction set against the scalar one: all bytes, odd sizes, misaligned, in parts.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "kernels/dispatch.h"

using twotower::kernels::Kernels;
using twotower::kernels::kScalar;
using twotower::kernels::TokenScan;

namespace {

constexpr std::size_t kSizes[] = {0, 1, 2, 3, 7, 8, 31, 32, 33, 63, 64, 65, 127, 128, 129, 300, 1000};

struct Marks {
  std::vector<std::uint8_t> folded;
  std::vector<std::uint64_t> words;
  std::vector<std::uint32_t> starts;
  TokenScan scan;
};

Marks mark(const Kernels& kernels, const std::uint8_t* text, std::size_t size, TokenScan scan) {
  const std::size_t blocks = (size + 63) / 64;
  Marks marks{std::vector<std::uint8_t>(64 * blocks), std::vector<std::uint64_t>(blocks),
              std::vector<std::uint32_t>(64 * blocks + 16), scan};
  const std::size_t n =
      kernels.text.mark_tokens(marks.scan, text, size, marks.folded.data(), marks.words.data(), marks.starts.data());
  marks.folded.resize(size);
  marks.starts.resize(n);
  return marks;
}

void check_equal(const Marks& a, const Marks& b) {
  CHECK(a.folded == b.folded);
  CHECK(a.words == b.words);
  CHECK(a.starts == b.starts);
  CHECK(a.scan.position == b.scan.position);
  CHECK(a.scan.in_word == b.scan.in_word);
  CHECK(a.scan.beyond_ascii == b.scan.beyond_ascii);
  CHECK(a.scan.found_needle == b.scan.found_needle);
}

}  // namespace

TEST_CASE("mark_tokens: the scalar one by hand") {
  const std::string text = "Ab, c\xC3\xA9\t[9]";
  const Marks marks = mark(kScalar, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), {true, '['});
  CHECK(marks.starts == std::vector<std::uint32_t>{0, 2, 4, 8, 9, 10});
  CHECK(marks.words[0] == 0b01001110011);
  CHECK(std::string(marks.folded.begin(), marks.folded.end()) == "ab, c\xC3\xA9\t[9]");
  CHECK(marks.scan.beyond_ascii);
  CHECK(marks.scan.found_needle);
  CHECK(marks.scan.position == text.size());
  CHECK_FALSE(marks.scan.in_word);
}

TEST_CASE("mark_tokens: every ISA equals the scalar one") {
  std::mt19937 generator(1);
  const std::string common = "abcXYZ019 .,\n\t\r[\x7F\xC3\xA9";
  for (const Kernels* kernels : twotower::kernels::runnable()) {
    CAPTURE(kernels->name);
    for (const std::size_t size : kSizes) {
      for (int round = 0; round < 20; ++round) {
        const std::size_t offset = static_cast<std::size_t>(round) % 5;
        std::vector<std::uint8_t> bytes(offset + size);
        for (auto& byte : bytes) {
          byte = round % 2 == 0 ? static_cast<std::uint8_t>(generator())
                                : static_cast<std::uint8_t>(common[generator() % common.size()]);
        }
        const TokenScan scan{round % 3 != 0, static_cast<std::uint8_t>(round % 4 == 0 ? ' ' : '['), 1000,
                             round % 7 == 0};
        check_equal(mark(*kernels, bytes.data() + offset, size, scan),
                    mark(kScalar, bytes.data() + offset, size, scan));
      }
    }
    std::vector<std::uint8_t> all(256);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
    check_equal(mark(*kernels, all.data(), 256, {true, 0}), mark(kScalar, all.data(), 256, {true, 0}));
  }
}

TEST_CASE("mark_tokens: parts give what the whole gives") {
  std::mt19937 generator(2);
  std::vector<std::uint8_t> bytes(1000);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>("ab .["[generator() % 5]);
  for (const Kernels* kernels : twotower::kernels::runnable()) {
    CAPTURE(kernels->name);
    const Marks whole = mark(*kernels, bytes.data(), bytes.size(), {true, '['});
    for (const std::size_t cut : {std::size_t{64}, std::size_t{128}, std::size_t{960}}) {
      Marks first = mark(*kernels, bytes.data(), cut, {true, '['});
      const Marks second = mark(*kernels, bytes.data() + cut, bytes.size() - cut, first.scan);
      first.starts.insert(first.starts.end(), second.starts.begin(), second.starts.end());
      CHECK(first.starts == whole.starts);
      CHECK(second.scan.position == whole.scan.position);
    }
  }
}
