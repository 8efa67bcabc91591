#include "text/bpe_reader.h"

#include <algorithm>

#include "text/piece_lookup.h"
#include "text/wordpiece_chars.h"
#include "twotower/interrupt.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

constexpr std::size_t kPartBytes = std::size_t{1} << 15;  // text that is cut at once; its buffers stay in L2
constexpr std::size_t kLimitedBytesPerToken = 8;          // how much text to cut for a limited number of tokens
constexpr std::size_t kLeastBytes = 64;

std::size_t part_bytes(std::size_t limit) {
  return limit < kPartBytes / kLimitedBytesPerToken ? std::max(kLeastBytes, limit * kLimitedBytesPerToken) : kPartBytes;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool goes_on(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The character that stands for a space in tokens counts as one, as any white space does.
bool is_space(char32_t c) { return c == U'\u0120' || (wordpiece_char(c).flags & WordPieceChar::kSpace) != 0; }

kernels::PairFilter filter_of(const BpeRules& rules) {
  kernels::PairFilter filter{};
  rules.raw_added.add_to(filter);
  rules.normalized_added.add_to(filter);
  return filter;
}

// Of what was matched as an added token: the white space that it took along counts as its own.
EdgeSpaces edges_of(std::string_view text) {
  std::vector<bool> spaces;
  for (const char* p = text.data(); p != text.data() + text.size();) spaces.push_back(is_space(decode_utf8(p)));
  const auto is_dark = [](bool space) { return !space; };
  return {static_cast<std::uint32_t>(std::find_if(spaces.begin(), spaces.end(), is_dark) - spaces.begin()),
          static_cast<std::uint32_t>(std::find_if(spaces.rbegin(), spaces.rend(), is_dark) - spaces.rbegin())};
}

}  // namespace

BpeReader::BpeReader(const BpeRules& rules)
    : rules_(rules), table_(rules.cache.table()), splitter_(rules.options.rule, filter_of(rules)) {}

void BpeReader::append(std::string_view text, std::size_t limit, IdBuffer& ids, IdBuffer* spans) {
  text_ = text;
  limit_ = limit;
  first_id_ = ids.size();
  ids_ = &ids;
  spans_ = spans;
  if (append_at_once()) return;
  std::size_t at = 0;
  for (AddedTokens::Match match; room_left() > 0 && rules_.raw_added.find(text, at, match); at = match.end) {
    stretch_ = at;
    append_stretch(text.substr(at, match.begin - at));
    if (spans_ != nullptr) {
      put_span(match.begin, match.end, edges_of(text.substr(match.begin, match.end - match.begin)));
    }
    put_id(match.id);
  }
  stretch_ = at;
  append_stretch(text.substr(at));
}

// A text in which no added token can begin and that is in form C, in one go: one look at its bytes tells and cuts it.
bool BpeReader::append_at_once() {
  const bool prefix = rules_.options.add_prefix_space && !text_.starts_with(' ');
  if (text_.empty() || prefix || text_.size() > part_bytes(limit_)) return false;
  const auto starts = splitter_.split(text_);
  if (splitter_.seen().pair) return false;
  nfc_.normalize(rules_.options.nfc && splitter_.seen().beyond_ascii ? text_ : std::string_view(), false);
  if (nfc_.changed()) return false;
  stretch_ = part_ = n_added_ = 0;
  append_words(starts, 0);
  return true;
}

void BpeReader::append_stretch(std::string_view stretch) {
  const bool compose = rules_.options.nfc && !is_ascii(stretch);
  const std::string_view normal = nfc_.normalize(compose ? stretch : std::string_view(), spans_ != nullptr);
  if (compose) stretch = normal;
  std::size_t at = 0;
  for (AddedTokens::Match match; room_left() > 0 && rules_.normalized_added.find(stretch, at, match); at = match.end) {
    append_plain(stretch.substr(at, match.begin - at), at);
    part_ = n_added_ = 0;
    if (spans_ != nullptr) {
      const std::string_view found = stretch.substr(match.begin, match.end - match.begin);
      put_span(begin_of(match.begin), end_of(match.end), edges_of(found));
    }
    put_id(match.id);
  }
  append_plain(stretch.substr(at), at);
}

// Text without added tokens, at `offset` of its stretch.
void BpeReader::append_plain(std::string_view part, std::size_t offset) {
  if (part.empty()) return;
  part_ = offset;
  n_added_ = rules_.options.add_prefix_space && part.front() != ' ' ? 1 : 0;
  if (n_added_ > 0) {
    prefixed_.assign(1, ' ').append(part);
    part = prefixed_;
  }
  std::size_t at = 0;
  while (!part.empty() && room_left() > 0) {
    const bool whole = rules_.options.rule == SplitRule::kNone;
    const std::size_t size = whole ? part.size() : ByteLevelSplitter::leading_part(part, part_bytes(room_left()));
    append_words(splitter_.split(part.substr(0, size)), at);
    part.remove_prefix(size);
    at += size;
    if (!part.empty()) check_interrupt();
  }
}

// The words of a part of a stretch, `offset` bytes behind where the stretch begins.
void BpeReader::append_words(std::span<const std::uint32_t> starts, std::size_t offset) {
  starts_ = starts.data();
  if (spans_ != nullptr) return append_words_with_spans(starts.size() - 1, offset);
  const auto place = [this](std::size_t i) { return starts_[i]; };
  const auto size = [this](std::size_t i) { return std::size_t{starts_[i + 1] - starts_[i]}; };
  const auto slow = [&](std::size_t i, std::int32_t* out) { return read_slowly(place(i), size(i), out); };
  std::int32_t* const out = ids_->room(starts.back() + PackedIds::kPacked);
  std::int32_t* const end = read_pieces(table_, splitter_.folded(), starts.size() - 1, place, size, slow, out);
  ids_->set_size(ids_->size() + static_cast<std::size_t>(end - out));
}

// A word that is long, new, not in its home slot or of many tokens.
std::int32_t* BpeReader::read_slowly(std::size_t begin, std::size_t size, std::int32_t* out) {
  const unsigned char* const bytes = splitter_.folded() + begin;
  const std::string_view word(reinterpret_cast<const char*>(bytes), size);
  if (size > PieceKey::kMaxBytes) return out + rules_.merger.merge(word, out, scratch_);
  const PieceKey key = PieceKey::of(bytes, size);
  if (const PieceTable::Slot* const slot = table_->find(key)) return table_->copy_ids(slot->ids(), out);
  std::int32_t* const end = out + rules_.merger.merge(word, out, scratch_);
  rules_.cache.remember(key, {out, end}, table_);
  return end;
}

void BpeReader::append_words_with_spans(std::size_t n_words, std::size_t offset) {
  const char* const bytes = reinterpret_cast<const char*>(splitter_.folded());
  for (std::size_t i = 0; i < n_words; ++i) {
    const std::string_view word(bytes + starts_[i], starts_[i + 1] - starts_[i]);
    if (tokens_.size() < word.size()) tokens_.resize(word.size());
    const std::size_t n = rules_.merger.merge(word, tokens_.data(), scratch_);
    std::size_t at = offset + starts_[i];
    for (std::size_t k = 0; k < n; ++k) {
      const std::size_t end = at + rules_.merger.token_bytes(tokens_[k]);
      put_span(begin_of(at), end_of(end), rules_.edges[static_cast<std::size_t>(tokens_[k])]);
      at = end;
      put_id(tokens_[k]);
    }
  }
}

// The place in the text of the first byte of the character that has byte `at` of the part. A space that was put before
// the part stands where the part's first character stands.
std::size_t BpeReader::begin_of(std::size_t at) const {
  std::size_t place = part_ + at - std::min(at, n_added_);
  if (nfc_.changed()) return stretch_ + nfc_.begin_of(place);
  place += stretch_;
  while (goes_on(text_[place])) --place;
  return place;
}

// The place behind the last byte of the character that has byte `end` - 1 of the part.
std::size_t BpeReader::end_of(std::size_t end) const {
  const std::size_t last = part_ + (end > n_added_ ? end - n_added_ - 1 : 0);
  if (nfc_.changed()) return stretch_ + nfc_.end_of(last);
  std::size_t place = stretch_ + last + 1;
  while (place < text_.size() && goes_on(text_[place])) ++place;
  return place;
}

// Before the token's id is appended. Spaces are taken off a character each, as far as there are any.
void BpeReader::put_span(std::size_t begin, std::size_t end, EdgeSpaces edges) {
  if (rules_.options.trim_spans) {
    const bool first = ids_->size() == first_id_ || begin == 0;
    if (first && rules_.options.trim_keeps_first && edges.leading == 1) edges.leading = 0;
    for (; edges.leading > 0 && begin < end; --edges.leading) {
      do ++begin;
      while (begin < text_.size() && goes_on(text_[begin]));
    }
    for (; edges.trailing > 0 && end > begin; --edges.trailing) {
      do --end;
      while (goes_on(text_[end]));
    }
  }
  std::int32_t* const out = spans_->room(2);
  out[0] = static_cast<std::int32_t>(begin);
  out[1] = static_cast<std::int32_t>(end);
  spans_->set_size(spans_->size() + 2);
}

void BpeReader::put_id(std::int32_t id) {
  *ids_->room(1) = id;
  ids_->set_size(ids_->size() + 1);
}

void BpeReader::preload(std::string_view word) {
  if (word.empty() || word.size() > PieceKey::kMaxBytes) return;
  const auto starts = splitter_.split(word);
  if (starts.size() != 2) return;
  std::int32_t tokens[PieceKey::kMaxBytes + PackedIds::kPacked];
  read_slowly(0, word.size(), tokens);
}

}  // namespace twotower
