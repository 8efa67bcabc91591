#include "text/piece_reader.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "kernels/dispatch.h"
#include "text/piece_lookup.h"
#include "twotower/interrupt.h"

namespace twotower {
namespace {

constexpr std::size_t kBlock = 64;
constexpr std::size_t kSegmentBytes = std::size_t{1} << 15;  // text that is marked at once; its buffers stay in L2
constexpr std::size_t kLimitedBytesPerToken = 8;             // how much text to mark for a limited number of tokens
constexpr std::size_t kWindow = 57;                          // word bits that one unaligned read is sure to hold

// Nothing to normalise, but for capitals, which the fold has taken: a word or a symbol of ASCII without controls.
bool is_plain(std::string_view token) {
  return std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

bool separates(char c) {
  const bool word_byte = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return c == '\t' || c == '\n' || c == '\r' || (c >= ' ' && c < 0x7F && !word_byte);
}

// Where text can be cut at or before byte `wanted`: behind an ASCII space or symbol. 0 if nowhere.
std::size_t cut_before(std::string_view text, std::size_t wanted) {
  while (wanted > 0 && !separates(text[wanted - 1])) --wanted;
  return wanted;
}

// How much text to mark at once for up to `limit` tokens.
std::size_t segment_bytes(std::size_t limit) {
  return limit < kSegmentBytes / kLimitedBytesPerToken ? std::max(kBlock, limit * kLimitedBytesPerToken)
                                                       : kSegmentBytes;
}

void put_span(std::size_t begin, std::size_t end, IdBuffer& spans) {
  std::int32_t* const out = spans.room(2);
  out[0] = static_cast<std::int32_t>(begin);
  out[1] = static_cast<std::int32_t>(end);
  spans.set_size(spans.size() + 2);
}

bool bit(const std::vector<std::uint64_t>& bits, std::size_t at) { return (bits[at / kBlock] >> at % kBlock & 1) != 0; }

// Bytes of the token at `start`: of a run of word bytes up to kWindow, or 1 of a symbol.
inline std::size_t short_token_bytes(const std::uint64_t* words, std::size_t start) {
  std::uint64_t window;
  std::memcpy(&window, reinterpret_cast<const unsigned char*>(words) + start / 8, sizeof window);
  window = ~(window >> start % 8);
  const auto run = static_cast<std::size_t>(std::countr_zero(window | std::uint64_t{1} << kWindow));
  return run + (run == 0);
}

}  // namespace

PieceReader::PieceReader(const PieceRules& rules)
    : rules_(rules),
      mark_tokens_(kernels::active().text.mark_tokens),
      table_(rules.cache.table()),
      normalizer_(rules.options) {}

void PieceReader::append(std::string_view text, std::size_t limit, IdBuffer& ids, IdBuffer* spans) {
  if (text.size() <= segment_bytes(limit) && rules_.added.first_byte() >= 0 && !mark(text)) {
    return append_segment(text.size(), 0, ids, spans);
  }
  const std::size_t first = ids.size();
  const auto room_left = [&] { return limit - std::min(limit, ids.size() - first); };
  std::size_t at = 0;
  for (AddedTokens::Match match; room_left() > 0 && rules_.added.find(text, at, match); at = match.end) {
    append_plain(text.substr(at, match.begin - at), at, room_left(), ids, spans);
    *ids.room(1) = match.id;
    ids.set_size(ids.size() + 1);
    if (spans != nullptr) put_span(match.begin, match.end, *spans);
  }
  append_plain(text.substr(at), at, room_left(), ids, spans);
}

// Text without added tokens, a segment at a time. A segment ends behind an ASCII space or symbol: between tokens.
void PieceReader::append_plain(std::string_view text, std::size_t offset, std::size_t limit, IdBuffer& ids,
                               IdBuffer* spans) {
  const std::size_t first = ids.size();
  while (!text.empty() && ids.size() - first < limit) {
    std::size_t size = text.size();
    for (std::size_t wanted = segment_bytes(limit); wanted < text.size(); wanted *= 2) {
      const std::size_t cut = cut_before(text, wanted);
      if (cut == 0) continue;
      size = cut;
      break;
    }
    mark(text.substr(0, size));
    append_segment(size, offset, ids, spans);
    text.remove_prefix(size);
    offset += size;
    if (!text.empty()) check_interrupt();
  }
}

// Marks the surface tokens of a text. Returns whether an added token may begin in it.
bool PieceReader::mark(std::string_view text) {
  const std::size_t n_blocks = (text.size() + kBlock - 1) / kBlock;
  if (words_.size() < n_blocks + 1) {
    words_.resize(n_blocks + 1);
    folded_.resize(n_blocks * kBlock + PieceKey::kMaxBytes);
  }
  kernels::TokenScan scan{rules_.options.lowercase, static_cast<std::uint8_t>(rules_.added.first_byte())};
  n_positions_ = 0;
  for (std::size_t at = 0; at < text.size(); at += kSegmentBytes) {
    const std::size_t size = std::min(kSegmentBytes, text.size() - at);
    if (positions_.size() < n_positions_ + size + kBlock) positions_.resize(n_positions_ + size + 2 * kBlock);
    n_positions_ += mark_tokens_(scan, reinterpret_cast<const std::uint8_t*>(text.data()) + at, size,
                                 folded_.data() + at, words_.data() + at / kBlock, positions_.data() + n_positions_);
  }
  words_[n_blocks] = 0;
  return scan.found_needle;
}

void PieceReader::append_segment(std::size_t size, std::size_t offset, IdBuffer& ids, IdBuffer* spans) {
  // No character has more parts than bytes (make_wordpiece_tables.py holds it); a slot is copied as five numbers.
  std::int32_t* const out = ids.room(size + PackedIds::kPacked);
  std::int32_t* const end =
      spans == nullptr ? read_segment(size, out) : read_segment_with_spans(size, offset, out, *spans);
  ids.set_size(ids.size() + static_cast<std::size_t>(end - out));
}

std::size_t PieceReader::token_bytes(std::size_t start, std::size_t size) const noexcept {
  if (!bit(words_, start)) return 1;
  std::size_t end = start + short_token_bytes(words_.data(), start);
  while (end < size && bit(words_, end)) {
    const std::uint64_t rest = ~(words_[end / kBlock] >> end % kBlock);
    end += std::min<std::size_t>(static_cast<std::size_t>(std::countr_zero(rest)), kBlock - end % kBlock);
  }
  return end - start;
}

std::int32_t* PieceReader::read_segment(std::size_t size, std::int32_t* out) {
  const auto place = [this](std::size_t i) { return positions_[i]; };
  const auto bytes = [this](std::size_t i) { return short_token_bytes(words_.data(), positions_[i]); };
  const auto slow = [this, size](std::size_t i, std::int32_t* at) { return read_slowly(positions_[i], size, at); };
  return read_pieces(table_, folded_.data(), n_positions_, place, bytes, slow, out);
}

// A token that is long, new, not in its home slot or of many pieces.
std::int32_t* PieceReader::read_slowly(std::size_t start, std::size_t size, std::int32_t* out) {
  const unsigned char* const bytes = folded_.data() + start;
  const std::string_view token(reinterpret_cast<const char*>(bytes), token_bytes(start, size));
  if (token.size() > PieceKey::kMaxBytes) return resolve(token, out, 0, nullptr);
  const PieceKey key = PieceKey::of(bytes, token.size());
  if (const PieceTable::Slot* const slot = table_->find(key)) return table_->copy_ids(slot->ids(), out);
  std::int32_t* const end = resolve(token, out, 0, nullptr);
  rules_.cache.remember(key, {out, end}, table_);
  return end;
}

std::int32_t* PieceReader::read_segment_with_spans(std::size_t size, std::size_t offset, std::int32_t* out,
                                                   IdBuffer& spans) {
  for (std::size_t i = 0; i < n_positions_; ++i) {
    const std::size_t start = positions_[i];
    const char* const bytes = reinterpret_cast<const char*>(folded_.data()) + start;
    out = resolve({bytes, token_bytes(start, size)}, out, offset + start, &spans);
  }
  return out;
}

// The pieces of one surface token, without the cache. `offset` is its place in the text.
std::int32_t* PieceReader::resolve(std::string_view token, std::int32_t* out, std::size_t offset, IdBuffer* spans) {
  const PieceMatcher& matcher = rules_.matcher;
  const bool plain = is_plain(token);
  if (!plain) normalizer_.normalize(token);
  BertNormalizer::Word word{token, token.size(), 0};
  for (bool more = plain || normalizer_.next_word(word); more; more = !plain && normalizer_.next_word(word)) {
    const bool short_enough = word.n_chars <= rules_.options.max_input_chars_per_word;
    std::size_t n = short_enough ? matcher.match(word.bytes, out) : 0;
    const bool cut = n > 0;
    if (!cut) out[n++] = rules_.unk_id;
    if (spans != nullptr) {
      const auto begin_of = [&](std::size_t c) { return plain ? c : normalizer_.begin_of(word.first_char + c); };
      const auto end_of = [&](std::size_t c) { return plain ? c + 1 : normalizer_.end_of(word.first_char + c); };
      std::size_t byte = 0, first = 0;
      for (std::size_t i = 0; i < n; ++i) {
        std::size_t last = word.n_chars;
        if (cut) {
          const std::size_t piece = matcher.piece_bytes(out[i], i == 0);
          const auto is_lead = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
          const std::string_view bytes = word.bytes.substr(byte, piece);
          last = first + static_cast<std::size_t>(std::count_if(bytes.begin(), bytes.end(), is_lead));
          byte += piece;
        }
        put_span(offset + begin_of(first), offset + end_of(last - 1), *spans);
        first = last;
      }
    }
    out += n;
  }
  return out;
}

void PieceReader::preload(std::string_view token) {
  if (token.empty() || token.size() > PieceKey::kMaxBytes) return;
  mark(token);
  if (n_positions_ != 1 || positions_[0] != 0 || token_bytes(0, token.size()) != token.size()) return;
  std::array<std::int32_t, PieceKey::kMaxBytes + PackedIds::kPacked> pieces;
  read_slowly(0, token.size(), pieces.data());
}

}  // namespace twotower
