// Training of vocabularies, each part against plain code: counts of words, merges, dropping; and what it refuses.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "text/training/merge_learner.h"
#include "text/training/word_table.h"
#include "twotower/error.h"
#include "twotower/vocabulary_training.h"

using namespace twotower;
using Strings = std::vector<std::string>;
using Counts = std::map<std::string, std::uint64_t>;

namespace {

WordCounts as_words(const std::vector<std::pair<std::string, std::uint64_t>>& counts) {
  WordCounts words;
  for (const auto& [word, count] : counts) {
    words.bytes += word;
    words.offsets.push_back(words.bytes.size());
    words.counts.push_back(count);
  }
  return words;
}

Counts as_map(const WordCounts& words) {
  Counts counts;
  for (std::size_t i = 0; i < words.size(); ++i) counts[std::string(words.word(i))] = words.counts[i];
  return counts;
}

std::vector<StoredText> views_of(const Strings& texts) {
  std::vector<StoredText> views;
  for (const auto& text : texts) views.push_back({text.data(), text.size(), TextForm::kUtf8});
  return views;
}

struct PlainWord {
  std::vector<std::uint32_t> tokens;
  std::int64_t count;
};

// The most frequent pair, counted anew: merges that it allows, from the beginning of each word.
std::map<Pair, std::int64_t> count_plainly(const std::vector<PlainWord>& words) {
  std::map<Pair, std::int64_t> counts;
  for (const auto& [tokens, count] : words) {
    std::map<Pair, std::size_t> free_from;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      const Pair pair = pair_of(tokens[i], tokens[i + 1]);
      if (i < free_from[pair]) continue;
      free_from[pair] = i + 2;
      counts[pair] += count;
    }
  }
  return counts;
}

void merge_plainly(std::vector<PlainWord>& words, Pair pair, std::uint32_t merged) {
  for (auto& [tokens, count] : words) {
    std::vector<std::uint32_t> out;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const bool here = i + 1 < tokens.size() && pair_of(tokens[i], tokens[i + 1]) == pair;
      out.push_back(here ? merged : tokens[i]);
      i += here;
    }
    tokens = out;
  }
}

}  // namespace

TEST_CASE("MergeLearner picks and merges as plain code does, on runs and ties") {
  std::mt19937 generator(7);
  for (int round = 0; round < 400; ++round) {
    const std::uint32_t n_letters = 1 + generator() % 4;
    std::vector<PlainWord> words;
    for (std::size_t i = 0, n = 1 + generator() % 20; i < n; ++i) {
      PlainWord word{std::vector<std::uint32_t>(1 + generator() % 25), static_cast<std::int64_t>(1 + generator() % 5)};
      for (auto& token : word.tokens) token = generator() % n_letters;
      words.push_back(word);
    }
    std::stable_sort(words.begin(), words.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
    MergeLearner learner(1000, 1);
    for (const auto& word : words) learner.add_word(word.tokens, static_cast<std::uint64_t>(word.count));
    learner.start(n_letters);
    std::map<std::uint32_t, std::string> spelled;
    std::map<std::string, std::uint32_t> ids;
    for (std::uint32_t i = 0; i < n_letters; ++i) ids[spelled[i] = std::string(1, static_cast<char>('a' + i))] = i;
    while (const auto pair = learner.next()) {
      const auto counts = count_plainly(words);
      const auto best = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
        return a.second != b.second ? a.second < b.second : a.first > b.first;
      });
      REQUIRE(best->first == *pair);
      const std::string together = spelled[left_of(*pair)] + spelled[right_of(*pair)];
      const auto merged = static_cast<std::uint32_t>(ids.size());
      REQUIRE(ids.emplace(together, merged).second);  // a string comes to be a token in one way
      spelled[merged] = together;
      learner.merge(*pair, merged);
      merge_plainly(words, *pair, merged);
    }
    REQUIRE(count_plainly(words).empty());
  }
}

TEST_CASE("MergeLearner keeps to the frequency and the width it was given") {
  MergeLearner frequent(1000, 3), narrow(2, 1), one(1, 1);
  const std::vector<std::uint32_t> word{0, 1, 0, 1};
  for (MergeLearner* learner : {&frequent, &narrow, &one}) {
    learner->add_word(word, 1);
    learner->start(2);
  }
  CHECK(!frequent.next());
  REQUIRE(narrow.next() == pair_of(0, 1));
  CHECK(!one.next());
}

TEST_CASE("MergeLearner needs linear room and time for one word of a million letters") {
  MergeLearner learner(std::size_t{1} << 30, 2);
  learner.add_word(std::vector<std::uint32_t>(1 << 20, 0), 1);
  learner.start(1);
  std::uint32_t merged = 1;
  for (; const auto pair = learner.next(); ++merged) {
    CHECK(*pair == pair_of(merged - 1, merged - 1));
    learner.merge(*pair, merged);
  }
  CHECK(merged == 20);  // 2^19 letters come twice
}

TEST_CASE("WordTable counts strings of any bytes and any length") {
  std::mt19937 generator(1);
  WordTable table;
  Counts expected;
  for (int i = 0; i < 50'000; ++i) {
    std::string word(generator() % 20, '\0');
    for (char& c : word) c = static_cast<char>(generator() % 3 * 127);
    word.resize(std::min<std::size_t>(word.size(), generator() % 20));
    const std::uint64_t count = 1 + generator() % 3;
    table.add(word, count);
    expected[word] += count;
    const std::string padded = word + std::string(16, '\x7f');
    table.add_padded(reinterpret_cast<const unsigned char*>(padded.data()), word.size());
    expected[word] += 1;
  }
  Counts found;
  table.for_each([&](std::string_view word, std::uint64_t count) { found[std::string(word)] += count; });
  CHECK(found == expected);
  CHECK(table.size() == expected.size());
}

TEST_CASE("WordCounter gives the same words for every number of threads and every cut into calls") {
  std::mt19937 generator(2);
  Strings texts;
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (std::size_t n = generator() % 60; n > 0; --n) {
      static const Strings kParts{"the ", "The", " ", "é", "中", "[SEP]", "[", "-", "internationalisation ",
                                  "\0x",  "ab"};
      text += kParts[generator() % kParts.size()];
    }
    texts.push_back(text);
  }
  texts.emplace_back(200'000, 'x');
  texts.push_back(texts.back() + " y");
  const auto views = views_of(texts);
  const auto counted = [&](unsigned threads, std::size_t step) {
    WordCounter counter = WordCounter::of_wordpiece({}, {"[SEP]"}, 1'000'000);
    for (std::size_t i = 0; i < views.size(); i += step) {
      counter.add(std::span(views).subspan(i, std::min(step, views.size() - i)), i, threads);
    }
    return counter.take();
  };
  const WordCounts expected = counted(1, views.size());
  CHECK(as_map(expected).at("the") > 100);
  CHECK(as_map(expected).count("xx") == 0);
  CHECK(std::is_sorted(expected.counts.rbegin(), expected.counts.rend()));
  for (const unsigned threads : {1u, 2u, 7u}) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, views.size()}) {
      const WordCounts found = counted(threads, step);
      CHECK(found.bytes == expected.bytes);
      CHECK(found.offsets == expected.offsets);
      CHECK(found.counts == expected.counts);
    }
  }
}

TEST_CASE("WordCounter and VocabularyLearner refuse what they cannot do") {
  const Strings texts{"a b c", "bad \xff"};
  WordCounter counter = WordCounter::of_wordpiece({}, {}, 2);
  CHECK_THROWS_WITH_AS(counter.add(views_of({texts[1]}), 41, 1), doctest::Contains("text 41"), InvalidInput);
  WordCounter few = WordCounter::of_wordpiece({}, {}, 2);
  const Strings good{texts[0]};
  few.add(views_of(good), 0, 1);
  CHECK_THROWS_WITH_AS(few.take(), doctest::Contains("more than 2 distinct words"), InvalidInput);
  CHECK_THROWS_AS(WordCounter::of_wordpiece({}, {""}, 2), InvalidInput);

  VocabularyRequest request;
  request.vocabulary_size = 5;
  const auto learn = [&](const WordCounts& words) { return VocabularyLearner::of_wordpiece(words, request, "##"); };
  CHECK_THROWS_WITH_AS(learn({}), doctest::Contains("no word"), InvalidInput);
  CHECK_THROWS_WITH_AS(learn(as_words({{"abc", 1}, {"cab", 1}})), doctest::Contains("give at least 6"), InvalidInput);
  CHECK_THROWS_WITH_AS(learn(as_words({{"##a", 1}})), doctest::Contains("begins with '##'"), InvalidInput);
  request.special_tokens = {"[UNK]", "[UNK]"};
  CHECK_THROWS_WITH_AS(learn(as_words({{"a", 1}})), doctest::Contains("comes twice"), InvalidInput);
}

TEST_CASE("a vocabulary worked by hand") {
  VocabularyRequest request;
  request.special_tokens = {"[UNK]"};
  request.vocabulary_size = 11;
  // l ##o comes 6 times, then lo ##w 4 times. The letter o is a token although no word begins with it.
  VocabularyLearner learner =
      VocabularyLearner::of_wordpiece(as_words({{"low", 4}, {"lot", 2}, {"so", 1}}), request, "##");
  while (learner.run(1)) {
  }
  CHECK(learner.n_fixed() == 9);
  CHECK(learner.tokens() == Strings{"[UNK]", "l", "o", "s", "t", "w", "##o", "##t", "##w", "lo", "low"});
}

TEST_CASE("prune_vocabulary keeps what longest-match-first needs") {
  const WordCounts words = as_words({{"abcd", 10}, {"abc", 3}, {"ab", 1}});
  // abcd is used 10 times and worth 3 pieces each; abc 3 times, 2 pieces; ab once, 1 piece.
  const Strings tokens{"a", "##b", "##c", "##d", "ab", "abc", "abcd"};
  CHECK(prune_vocabulary(words, tokens, 4, 7, "##") == tokens);
  CHECK(prune_vocabulary(words, tokens, 4, 6, "##") == Strings{"a", "##b", "##c", "##d", "abc", "abcd"});
  CHECK(prune_vocabulary(words, tokens, 4, 5, "##") == Strings{"a", "##b", "##c", "##d", "abcd"});
  CHECK(prune_vocabulary(words, tokens, 4, 4, "##") == Strings{"a", "##b", "##c", "##d"});
  CHECK_THROWS_AS(prune_vocabulary(words, tokens, 4, 3, "##"), InvalidInput);
}
