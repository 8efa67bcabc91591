// mark_words of every runnable instruction set against the scalar one: all bytes, odd sizes, misaligned.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "kernels/dispatch.h"

using twotower::kernels::Kernels;
using twotower::kernels::kScalar;
using twotower::kernels::WordScan;

namespace {

constexpr std::size_t kSizes[] = {0, 1, 2, 3, 7, 8, 31, 32, 33, 63, 64, 65, 127, 128, 129, 300, 1000};

struct Marks {
  std::vector<std::uint8_t> folded;
  std::vector<std::uint64_t> words;
  std::vector<std::uint32_t> starts;
};

Marks mark(const Kernels& kernels, const std::uint8_t* text, std::size_t size, WordScan scan) {
  const std::size_t blocks = (size + 63) / 64;
  Marks marks{std::vector<std::uint8_t>(64 * blocks), std::vector<std::uint64_t>(blocks),
              std::vector<std::uint32_t>(64 * blocks + 16)};
  const std::size_t n =
      kernels.text.mark_words(scan, text, size, marks.folded.data(), marks.words.data(), marks.starts.data());
  marks.folded.resize(size);
  marks.starts.resize(n);
  return marks;
}

Marks mark(const std::string& text, WordScan scan) {
  return mark(kScalar, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), scan);
}

}  // namespace

TEST_CASE("mark_words: the scalar one by hand") {
  const Marks marks = mark("'It's x'1 a''b \xC3\xA9'Z'", {true, false});
  CHECK(marks.starts == std::vector<std::uint32_t>{1, 6, 8, 10, 13, 15});
  CHECK(marks.words[0] == 0b01111010010101011110);
  CHECK(std::string(marks.folded.begin(), marks.folded.end()) == "'it's x'1 a''b \xC3\xA9'z'");
  const Marks white = mark("A-b\x1F'c\x0B ", {false, true});
  CHECK(white.starts == std::vector<std::uint32_t>{0, 4});
  CHECK(white.words[0] == 0b110111);
  CHECK(white.folded[0] == 'A');
}

TEST_CASE("mark_words: every ISA equals the scalar one") {
  std::mt19937 generator(1);
  const std::string common = "abzAZ059'''' .,\n\xC3\xA9";
  for (const Kernels* kernels : twotower::kernels::runnable()) {
    CAPTURE(kernels->name);
    for (const std::size_t size : kSizes) {
      for (int round = 0; round < 40; ++round) {
        const std::size_t offset = static_cast<std::size_t>(round) % 5;
        std::vector<std::uint8_t> bytes(offset + size);
        for (auto& byte : bytes) {
          byte = round % 2 == 0 ? static_cast<std::uint8_t>(generator())
                                : static_cast<std::uint8_t>(common[generator() % common.size()]);
        }
        const WordScan scan{round % 3 != 0, round % 8 >= 6};
        const Marks found = mark(*kernels, bytes.data() + offset, size, scan);
        const Marks expected = mark(kScalar, bytes.data() + offset, size, scan);
        CHECK(found.folded == expected.folded);
        CHECK(found.words == expected.words);
        CHECK(found.starts == expected.starts);
      }
    }
  }
}
