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

TEST_CASE("analyzer: any number of threads gives the same ids and terms") {
  Strings kept;
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (int k = 0; k < 60; ++k) {
      text.append("w").append(std::to_string((i * 31 + k * k * 7) % (1 + i))).append(k % 7 == 0 ? "\u2014" : " ");
    }
    kept.push_back(text);
  }
  const Texts texts(kept.begin(), kept.end());
  Vocabulary first;
  const auto expected = ids_of(Analyzer({}), texts, first, true);
  for (const unsigned threads : {2u, 7u}) {
    const Analyzer analyzer({});
    for (int round = 0; round < 2; ++round) {  // cold, then warm
      Vocabulary vocabulary;
      CHECK(ids_of(analyzer, texts, vocabulary, true, threads) == expected);
      CHECK(vocabulary.terms() == first.terms());
      CHECK(ids_of(analyzer, texts, vocabulary, false, threads) == expected);
    }
  }
}

TEST_CASE("analyzer: a failing stemmer on one of several threads is reported, and the analyzer goes on") {
  std::atomic<bool> broken{true};
  const Analyzer analyzer({}, [&broken](const Strings& words) {
    if (broken && words.size() > 1) throw InvalidInput("no stems today");
    return words;
  });
  std::string text;
  for (int i = 0; i < 50000; ++i) text.append(std::to_string(i)).append(" ");
  Vocabulary vocabulary;
  const Texts texts(20, text);
  CHECK_THROWS_WITH(ids_of(analyzer, texts, vocabulary, true, 3), "no stems today");
  broken = false;
  CHECK(ids_of(analyzer, texts, vocabulary, true, 3).first.size() == 20 * 50000);
}

TEST_CASE("analyzer: runs of every length, over the ends of blocks and segments") {
  const Analyzer analyzer({});
  std::string text;
  Strings expected;
  for (std::size_t size = 1; size < 400; ++size) {
    for (const char letter : {'a', 'Q'}) {
      expected.emplace_back(size, letter == 'a' ? 'a' : 'q');
      text += std::string(size, letter) + (size % 3 == 0 ? "'-" : " ");
    }
  }
  expected.emplace_back(100000, 'z');
  text += std::string(100000, 'z') + ".";
  for (int round = 0; round < 2; ++round) CHECK(terms_of(analyzer, {text, ""}) == expected);
}

TEST_CASE("analyzer: ids that a vocabulary gets by itself are seen, and unknown ones are asked for again") {
  const Analyzer analyzer({});
  Vocabulary vocabulary;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "sweet love ";
  CHECK(ids_of(analyzer, {text}, vocabulary, false).first == Ids(10000, -1));
  CHECK(vocabulary.add("love") == 0);
  CHECK(ids_of(analyzer, {text}, vocabulary, false).first[1] == 0);
  CHECK(vocabulary.add("sweet") == 1);
  CHECK(ids_of(analyzer, {text}, vocabulary, false).first[0] == 1);
}

TEST_CASE("analyzer: articles, cut words, accents and Turkish capitals") {
  const auto terms = [](const AnalyzerOptions& options, std::string_view text) {
    return terms_of(Analyzer(options), {text});
  };
  AnalyzerOptions options;
  options.articles = {"L", "qu"};
  options.stop_words = {"il"};
  CHECK(terms(options, "L'amour l\u2019\u00E9t\u00E9 qu'il aujourd'hui l'l'a") ==
        Strings{"amour", "\u00E9t\u00E9", "aujourd'hui", "l'a"});
  options = {};
  options.cut_apostrophe = true;
  options.turkish = true;
  CHECK(terms(options, "I\u015EIK \u0130STANBUL'da") == Strings{"\u0131\u015F\u0131k", "istanbul"});
  options = {};
  options.fold_accents = true;
  options.stop_words = {"\u00E9t\u00E9"};
  CHECK(terms(options, "ETE e\u0301te\u0301 S\u00F8ren Stra\u00DFe \u0141\u00F3d\u017A \uFB01n \u2115 \u00BD \uFF21") ==
        Strings{"soren", "strasse", "lodz", "fin", "n", "\u00BD", "a"});
}
