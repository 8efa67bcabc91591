#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "text/word_reader.h"

using namespace twotower;
using Strings = std::vector<std::string>;

namespace {

Strings read(std::string_view text, WordRule rule = WordRule::kUnicode, bool lowercase = true,
             std::uint8_t cjk_sizes = 0b10) {
  std::string buffer;
  WordReader reader(text, {rule, lowercase, false, cjk_sizes}, buffer);
  Strings words;
  for (std::string_view word; reader.next(word);) words.emplace_back(word);
  return words;
}

}  // namespace

TEST_CASE("words: letters and numbers of any script, lower-cased") {
  CHECK(read("") == Strings{});
  CHECK(read(" ,.!\n") == Strings{});
  CHECK(read("Sweet sweet nurse! Love?") == Strings{"sweet", "sweet", "nurse", "love"});
  CHECK(read("os.path snake_case x2 3.14 U.S.") == Strings{"os", "path", "snake", "case", "x2", "3", "14", "u", "s"});
  CHECK(read("ÄPFEL Ωmega ЛЮБОВЬ שלום مرحبا") == Strings{"äpfel", "ωmega", "любовь", "שלום", "مرحبا"});
  CHECK(read("ÄPFEL İ", WordRule::kUnicode, false) == Strings{"ÄPFEL", "İ"});
  CHECK(read("İ ΟΔΟΣ") == Strings{"i", "οδοσ"});
}

TEST_CASE("words: lower case that takes more bytes fits") {
  std::string capitals, small;
  for (int i = 0; i < 100; ++i) {
    capitals += "\u023A";  // 2 bytes; its lower case U+2C65 takes 3
    small += "\u2C65";
  }
  CHECK(read(capitals) == Strings{small});
  CHECK(read(capitals, WordRule::kWhitespace) == Strings{small});
}

TEST_CASE("words: apostrophes stay between letters") {
  CHECK(read("don't nurse\u2019s l\uFF07homme rock'n'roll") == Strings{"don't", "nurse's", "l'homme", "rock'n'roll"});
  CHECK(read("'quoted' dogs' 'tis a''b 1'000 x'1") == Strings{"quoted", "dogs", "tis", "a", "b", "1", "000", "x", "1"});
  CHECK(read("e\u0301'a l'\u00E9") == Strings{"e\u0301'a", "l'\u00E9"});
}

TEST_CASE("words: marks go with the character before them, format characters are not there") {
  CHECK(read("e\u0301te\u0301 \u0301x \u2764\uFE0F") == Strings{"e\u0301te\u0301", "x"});
  CHECK(read("co\u00ADop\u00AD a\u200Db zero\u200Bwidth l'\u00ADa") == Strings{"coop", "ab", "zero", "width", "l'a"});
  CHECK(read("हिन्दी") == Strings{"हिन्दी"});
}

TEST_CASE("words: CJK runs become pairs, one alone is a word") {
  CHECK(read("東") == Strings{"東"});
  CHECK(read("東京") == Strings{"東京"});
  CHECK(read("東京都へ。山 x") == Strings{"東京", "京都", "都へ", "山", "x"});
  CHECK(read("abc東京3月") == Strings{"abc", "東京", "3", "月"});
  CHECK(read("カタカナー 한국어") == Strings{"カタ", "タカ", "カナ", "ナー", "한국", "국어"});
  CHECK(read("か\u3099き\uFE00く'け") == Strings{"か\u3099き", "きく", "け"});
}

TEST_CASE("words: n-grams of other sizes") {
  const auto sizes = [](std::string_view text, std::uint8_t bits) {
    return read(text, WordRule::kUnicode, true, bits);
  };
  CHECK(sizes("東京都 山", 0b1) == Strings{"東", "京", "都", "山"});
  CHECK(sizes("東京都 山", 0b11) == Strings{"東", "東京", "京", "京都", "都", "山"});
  CHECK(sizes("東京都庁 山 日本", 0b100) == Strings{"東京都", "京都庁", "山", "日本"});
  CHECK(sizes("東京都 日本x山", 0b110) == Strings{"東京", "東京都", "京都", "日本", "x", "山"});
  CHECK(sizes("か\u3099き\uFE00く", 0b11) == Strings{"か\u3099", "か\u3099き", "き", "きく", "く"});
}

TEST_CASE("words: white space") {
  CHECK(read("  A-b,\tC\u00A0d\u2003é\n", WordRule::kWhitespace) == Strings{"a-b,", "c", "d", "é"});
  CHECK(read("A b", WordRule::kWhitespace, false) == Strings{"A", "b"});
  CHECK(read(" \n", WordRule::kWhitespace) == Strings{});
}
