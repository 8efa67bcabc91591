#include "text/added_tokens.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/dispatch.h"
#include "text/wordpiece_chars.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

std::vector<std::vector<ByteTrie::Key>> contents_of(std::span<const AddedToken> tokens) {
  std::vector<ByteTrie::Key> keys;
  for (std::size_t i = 0; i < tokens.size(); ++i) keys.emplace_back(tokens[i].content, static_cast<std::int32_t>(i));
  return {keys};
}

bool is_space(char32_t c) { return (wordpiece_char(c).flags & WordPieceChar::kSpace) != 0; }

std::size_t skip_spaces_back(std::string_view text, std::size_t from, std::size_t end) {
  while (end > from) {
    std::size_t start = end - 1;
    while (start > from && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    const char* p = text.data() + start;
    if (!is_space(decode_utf8(p))) break;
    end = start;
  }
  return end;
}

std::size_t skip_spaces(std::string_view text, std::size_t from) {
  while (from < text.size()) {
    const char* p = text.data() + from;
    if (!is_space(decode_utf8(p))) break;
    from = static_cast<std::size_t>(p - text.data());
  }
  return from;
}

}  // namespace

AddedTokens::AddedTokens(std::span<const AddedToken> tokens)
    : tokens_(tokens.begin(), tokens.end()), trie_(contents_of(tokens_)) {
  trie_.drop_edges();
  add_to(filter_);
  std::array<bool, 256> begins{};
  for (const AddedToken& token : tokens_) begins[static_cast<unsigned char>(token.content.front())] = true;
  const auto n_first_bytes = std::count(begins.begin(), begins.end(), true);
  if (n_first_bytes == 0) first_byte_ = 0xFF;
  if (n_first_bytes == 1)
    first_byte_ = static_cast<int>(std::find(begins.begin(), begins.end(), true) - begins.begin());
}

void AddedTokens::add_to(kernels::PairFilter& filter) const noexcept {
  for (const AddedToken& token : tokens_) {
    const auto first = static_cast<unsigned char>(token.content.front());
    const auto bit =
        static_cast<std::uint8_t>(1 << (first * 37u >> 3 & 7));  // tokens that begin alike share one of eight
    filter.low[0][first & 15] |= bit;
    filter.high[0][first >> 4] |= bit;
    for (unsigned second = 0; second < 256; ++second) {
      if (token.content.size() > 1 && static_cast<unsigned char>(token.content[1]) != second) continue;
      filter.low[1][second & 15] |= bit;
      filter.high[1][second >> 4] |= bit;
    }
  }
}

const char* AddedTokens::next_candidate(const char* at, const char* end) const noexcept {
  if (first_byte_ >= 0) {
    const void* found = at == end ? nullptr : std::memchr(at, first_byte_, static_cast<std::size_t>(end - at));
    return found == nullptr ? end : static_cast<const char*>(found);
  }
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(at);
  return at + kernels::active().text.find_pair(filter_, bytes, 0, static_cast<std::size_t>(end - at));
}

bool AddedTokens::find(std::string_view text, std::size_t from, Match& match) const noexcept {
  if (tokens_.empty()) return false;
  const char* const end = text.data() + text.size();
  for (const char* at = next_candidate(text.data() + from, end); at != end; at = next_candidate(at + 1, end)) {
    std::int32_t node = 0, found = ByteTrie::kNone;
    const char* found_end = at;
    for (const char* p = at; p != end && (node = trie_.child(node, static_cast<std::uint8_t>(*p))) >= 0;) {
      ++p;
      if (trie_.value(node) == ByteTrie::kNone) continue;
      found = trie_.value(node);
      found_end = p;
    }
    if (found == ByteTrie::kNone) continue;
    const AddedToken& token = tokens_[static_cast<std::size_t>(found)];
    match = {static_cast<std::size_t>(at - text.data()), static_cast<std::size_t>(found_end - text.data()), token.id};
    if (token.lstrip) match.begin = skip_spaces_back(text, from, match.begin);
    if (token.rstrip) match.end = skip_spaces(text, match.end);
    return true;
  }
  return false;
}

}  // namespace twotower
