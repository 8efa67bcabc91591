#include "text/term_reader.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "kernels/dispatch.h"
#include "twotower/error.h"

namespace twotower {
namespace {

constexpr std::size_t kBlock = 64;
constexpr std::size_t kSegmentBytes = std::size_t{1} << 15;  // text that is marked at once; its buffers stay in L2
constexpr std::size_t kGroup = 128;                          // runs between asking for their slots and reading them
constexpr std::size_t kWindow = 57;                          // bits that one unaligned read is sure to hold
constexpr std::size_t kLongestRun = 128;                     // bytes of a run that is worth remembering
constexpr std::size_t kMostWords = 8;                        // of such a run

// Where every rule ends a run.
bool separates(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Where a text can be cut at or before byte `wanted`: behind ASCII white space. 0 if nowhere.
std::size_t cut_before(std::string_view text, std::size_t wanted) {
  while (wanted > 0 && !separates(text[wanted - 1])) --wanted;
  return wanted;
}

bool bit(const std::vector<std::uint64_t>& bits, std::size_t at) { return (bits[at / kBlock] >> at % kBlock & 1) != 0; }

// Bytes of the run at `start`, up to kWindow.
inline std::size_t short_run_bytes(const std::uint64_t* bits, std::size_t start) {
  std::uint64_t window;
  std::memcpy(&window, reinterpret_cast<const unsigned char*>(bits) + start / 8, sizeof window);
  window = ~(window >> start % 8);
  return static_cast<std::size_t>(std::countr_zero(window | std::uint64_t{1} << kWindow));
}

bool is_ascii(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

TermReader::TermReader(const TermRules& rules, const Stemming& stemming)
    : rules_(rules),
      stemming_(stemming),
      scan_{rules.words().lowercase && !rules.words().turkish, rules.words().rule == WordRule::kWhitespace},
      mark_words_(kernels::active().text.mark_words) {}

void TermReader::use(std::shared_ptr<TermCache> cache) {
  cache_ = std::move(cache);
  for (const KeyKind kind : {KeyKind::kRun, KeyKind::kWord}) {
    auto& table = tables_[static_cast<std::size_t>(kind)];
    if (!cache_->is_current(kind, table.get())) table = cache_->short_keys(kind);
  }
}

// ---------------------------------------------------------------- segments

std::string_view TermReader::next_segment() {
  std::size_t size = rest_.size();
  for (std::size_t wanted = kSegmentBytes; wanted < rest_.size(); wanted *= 2) {
    const std::size_t cut = cut_before(rest_, wanted);
    if (cut == 0) continue;
    size = cut;
    break;
  }
  const std::string_view segment = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return segment;
}

void TermReader::mark(std::string_view segment) {
  const std::size_t n_blocks = (segment.size() + kBlock - 1) / kBlock;
  if (bits_.size() < n_blocks + 1) {
    bits_.resize(n_blocks + 1);
    folded_.resize(n_blocks * kBlock + PieceKey::kMaxBytes);
    starts_.resize(n_blocks * kBlock + 16);
  }
  n_starts_ = mark_words_(scan_, reinterpret_cast<const std::uint8_t*>(segment.data()), segment.size(), folded_.data(),
                          bits_.data(), starts_.data());
  bits_[n_blocks] = 0;
}

bool TermReader::append(IdBuffer& numbers) {
  if (rest_.empty()) return false;
  const std::string_view segment = next_segment();
  mark(segment);
  // No run has more terms than bytes; a slot is copied as five numbers.
  std::int32_t* const out = numbers.room(segment.size() + PackedIds::kPacked);
  std::int32_t* const end = read_segment(segment, out);
  numbers.set_size(numbers.size() + static_cast<std::size_t>(end - out));
  return true;
}

std::size_t TermReader::run_bytes(std::size_t start, std::size_t size) const noexcept {
  std::size_t end = start + short_run_bytes(bits_.data(), start);
  while (end < size && bit(bits_, end)) {
    const std::uint64_t rest = ~(bits_[end / kBlock] >> end % kBlock);
    end += std::min<std::size_t>(static_cast<std::size_t>(std::countr_zero(rest)), kBlock - end % kBlock);
  }
  return end - start;
}

// ---------------------------------------------------------------- runs that are known

std::int32_t* TermReader::read_segment(std::string_view segment, std::int32_t* out) {
  struct Asked {
    PieceKey key;
    std::size_t home;
    std::size_t bytes;
  };
  std::array<Asked, kGroup> asked;
  const PieceTable* table = tables_[0].get();
  for (std::size_t begin = 0; begin < n_starts_; begin += kGroup) {
    const std::size_t n = std::min(kGroup, n_starts_ - begin);
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t start = starts_[begin + i];
      const std::size_t bytes = short_run_bytes(bits_.data(), start);
      const PieceKey key = PieceKey::of(folded_.data() + start, std::min(bytes, PieceKey::kMaxBytes));
      asked[i] = {key, table->home(key.hash()), bytes};
      __builtin_prefetch(&table->slot(asked[i].home));
    }
    for (std::size_t i = 0; i < n; ++i) {
      const auto& [key, home, bytes] = asked[i];
      const PieceTable::Slot& slot = table->slot(home);
      const std::uint64_t low = slot.low.load_acquire();
      const std::uint64_t high = slot.high.load();
      const PackedIds numbers = slot.ids();
      const bool found = ((low ^ key.low) | (high ^ key.high)) == 0 && bytes <= PieceKey::kMaxBytes;
      if (found & numbers.plain()) [[likely]] {
        numbers.copy_plain(out);
        out += numbers.count();
      } else {
        out = read_slowly(segment, starts_[begin + i], key, out);
        if (table == tables_[0].get()) continue;
        table = tables_[0].get();
        for (std::size_t k = i + 1; k < n; ++k) asked[k].home = table->home(asked[k].key.hash());
      }
    }
  }
  return out;
}

// A run that is long, new, not in its home slot or of many words. `key` is that of its first bytes.
std::int32_t* TermReader::read_slowly(std::string_view segment, std::size_t start, const PieceKey& key,
                                      std::int32_t* out) {
  const std::string_view run = segment.substr(start, run_bytes(start, segment.size()));
  const std::string_view folded(reinterpret_cast<const char*>(folded_.data()) + start, run.size());
  bool may_be_long = true;
  if (run.size() <= PieceKey::kMaxBytes && find_short(KeyKind::kRun, key, out, may_be_long)) return out;
  if (may_be_long && run.size() <= kLongestRun) {
    if (const LongTable::Entry* const entry = cache_->find_long(KeyKind::kRun, folded)) {
      return std::copy_n(entry->ids(), entry->n_ids, out);
    }
  }
  return resolve(run, folded, out);
}

bool TermReader::find(KeyKind kind, std::string_view key, std::int32_t*& out) {
  bool may_be_long = true;
  if (is_short_key(key) && find_short(kind, short_key(key), out, may_be_long)) return true;
  const LongTable::Entry* const entry = may_be_long ? cache_->find_long(kind, key) : nullptr;
  if (entry == nullptr) return false;
  out = std::copy_n(entry->ids(), entry->n_ids, out);
  return true;
}

// `may_be_long`: it is not in the table for short keys, but there was no free slot for it either.
bool TermReader::find_short(KeyKind kind, const PieceKey& key, std::int32_t*& out, bool& may_be_long) {
  auto& table = tables_[static_cast<std::size_t>(kind)];
  const PieceTable::Slot* slot = table->find(key);
  if (slot == nullptr && !cache_->is_current(kind, table.get())) {
    table = cache_->short_keys(kind);
    slot = table->find(key);
  }
  if (slot != nullptr) {
    out = table->copy_ids(slot->ids(), out);
    return true;
  }
  const std::size_t last =
      (table->home(key.hash()) + PieceTable::kProbes - 1) & ((std::size_t{1} << table->bits()) - 1);
  may_be_long = table->slot(last).low.load_acquire() != 0;
  return false;
}

// ---------------------------------------------------------------- new runs and words

std::int32_t* TermReader::resolve(std::string_view run, std::string_view folded, std::int32_t* out) {
  std::int32_t* const first = out;
  if (is_ascii(folded) && !rules_.words().turkish) {
    const std::int32_t number = settle(KeyKind::kRun, folded);  // all of it is one word
    if (number >= 0) *out++ = number;
    return out;
  }
  std::size_t n_words = 0;
  WordReader reader(run, rules_.words(), word_buffer_);
  for (std::string_view word; reader.next(word); ++n_words) {
    const std::int32_t number = number_of(word);
    if (number >= 0) *out++ = number;
  }
  if (!priming_ && run.size() <= kLongestRun && (n_words <= kMostWords || run.size() <= PieceKey::kMaxBytes)) {
    cache_->remember(KeyKind::kRun, folded, {first, out});
  }
  return out;
}

std::int32_t TermReader::number_of(std::string_view word) {
  const KeyKind kind = is_ascii(word) && !rules_.words().turkish ? KeyKind::kRun : KeyKind::kWord;
  std::int32_t found[PackedIds::kPacked];
  std::int32_t* end = found;
  if (find(kind, word, end)) return end == found ? TermCache::kDropped : found[0];
  return settle(kind, word);
}

// Makes the term of a word that the cache lacks.
std::int32_t TermReader::settle(KeyKind kind, std::string_view word) {
  const std::string_view kept = rules_.kept(word, kept_buffer_);
  if (priming_ && !kept.empty()) {
    primed_.try_emplace(std::string(word), kept);
    return TermCache::kDropped;
  }
  return cache_->settle(kind, word, kept.empty() ? kept : stem(kept));
}

std::string_view TermReader::stem(std::string_view word) {
  if (stemming_.single) {
    if (stemmer_ == nullptr) stemmer_ = stemming_.single();
    return stemmer_->stem(word);
  }
  if (!stemming_.batch) return word;
  const std::vector<std::string> stems = stemming_.batch({std::string(word)});
  if (stems.size() != 1)
    throw InvalidInput("the stemmer gave " + std::to_string(stems.size()) +
                       " stems for 1 words: it must give one for each");
  stem_buffer_ = stems[0];
  return stem_buffer_;
}

void TermReader::prime(std::string_view text) {
  if (!stemming_.batch) return;
  priming_ = true;
  IdBuffer unused;
  start(text);
  while (append(unused)) unused.set_size(0);
  priming_ = false;
}

void TermReader::settle_primed() {
  if (primed_.empty()) return;
  std::vector<std::string> kept;
  kept.reserve(primed_.size());
  for (const auto& [word, form] : primed_) kept.push_back(form);
  const auto words = std::move(primed_);
  primed_ = {};
  const std::vector<std::string> stems = stemming_.batch(kept);
  if (stems.size() != kept.size()) {
    throw InvalidInput("the stemmer gave " + std::to_string(stems.size()) + " stems for " +
                       std::to_string(kept.size()) + " words: it must give one for each");
  }
  std::size_t i = 0;
  for (const auto& [word, form] : words) {
    const bool own_run = is_ascii(word) && !rules_.words().turkish;
    cache_->settle(own_run ? KeyKind::kRun : KeyKind::kWord, word, stems[i++]);
  }
}

}  // namespace twotower
