// Which tokens of a WordPiece vocabulary the encoder misses least. Knows no merges.
#include <algorithm>
#include <string>
#include <utility>

#include "text/byte_trie.h"
#include "twotower/error.h"
#include "twotower/interrupt.h"
#include "twotower/vocabulary_training.h"

namespace twotower {
namespace {

constexpr std::int32_t kWordStart = 0, kInsideWord = 1;  // roots of the trie
constexpr std::size_t kSteps = 64;                       // the last rounds drop one part in so many of the size at once
constexpr std::size_t kWordsPerPoll = std::size_t{1} << 14;
constexpr std::size_t kTokensPerPoll = std::size_t{1} << 12;

// All candidates, of which some have been dropped, and the pieces of every word.
class Pruner {
 public:
  Pruner(const WordCounts& words, const std::vector<std::string>& tokens, std::size_t n_fixed,
         const std::string& prefix);

  void drop_down_to(std::size_t size);
  bool kept(std::size_t token) const { return kept_[token]; }

 private:
  std::size_t cut(std::string_view word, std::int32_t root, std::int32_t without, std::uint32_t* pieces) const;
  std::uint64_t loss(std::size_t token) const;
  void cut_words(const std::vector<bool>* dropped);

  const WordCounts& words_;
  const std::vector<std::string>& tokens_;
  const std::size_t n_fixed_;
  const std::string prefix_;
  const ByteTrie trie_;
  std::vector<bool> kept_;
  std::vector<std::uint64_t> uses_;    // of each token, by all words
  std::vector<std::uint32_t> pieces_;  // of word i from words.offsets[i] on: no word has more pieces than bytes
  std::vector<std::uint32_t> n_pieces_;
};

std::vector<std::vector<ByteTrie::Key>> keys_of(const std::vector<std::string>& tokens, const std::string& prefix) {
  std::vector<std::vector<ByteTrie::Key>> sets(2);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view token = tokens[i];
    sets[kWordStart].emplace_back(token, static_cast<std::int32_t>(i));
    if (token.starts_with(prefix)) {
      sets[kInsideWord].emplace_back(token.substr(prefix.size()), static_cast<std::int32_t>(i));
    }
  }
  return sets;
}

Pruner::Pruner(const WordCounts& words, const std::vector<std::string>& tokens, std::size_t n_fixed,
               const std::string& prefix)
    : words_(words),
      tokens_(tokens),
      n_fixed_(n_fixed),
      prefix_(prefix),
      trie_(keys_of(tokens, prefix)),
      kept_(tokens.size(), true),
      uses_(tokens.size()),
      pieces_(words.bytes.size()),
      n_pieces_(words.size()) {}

// Longest match first, as WordPiece cuts, with the kept tokens but one: the number of pieces, 0 where a word cannot be
// cut.
std::size_t Pruner::cut(std::string_view word, std::int32_t root, std::int32_t without, std::uint32_t* pieces) const {
  std::size_t n = 0;
  while (!word.empty()) {
    std::size_t bytes = 0;
    std::int32_t node = root;
    for (std::size_t i = 0; i < word.size(); ++i) {
      node = trie_.child(node, static_cast<std::uint8_t>(word[i]));
      if (node == ByteTrie::kNone) break;
      const std::int32_t token = trie_.value(node);
      if (token == without || token == ByteTrie::kNone || !kept_[static_cast<std::size_t>(token)]) continue;
      bytes = i + 1;
      pieces[n] = static_cast<std::uint32_t>(token);
    }
    if (bytes == 0) return 0;
    ++n;
    word.remove_prefix(bytes);
    root = kInsideWord;
  }
  return n;
}

// Cuts all words, or those with a piece that has been dropped.
void Pruner::cut_words(const std::vector<bool>* dropped) {
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (i % kWordsPerPoll == 0) check_interrupt();
    std::uint32_t* const pieces = pieces_.data() + words_.offsets[i];
    const auto end = [&] { return pieces + n_pieces_[i]; };
    if (dropped != nullptr) {
      if (std::none_of(pieces, end(), [&](std::uint32_t piece) { return (*dropped)[piece]; })) continue;
      std::for_each(pieces, end(), [&](std::uint32_t piece) { uses_[piece] -= words_.counts[i]; });
    }
    n_pieces_[i] = static_cast<std::uint32_t>(cut(words_.word(i), kWordStart, ByteTrie::kNone, pieces));
    std::for_each(pieces, end(), [&](std::uint32_t piece) { uses_[piece] += words_.counts[i]; });
  }
}

// Pieces that its uses would have more without the token, were the words around them cut as before.
std::uint64_t Pruner::loss(std::size_t token) const {
  if (uses_[token] == 0) return 0;
  std::string_view spelled = tokens_[token];
  const bool inside = spelled.starts_with(prefix_);
  if (inside) spelled.remove_prefix(prefix_.size());
  std::vector<std::uint32_t> pieces(spelled.size());
  const std::size_t n =
      cut(spelled, inside ? kInsideWord : kWordStart, static_cast<std::int32_t>(token), pieces.data());
  return uses_[token] * (std::max<std::size_t>(n, 1) - 1);
}

// In rounds: what is dropped changes what the others are worth.
void Pruner::drop_down_to(std::size_t size) {
  struct Candidate {
    std::uint64_t loss;
    std::size_t token;
  };
  std::vector<Candidate> candidates;
  cut_words(nullptr);
  for (std::size_t n_kept = tokens_.size(); n_kept > size;) {
    candidates.clear();
    for (std::size_t token = n_fixed_; token < tokens_.size(); ++token) {
      if (token % kTokensPerPoll == 0) check_interrupt();
      if (kept_[token]) candidates.push_back({loss(token), token});
    }
    const std::size_t excess = n_kept - size;
    const std::size_t n = std::min(excess, std::max(excess * 3 / 10 + 1, size / kSteps));
    std::nth_element(
        candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(n), candidates.end(),
        [](const Candidate& a, const Candidate& b) { return a.loss != b.loss ? a.loss < b.loss : a.token > b.token; });
    std::vector<bool> dropped(tokens_.size());
    for (std::size_t i = 0; i < n; ++i) dropped[candidates[i].token] = true;
    for (std::size_t i = 0; i < n; ++i) kept_[candidates[i].token] = false;
    cut_words(&dropped);
    n_kept -= n;
  }
}

}  // namespace

std::vector<std::string> prune_vocabulary(const WordCounts& words, const std::vector<std::string>& tokens,
                                          std::size_t n_fixed, std::size_t size, const std::string& prefix) {
  if (tokens.size() <= size) return tokens;
  if (size < n_fixed)
    throw InvalidInput("a vocabulary of " + std::to_string(size) + " tokens has no room for " +
                       std::to_string(n_fixed) + " that are kept always");
  Pruner pruner(words, tokens, n_fixed, prefix);
  pruner.drop_down_to(size);
  std::vector<std::string> kept;
  for (std::size_t token = 0; token < tokens.size(); ++token) {
    if (pruner.kept(token)) kept.push_back(tokens[token]);
  }
  return kept;
}

}  // namespace twotower
