#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "twotower/analyzer.h"
#include "twotower/error.h"

using namespace twotower;
using Strings = std::vector<std::string>;
using Texts = std::vector<std::string_view>;

namespace {

// A stemmer that is easy to see through: the first three bytes of a word; "drop" has no stem.
Strings first_three(const Strings& words) {
  Strings stems;
  for (const std::string& word : words) stems.push_back(word == "drop" ? "" : word.substr(0, 3));
  return stems;
}

using Ids = std::vector<std::int32_t>;

std::pair<Ids, std::vector<std::int64_t>> ids_of(const Analyzer& analyzer, const Texts& texts, Vocabulary& vocabulary,
                                                 bool grow, unsigned threads = 1) {
  std::vector<StoredText> stored;
  for (const std::string_view text : texts) stored.push_back({text.data(), text.size(), TextForm::kUtf8});
  AnalyzedBatch batch = analyzer.term_ids({stored, vocabulary, grow, threads, 10});
  return {Ids(batch.ids.data(), batch.ids.data() + batch.ids.size()), batch.offsets};
}

Strings terms_of(const Analyzer& analyzer, const Texts& texts) {
  Vocabulary vocabulary;
  Strings terms;
  for (const std::int32_t id : ids_of(analyzer, texts, vocabulary, true).first) terms.push_back(vocabulary.term(id));
  return terms;
}

}  // namespace

TEST_CASE("analyzer: stop words before stems, with a possessive s too") {
  const Analyzer analyzer({.words = WordRule::kUnicode, .lowercase = true, .stop_words = {"The", "it"}}, first_three);
  CHECK(terms_of(analyzer, {"The nurses, it's THE drop italics", "loving"}) == Strings{"nur", "ita", "lov"});
}

TEST_CASE("analyzer: offsets count kept terms; unknown ones keep their place") {
  const Analyzer analyzer({.words = WordRule::kUnicode, .lowercase = true, .stop_words = {"a"}});
  Vocabulary vocabulary;
  vocabulary.add("love");
  const auto [ids, offsets] = ids_of(analyzer, {"a love", "", "sweet a love"}, vocabulary, false);
  CHECK(ids == Ids{0, -1, 0});
  CHECK(offsets == std::vector<std::int64_t>{0, 1, 1, 3});
  CHECK(ids_of(analyzer, {"sweet"}, vocabulary, true).first == Ids{1});
  CHECK(ids_of(analyzer, {"a love", "", "sweet a love"}, vocabulary, false).first == Ids{0, 1, 0});
}

TEST_CASE("analyzer: each distinct word is stemmed once, over chunks and calls") {
  std::size_t n_words = 0;
  const Analyzer analyzer({}, [&n_words](const Strings& words) {
    n_words += words.size();
    return words;
  });
  std::string text;
  for (int i = 0; i < 300000; ++i) text.append("w").append(std::to_string(i % 1000)).append(" ");
  CHECK(terms_of(analyzer, {text, text, text}).size() == 900000);
  CHECK(terms_of(analyzer, {text}).size() == 300000);
  CHECK(n_words == 1000);
}

TEST_CASE("analyzer: a full cache is replaced and the terms stay the same") {
  const Analyzer analyzer({}, first_three);
  std::string text;
  for (int i = 0; i < 1200000; ++i) text.append("abc").append(std::to_string(i)).append(" ");
  CHECK(terms_of(analyzer, {text, "abcd", "xyz9"}).back() == "xyz");
  CHECK(terms_of(analyzer, {"abcdef abc1 nurse"}) == Strings{"abc", "abc", "nur"});
}

TEST_CASE("analyzer: malformed text, stop word or stemmer is an error, and the analyzer goes on") {
  const Analyzer plain({});
  Vocabulary vocabulary;
  CHECK_THROWS_WITH_AS(ids_of(plain, {"fine", "b\xED\xA0\x80"}, vocabulary, true),
                       doctest::Contains("text 11 is not valid UTF-8 at byte 1"), InvalidInput);
  CHECK_THROWS_AS(Analyzer({.words = WordRule::kUnicode, .lowercase = true, .stop_words = {"\xFF"}}), InvalidInput);

  bool broken = true;
  const Analyzer analyzer({}, [&broken](const Strings& words) { return broken ? Strings{} : first_three(words); });
  CHECK_THROWS_WITH(terms_of(analyzer, {"nurse"}), doctest::Contains("gave 0 stems for 1 words"));
  broken = false;
  CHECK(terms_of(analyzer, {"nurse"}) == Strings{"nur"});
}

TEST_CASE("analyzer: threads share one analyzer and one vocabulary") {
  const Analyzer analyzer({}, first_three);
  Vocabulary vocabulary;
  std::string text;
  for (int i = 0; i < 20000; ++i) text.append(std::to_string(i * 7919 % 5000)).append(" ");
  const Strings expected = terms_of(Analyzer({}, first_three), {text});
  std::atomic<int> n_right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        const Ids ids = ids_of(analyzer, {text}, vocabulary, true).first;
        bool right = ids.size() == expected.size();
        for (std::size_t i = 0; right && i < expected.size(); ++i) right = vocabulary.term(ids[i]) == expected[i];
        n_right += right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(n_right == 20);
}
