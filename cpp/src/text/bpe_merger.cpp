#include "text/bpe_merger.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "text/byte_alphabet.h"
#include "twotower/error.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

constexpr std::size_t kShort = 40;  // bytes; for longer words a heap is faster than searching all pairs each time
constexpr std::int32_t kNone = -1;

// Bytes that UTF-8 never has need no token.
bool in_utf8(int byte) { return byte != 0xC0 && byte != 0xC1 && byte < 0xF5; }

[[noreturn]] void refuse_byte(int byte) {
  char text[4];
  const std::string token(text, encode_utf8(alphabet_char(static_cast<unsigned char>(byte)), text));
  throw InvalidInput("the vocabulary has no token '" + token + "', which stands for byte " + std::to_string(byte) +
                     ": a byte-level vocabulary has one for each byte (train it with the whole byte alphabet)");
}

}  // namespace

MergeTable::MergeTable(std::size_t n_merges) : of_bytes_(kFirstMerged * kFirstMerged, kNoRank) {
  const unsigned bits = std::max(8u, static_cast<unsigned>(std::bit_width(2 * n_merges)));
  shift_ = 64 - bits;
  mask_ = (std::size_t{1} << bits) - 1;
  slots_.resize(mask_ + 1, kEmpty);
}

void MergeTable::insert(std::uint32_t left, std::uint32_t right, std::uint32_t rank) {
  if ((left | right) < kFirstMerged) {
    of_bytes_[left << 8 | right] = rank;
    return;
  }
  const std::uint64_t pair = std::uint64_t{left} << kBits | right;
  std::size_t at = home(pair);
  while (slots_[at] != kEmpty && slots_[at] >> kBits != pair) at = (at + 1) & mask_;
  slots_[at] = pair << kBits | rank;
}

BpeMerger::BpeMerger(std::span<const VocabularyEntry> vocabulary, std::span<const BpeMerge> merges, bool ignore_merges)
    : table_(merges.size()), merged_(merges.size()), id_of_(MergeTable::kFirstMerged, kNone) {
  constexpr std::size_t kMost = (std::size_t{1} << MergeTable::kBits) - MergeTable::kFirstMerged;
  if (merges.size() > kMost) {
    throw InvalidInput("there are " + std::to_string(merges.size()) + " merges: at most " + std::to_string(kMost) +
                       " are supported");
  }
  std::string bytes;
  for (const auto& [token, id] : vocabulary) {
    if (!bytes_of_token(token, bytes) || bytes.empty()) continue;
    const auto at = static_cast<std::size_t>(id);
    if (at >= token_bytes_.size()) token_bytes_.resize(at + 1);
    token_bytes_[at] = static_cast<std::uint32_t>(bytes.size());
    if (bytes.size() == 1) id_of_[static_cast<unsigned char>(bytes.front())] = id;
    if (ignore_merges) id_of_word_.emplace(bytes, id);
  }
  for (int byte = 0; byte < 256; ++byte) {
    const std::size_t in_word = byte == 0 ? std::size_t{kWordNul} : static_cast<std::size_t>(byte);
    if (in_utf8(byte) && id_of_[in_word] == kNone) refuse_byte(byte);
  }
  number_symbols(vocabulary, merges);
}

// A merge of a token that is neither a byte nor merged from others can never happen: it has no symbols.
void BpeMerger::number_symbols(std::span<const VocabularyEntry> vocabulary, std::span<const BpeMerge> merges) {
  std::unordered_map<std::int32_t, std::string_view> token_of;
  for (const auto& [token, id] : vocabulary) token_of.emplace(id, token);
  std::unordered_map<std::int32_t, std::uint32_t> symbol_of;
  for (std::uint32_t byte = 0; byte < MergeTable::kFirstMerged; ++byte) {
    if (id_of_[byte] != kNone) symbol_of.emplace(id_of_[byte], byte);
  }
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right, merged] = merges[rank];
    const auto l = token_of.find(left), r = token_of.find(right), m = token_of.find(merged);
    const bool there = l != token_of.end() && r != token_of.end() && m != token_of.end();
    if (!there || std::string(l->second).append(r->second) != m->second) {
      throw InvalidInput("merge " + std::to_string(rank) + " (ids " + std::to_string(left) + " and " +
                         std::to_string(right) + " to " + std::to_string(merged) +
                         ") is wrong: all three must be tokens, and the third the first two put together");
    }
    const auto [entry, is_new] = symbol_of.emplace(merged, static_cast<std::uint32_t>(id_of_.size()));
    if (is_new) id_of_.push_back(merged);
    merged_[rank] = entry->second;
  }
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto left = symbol_of.find(merges[rank].left), right = symbol_of.find(merges[rank].right);
    if (left == symbol_of.end() || right == symbol_of.end()) continue;
    table_.insert(left->second, right->second, static_cast<std::uint32_t>(rank));
  }
}

std::size_t BpeMerger::merge(std::string_view word, std::int32_t* out, Scratch& scratch) const {
  if (!id_of_word_.empty()) {
    if (const auto found = id_of_word_.find(std::string(word)); found != id_of_word_.end()) {
      *out = found->second;
      return 1;
    }
  }
  return word.size() <= kShort ? merge_short(word, out) : merge_long(word, out, scratch);
}

std::size_t BpeMerger::merge_short(std::string_view word, std::int32_t* out) const noexcept {
  std::uint32_t symbols[kShort], ranks[kShort];  // ranks[i]: of symbols i and i + 1
  std::size_t n = word.size();
  for (std::size_t i = 0; i < n; ++i) symbols[i] = static_cast<unsigned char>(word[i]);
  for (std::size_t i = 0; i + 1 < n; ++i) ranks[i] = table_.find(symbols[i], symbols[i + 1]);
  while (n > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < n; ++i) best = ranks[i] < ranks[best] ? i : best;
    if (ranks[best] == MergeTable::kNoRank) break;
    symbols[best] = merged_[ranks[best]];
    --n;
    for (std::size_t i = best + 1; i < n; ++i) symbols[i] = symbols[i + 1];
    for (std::size_t i = best; i + 1 < n; ++i) ranks[i] = ranks[i + 1];
    if (best > 0) ranks[best - 1] = table_.find(symbols[best - 1], symbols[best]);
    if (best + 1 < n) ranks[best] = table_.find(symbols[best], symbols[best + 1]);
  }
  for (std::size_t i = 0; i < n; ++i) out[i] = id_of_[symbols[i]];
  return n;
}

std::size_t BpeMerger::merge_long(std::string_view word, std::int32_t* out, Scratch& scratch) const {
  auto& [nodes, heap] = scratch;
  const auto n = static_cast<std::int32_t>(word.size());
  nodes.resize(word.size());
  heap.clear();
  const auto at = [&nodes](std::int32_t i) -> Scratch::Node& { return nodes[static_cast<std::size_t>(i)]; };
  const auto pair = [&](std::int32_t i) {
    Scratch::Node& node = at(i);
    node.rank = node.next < n ? table_.find(node.symbol, at(node.next).symbol) : MergeTable::kNoRank;
    if (node.rank == MergeTable::kNoRank) return false;
    heap.push_back(std::uint64_t{node.rank} << 32 | static_cast<std::uint32_t>(i));
    return true;
  };
  for (std::int32_t i = 0; i < n; ++i) {
    at(i) = {static_cast<unsigned char>(word[static_cast<std::size_t>(i)]), MergeTable::kNoRank, i - 1, i + 1};
  }
  for (std::int32_t i = 0; i + 1 < n; ++i) pair(i);
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const std::uint64_t top = heap.back();
    heap.pop_back();
    const auto i = static_cast<std::int32_t>(top & 0xFFFFFFFF);
    if (at(i).rank != top >> 32) continue;  // merged away, or with another neighbour by now
    const std::int32_t gone = at(i).next;
    at(i).symbol = merged_[at(i).rank];
    at(i).next = at(gone).next;
    at(gone).rank = MergeTable::kNoRank;
    if (at(i).next < n) at(at(i).next).previous = i;
    if (pair(i)) std::push_heap(heap.begin(), heap.end(), std::greater<>());
    const std::int32_t previous = at(i).previous;
    if (previous >= 0 && pair(previous)) std::push_heap(heap.begin(), heap.end(), std::greater<>());
  }
  std::size_t n_ids = 0;
  for (std::int32_t i = 0; i < n; i = at(i).next) out[n_ids++] = id_of_[at(i).symbol];
  return n_ids;
}

}  // namespace twotower
