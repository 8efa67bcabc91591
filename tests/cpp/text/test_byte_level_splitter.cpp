// The words of byte-level BPE: by hand, and against the regular expression carried out character by character.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "text/byte_level_chars.h"
#include "text/byte_level_splitter.h"
#include "twotower/utf8.h"

using twotower::byte_level_class;
using twotower::ByteLevelClass;
using twotower::ByteLevelSplitter;
using Words = std::vector<std::string>;

namespace {

Words split(const std::string& text) {
  ByteLevelSplitter splitter;
  const auto starts = splitter.split(text);
  Words words;
  for (std::size_t i = 0; i + 1 < starts.size(); ++i)
    words.push_back(text.substr(starts[i], starts[i + 1] - starts[i]));
  return words;
}

// The alternatives of the expression in their order, each as it is written. O(n) a word.
struct Oracle {
  explicit Oracle(const std::string& given) : text(given) {
    for (const char* p = text.data(); p != text.data() + text.size();) {
      places.push_back(static_cast<std::size_t>(p - text.data()));
      kinds.push_back(byte_level_class(twotower::decode_utf8(p)));
    }
    places.push_back(text.size());
  }

  std::size_t run(std::size_t from, ByteLevelClass kind) const {
    while (from < kinds.size() && kinds[from] == kind) ++from;
    return from;
  }

  std::size_t end_of_word(std::size_t at) const {
    for (const char* contraction : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
      if (text.compare(places[at], std::char_traits<char>::length(contraction), contraction) == 0) {
        return at + std::char_traits<char>::length(contraction);
      }
    }
    for (const ByteLevelClass kind : {ByteLevelClass::kLetter, ByteLevelClass::kNumber, ByteLevelClass::kOther}) {
      const std::size_t from = at + (text[places[at]] == ' ' ? 1 : 0);
      if (run(from, kind) > from) return run(from, kind);
    }
    const std::size_t end = run(at, ByteLevelClass::kWhite);
    return end < kinds.size() && end - at > 1 ? end - 1 : end;
  }

  Words words() const {
    Words found;
    for (std::size_t at = 0; at < kinds.size();) {
      const std::size_t end = end_of_word(at);
      found.push_back(text.substr(places[at], places[end] - places[at]));
      at = end;
    }
    return found;
  }

  std::string text;
  std::vector<std::size_t> places;
  std::vector<ByteLevelClass> kinds;
};

}  // namespace

TEST_CASE("byte-level words by hand") {
  CHECK(split("") == Words{});
  CHECK(split("don't  stop") == Words{"don", "'t", " ", " stop"});
  CHECK(split("a\n\nb  ") == Words{"a", "\n", "\n", "b", "  "});
  CHECK(split(" 's x''s 'll've's") == Words{" '", "s", " x", "''", "s", " '", "ll", "'ve", "'s"});
  CHECK(split("\xC3\xA9t\xC3\xA9 12\xC2\xB2!?x") == Words{"\xC3\xA9t\xC3\xA9", " 12\xC2\xB2", "!?", "x"});
  CHECK(split("a\xE3\x80\x80\xE3\x80\x80 b") == Words{"a", "\xE3\x80\x80\xE3\x80\x80", " b"});
  CHECK(split("a \xE3\x80\x80z") == Words{"a", " ", "\xE3\x80\x80", "z"});
}

TEST_CASE("byte-level words of random text are those of the expression") {
  const Words pieces = {"a",
                        "B",
                        "'",
                        "'s",
                        "'l",
                        "'re",
                        "l",
                        " ",
                        " ",
                        "\n",
                        "\t",
                        "7",
                        "!",
                        "-",
                        "\xC3\xA9",
                        "\xC2\xA0",
                        "\xE3\x80\x80",
                        "\xE4\xB8\xAD",
                        "\xE2\x85\xA7",
                        "\xF0\x9F\x91\x8D",
                        "\xC2\xB2",
                        "e\xCC\x81",
                        std::string(1, '\0')};
  std::mt19937 generator(1);
  for (int round = 0; round < 3000; ++round) {
    const std::size_t n_kinds = 1 + generator() % pieces.size(), first = generator();
    std::string text;
    for (std::size_t n = generator() % (round % 10 == 0 ? 400 : 90); n > 0; --n) {
      text += pieces[(first + generator() % n_kinds) % pieces.size()];
    }
    CAPTURE(text);
    REQUIRE(split(text) == Oracle(text).words());
  }
}

TEST_CASE("byte-level words of parts are those of the whole") {
  std::mt19937 generator(2);
  std::string text;
  for (int i = 0; i < 4000; ++i) text += Words{"word", " ", "  ", "'s", "9", ".\n", "\xC3\xA9"}[generator() % 7];
  for (const std::size_t wanted : {std::size_t{1}, std::size_t{60}, std::size_t{1000}}) {
    Words words;
    for (std::string rest = text; !rest.empty();) {
      const std::size_t size = ByteLevelSplitter::leading_part(rest, wanted);
      for (auto& word : split(rest.substr(0, size))) words.push_back(std::move(word));
      rest.erase(0, size);
    }
    CHECK(words == split(text));
  }
  const std::string run(1000, 'a');
  CHECK(ByteLevelSplitter::leading_part(run, 10) == run.size());
  CHECK(ByteLevelSplitter::leading_part(run + " b", 10) == run.size());
}

TEST_CASE("mark_classes and list_bits: every ISA equals the scalar one") {
  using twotower::kernels::ByteClasses;
  using twotower::kernels::kScalar;
  std::mt19937 generator(3);
  for (const auto* kernels : twotower::kernels::runnable()) {
    CAPTURE(kernels->name);
    for (const std::size_t size : {0, 1, 2, 31, 32, 33, 63, 64, 65, 128, 200, 256}) {
      const std::size_t n_blocks = (size + 63) / 64, offset = size % 5;
      std::vector<std::uint8_t> text(offset + size), folded(64 * n_blocks), expected(64 * n_blocks);
      for (std::size_t i = 0; i < size; ++i)
        text[offset + i] = static_cast<std::uint8_t>(size == 256 ? i : generator());
      std::vector<ByteClasses> blocks(n_blocks), wanted(n_blocks);
      twotower::kernels::PairFilter filter{};
      const std::uint8_t first = static_cast<std::uint8_t>(generator()),
                         second = static_cast<std::uint8_t>(generator());
      filter.low[0][first & 15] = filter.high[0][first >> 4] = 4;
      filter.low[1][second & 15] = filter.high[1][second >> 4] = 4;
      if (size > 1 && size % 2 == 0) {
        text[offset + size - 2] = first;
        text[offset + size - 1] = second;
      }
      const auto seen = kernels->text.mark_classes(filter, text.data() + offset, size, folded.data(), blocks.data());
      const auto right = kScalar.text.mark_classes(filter, text.data() + offset, size, expected.data(), wanted.data());
      CHECK(seen.beyond_ascii == right.beyond_ascii);
      CHECK(seen.pair == right.pair);
      if (size > 1 && size % 2 == 0) CHECK(seen.pair);
      CHECK(folded == expected);
      std::vector<std::uint64_t> words;
      for (std::size_t b = 0; b < n_blocks; ++b) {
        const ByteClasses &x = blocks[b], &y = wanted[b];
        for (const auto map : {&ByteClasses::letter, &ByteClasses::digit, &ByteClasses::white, &ByteClasses::space,
                               &ByteClasses::quote, &ByteClasses::high, &ByteClasses::start}) {
          CHECK(x.*map == y.*map);
          words.push_back(x.*map);
        }
      }
      std::vector<std::uint32_t> places(64 * words.size() + 16), correct(64 * words.size() + 16);
      const std::size_t n = kernels->text.list_bits(words.data(), words.size(), places.data());
      CHECK(n == kScalar.text.list_bits(words.data(), words.size(), correct.data()));
      places.resize(n);
      correct.resize(n);
      CHECK(places == correct);
    }
  }
}
