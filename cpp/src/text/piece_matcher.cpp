#include "text/piece_matcher.h"

#include <algorithm>

#include "twotower/error.h"
#include "twotower/interrupt.h"

namespace twotower {
namespace {

constexpr std::int32_t kWordStart = 0;
constexpr std::int32_t kInsideWord = 1;
constexpr std::size_t kMaxPops = std::size_t{1} << 25;  // 128 MiB; the vocabularies of BERT need some 100,000
constexpr std::size_t kNodesPerPoll = std::size_t{1} << 12;

std::vector<std::vector<ByteTrie::Key>> key_sets(std::span<const VocabularyEntry> vocabulary,
                                                 const std::string& prefix) {
  std::vector<std::vector<ByteTrie::Key>> sets(2);
  for (const auto& [token, id] : vocabulary) {
    sets[kWordStart].emplace_back(token, id);
    if (token.starts_with(prefix)) sets[kInsideWord].emplace_back(std::string_view(token).substr(prefix.size()), id);
  }
  return sets;
}

// The parts of a long token that is no token itself may be tokens of one letter: then each node has as many pops as
// bytes.
[[noreturn]] void throw_too_many_pops(std::size_t n_nodes) {
  throw InvalidInput("the vocabulary has tokens of so many pieces (" + std::to_string(n_nodes) +
                     " beginnings of tokens) that its table of pieces would have more than " +
                     std::to_string(kMaxPops) + " entries: leave out its longest tokens");
}

}  // namespace

PieceMatcher::PieceMatcher(std::span<const VocabularyEntry> vocabulary, const std::string& prefix)
    : trie_(key_sets(vocabulary, prefix)), failures_(trie_.n_cells()), prefix_bytes_(prefix.size()) {
  for (const auto& [token, id] : vocabulary) {
    const auto at = static_cast<std::size_t>(id);
    if (at >= token_bytes_.size()) token_bytes_.resize(at + 1);
    token_bytes_[at] = static_cast<std::uint32_t>(token.size());
  }
  link_failures();
  trie_.drop_edges();
}

// Parents come before their children, so the failure link of a parent, and of any shallower node, is known. A link
// leads to a node of fewer bytes: never to one that is still to come.
void PieceMatcher::link_failures() {
  std::size_t n_seen = 0;
  for (const auto& [parent, node, byte] : trie_.edges()) {
    if (++n_seen % kNodesPerPoll == 0) check_interrupt();
    Failure& failure = failures_[static_cast<std::size_t>(node)];
    failure.pops_begin = static_cast<std::uint32_t>(pops_.size());
    if (trie_.value(node) != ByteTrie::kNone) {
      failure.node = kInsideWord;
      pops_.push_back(trie_.value(node));
    } else {
      const auto copy_pops = [this](const Failure& from) {
        if (pops_.size() + from.n_pops > kMaxPops) throw_too_many_pops(trie_.edges().size());
        for (std::uint32_t i = 0; i < from.n_pops; ++i) pops_.push_back(pops_[from.pops_begin + i]);
      };
      copy_pops(failure_of(parent));
      std::int32_t rest = failure_of(parent).node;
      while (rest != ByteTrie::kNone && trie_.child(rest, byte) == ByteTrie::kNone) {
        copy_pops(failure_of(rest));
        rest = failure_of(rest).node;
      }
      if (rest == ByteTrie::kNone) {
        pops_.resize(failure.pops_begin);
      } else {
        failure.node = trie_.child(rest, byte);
      }
    }
    failure.n_pops = static_cast<std::uint32_t>(pops_.size()) - failure.pops_begin;
  }
}

std::size_t PieceMatcher::match(std::string_view word, std::int32_t* out) const noexcept {
  std::int32_t* const begin = out;
  std::int32_t node = kWordStart;
  const auto fail = [&] {
    const Failure& failure = failure_of(node);
    if (failure.node == ByteTrie::kNone) return false;
    out = std::copy_n(pops_.data() + failure.pops_begin, failure.n_pops, out);
    node = failure.node;
    return true;
  };
  for (const char c : word) {
    std::int32_t next;
    while ((next = trie_.child(node, static_cast<std::uint8_t>(c))) == ByteTrie::kNone) {
      if (!fail()) return 0;
    }
    node = next;
  }
  while (node != kInsideWord) {
    if (!fail()) return 0;
  }
  return static_cast<std::size_t>(out - begin);
}

}  // namespace twotower
