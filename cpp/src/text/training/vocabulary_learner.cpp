// Alphabet, tokens as strings and the order of their ids. The choice of merges is MergeLearner's.
#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "text/byte_alphabet.h"
#include "text/training/merge_learner.h"
#include "twotower/error.h"
#include "twotower/interrupt.h"
#include "twotower/term_table.h"
#include "twotower/utf8.h"
#include "twotower/vocabulary_training.h"

namespace twotower {
namespace {

constexpr std::size_t kWordsPerPoll = std::size_t{1} << 16;

std::string utf8(char32_t c) {
  char bytes[4];
  return {bytes, encode_utf8(c, bytes)};
}

// What characters come, how often, and whether behind others.
struct CharCount {
  std::uint64_t count = 0;
  bool inside = false;
};
using CharCounts = std::unordered_map<char32_t, CharCount>;

template <class Visit>
void for_each_char(std::string_view word, Visit&& visit) {
  for (const char* at = word.data(); at != word.data() + word.size();) visit(decode_utf8(at));
}

CharCounts count_chars(const WordCounts& words) {
  CharCounts chars;
  for (std::size_t i = 0; i < words.size(); ++i) {
    bool inside = false;
    for_each_char(words.word(i), [&](char32_t c) {
      CharCount& found = chars[c];
      found.count += words.counts[i];
      found.inside |= inside;
      inside = true;
    });
    if (i % kWordsPerPoll == 0) check_interrupt();
  }
  return chars;
}

// The `limit` most frequent characters, in the order of code points. Of equals those go first that are a word by
// themselves or begin one, and so are one token and not two; then the first code points.
std::vector<char32_t> alphabet_of(const CharCounts& chars, std::size_t limit) {
  std::vector<char32_t> alphabet;
  for (const auto& [c, count] : chars) alphabet.push_back(c);
  const auto rank = [&](char32_t c) {
    const CharCount& count = chars.at(c);
    return std::tuple(std::numeric_limits<std::uint64_t>::max() - count.count, count.inside, c);
  };
  std::sort(alphabet.begin(), alphabet.end(), [&](char32_t a, char32_t b) { return rank(a) < rank(b); });
  if (alphabet.size() > limit) alphabet.resize(limit);
  std::sort(alphabet.begin(), alphabet.end());
  return alphabet;
}

}  // namespace

struct VocabularyLearner::Parts {
  Parts(const VocabularyRequest& given, std::string prefix_of_inner)
      : request(given), prefix(std::move(prefix_of_inner)), learner(given.max_token_length, given.min_frequency) {
    for (const std::string& token : request.special_tokens) {
      const std::size_t before = tokens.size();
      tokens.add(token);
      if (tokens.size() == before) throw InvalidInput("the special token '" + token + "' comes twice");
    }
  }

  std::uint32_t add(const std::string& token) { return static_cast<std::uint32_t>(tokens.add(token)); }
  std::string_view token(std::uint32_t id) const { return tokens.term(static_cast<std::int32_t>(id)); }
  void check_size(std::size_t n_alphabet, const std::string& advice) const;
  void make(Pair pair);

  const VocabularyRequest request;
  const std::string prefix;
  TermTable tokens;
  std::size_t n_fixed = 0;
  MergeLearner learner;
  std::vector<Merge> merges;
};

void VocabularyLearner::Parts::check_size(std::size_t n_alphabet, const std::string& advice) const {
  if (tokens.size() <= request.vocabulary_size) return;
  throw InvalidInput("vocabulary_size is " + std::to_string(request.vocabulary_size) + ": there are " +
                     std::to_string(request.special_tokens.size()) + " special tokens and " +
                     std::to_string(n_alphabet) + " of the alphabet; give at least " + std::to_string(tokens.size()) +
                     advice);
}

void VocabularyLearner::Parts::make(Pair pair) {
  std::string_view rest = token(right_of(pair));
  if (!prefix.empty() && rest.starts_with(prefix)) rest.remove_prefix(prefix.size());
  std::string spelled(token(left_of(pair)));
  spelled += rest;
  const std::uint32_t merged = add(spelled);
  merges.push_back({static_cast<std::int32_t>(left_of(pair)), static_cast<std::int32_t>(right_of(pair)),
                    static_cast<std::int32_t>(merged)});
  learner.merge(pair, merged);
}

VocabularyLearner::VocabularyLearner(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
VocabularyLearner::VocabularyLearner(VocabularyLearner&&) noexcept = default;
VocabularyLearner::~VocabularyLearner() = default;

VocabularyLearner VocabularyLearner::of_wordpiece(const WordCounts& words, const VocabularyRequest& request,
                                                  const std::string& prefix) {
  if (words.size() == 0) throw InvalidInput("the texts have no word: there is nothing to learn from");
  auto parts = std::make_unique<Parts>(request, prefix);
  const CharCounts chars = count_chars(words);
  struct Ids {
    std::uint32_t first, inside;
  };
  std::unordered_map<char32_t, Ids> ids;
  const std::vector<char32_t> alphabet = alphabet_of(chars, request.limit_alphabet);
  for (const char32_t c : alphabet) ids[c].first = parts->add(utf8(c));
  for (const char32_t c : alphabet) {
    if (chars.at(c).inside) ids[c].inside = parts->add(prefix + utf8(c));
  }
  parts->check_size(parts->tokens.size() - request.special_tokens.size(),
                    ", or lower limit_alphabet (" + std::to_string(request.limit_alphabet) + ")");
  std::vector<std::uint32_t> word;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words.word(i).size() > prefix.size() && words.word(i).starts_with(prefix)) {
      throw InvalidInput("a word begins with '" + prefix + "', which marks tokens inside words");
    }
    bool inside = false;
    const auto add_known_part = [&] {
      if (!word.empty()) parts->learner.add_word(word, words.counts[i]);
      word.clear();
    };
    for_each_char(words.word(i), [&](char32_t c) {
      const auto found = ids.find(c);
      if (found == ids.end()) {
        add_known_part();
      } else {
        word.push_back(inside ? found->second.inside : found->second.first);
      }
      inside = true;
    });
    add_known_part();
    if (i % kWordsPerPoll == 0) check_interrupt();
  }
  parts->n_fixed = parts->tokens.size();
  parts->learner.start(parts->n_fixed);
  return VocabularyLearner(std::move(parts));
}

VocabularyLearner VocabularyLearner::of_byte_level(const WordCounts& words, const VocabularyRequest& request) {
  if (words.size() == 0) throw InvalidInput("the texts have no word: there is nothing to learn from");
  auto parts = std::make_unique<Parts>(request, std::string());
  std::array<unsigned char, 256> bytes;
  std::iota(bytes.begin(), bytes.end(), static_cast<unsigned char>(0));
  std::sort(bytes.begin(), bytes.end(),
            [](unsigned char a, unsigned char b) { return alphabet_char(a) < alphabet_char(b); });
  std::array<std::uint32_t, 256> ids;
  for (const unsigned char byte : bytes) ids[byte] = parts->add(utf8(alphabet_char(byte)));
  ids[kWordNul] = ids[0];
  parts->check_size(parts->tokens.size() - request.special_tokens.size(), "");
  std::vector<std::uint32_t> word;
  for (std::size_t i = 0; i < words.size(); ++i) {
    word.clear();
    for (const char c : words.word(i)) word.push_back(ids[static_cast<unsigned char>(c)]);
    parts->learner.add_word(word, words.counts[i]);
    if (i % kWordsPerPoll == 0) check_interrupt();
  }
  parts->n_fixed = parts->tokens.size();
  parts->learner.start(parts->n_fixed);
  return VocabularyLearner(std::move(parts));
}

bool VocabularyLearner::run(std::size_t n) {
  const std::size_t wanted = std::max(parts_->request.vocabulary_size, parts_->request.n_candidates);
  for (; n > 0; --n) {
    if (parts_->tokens.size() >= wanted) return false;
    const auto pair = parts_->learner.next();
    if (!pair) return false;
    parts_->make(*pair);
  }
  return true;
}

std::size_t VocabularyLearner::n_fixed() const noexcept { return parts_->n_fixed; }

std::size_t VocabularyLearner::size() const noexcept { return parts_->tokens.size(); }

std::vector<std::string> VocabularyLearner::tokens() const {
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < parts_->tokens.size(); ++i) {
    tokens.emplace_back(parts_->token(static_cast<std::uint32_t>(i)));
  }
  return tokens;
}

const std::vector<Merge>& VocabularyLearner::merges() const noexcept { return parts_->merges; }

}  // namespace twotower
