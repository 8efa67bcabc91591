#include "text/gpt4_words.h"

#include <algorithm>
#include <bit>

#include "text/contractions.h"

namespace twotower {
namespace {

using kernels::ByteClasses;

// U+017F, the one character beyond ASCII that is equal to a letter of a contraction but for case.
constexpr std::string_view kLongS = "\xC5\xBF";

bool goes_on(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The end of the run, from `at`, of what map_of(block) says.
template <class Map>
std::size_t run_end(const ByteClasses* classes, std::size_t at, std::size_t size, const Map& map_of) {
  while (at < size) {
    const std::uint64_t stop = ~map_of(classes[at / 64]) >> at % 64;
    if (stop != 0) return std::min(size, at + static_cast<std::size_t>(std::countr_zero(stop)));
    at += 64 - at % 64;
  }
  return size;
}

constexpr auto kLetters = [](const ByteClasses& block) { return block.letter; };
constexpr auto kWhite = [](const ByteClasses& block) { return block.white; };
constexpr auto kOthers = [](const ByteClasses& block) { return ~(block.letter | block.digit | block.white); };

}  // namespace

std::size_t Gpt4Words::next(std::size_t at) const noexcept {
  do ++at;
  while (at < text_.size() && goes_on(text_[at]));
  return at;
}

std::size_t Gpt4Words::end_of_word(std::size_t at) const noexcept {
  const std::size_t size = text_.size();
  if (text_[at] == '\'') {
    if (text_.substr(at + 1, kLongS.size()) == kLongS) return at + 1 + kLongS.size();
    if (const std::size_t bytes = contraction_bytes(text_, at, 0x20); bytes != 0) return at + bytes;
  }
  if (is_letter(at)) return run_end(classes_, at, size, kLetters);
  if (is_digit(at)) {
    std::size_t end = at;
    for (std::size_t n = 0; n < most_digits_ && is_digit(end); ++n) end = next(end);
    return end;
  }
  const std::size_t second = next(at);
  if (!is_newline(at) && is_letter(second)) return run_end(classes_, second, size, kLetters);
  const std::size_t symbols = text_[at] == ' ' ? at + 1 : at;
  if (!is_other(symbols)) return end_of_white(at);
  std::size_t end = run_end(classes_, symbols, size, kOthers);
  while (is_newline(end)) ++end;
  return end;
}

// Up to the last new line of a run; else all of it but the last character, if something follows.
std::size_t Gpt4Words::end_of_white(std::size_t at) const noexcept {
  const std::size_t end = run_end(classes_, at, text_.size(), kWhite);
  for (std::size_t last = end; last > at; --last) {
    if (is_newline(last - 1)) return last;
  }
  if (end == text_.size()) return end;
  std::size_t last = end - 1;
  while (goes_on(text_[last])) --last;
  return last > at ? last : end;
}

}  // namespace twotower
