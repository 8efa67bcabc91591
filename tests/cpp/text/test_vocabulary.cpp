#include <doctest/doctest.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "twotower/error.h"
#include "twotower/term_table.h"
#include "twotower/vocabulary.h"

using namespace twotower;
using namespace std::string_literals;

TEST_CASE("term table: equals a map over many terms of every length") {
  TermTable table;
  std::unordered_map<std::string, std::int32_t> map;
  std::uint32_t state = 1;
  for (int i = 0; i < 20000; ++i) {
    state = state * 1664525u + 1013904223u;
    std::string term = std::to_string(state % 6000);
    term.append(state % 23, 'x');
    if (state % 7 == 0) term.push_back('\0');
    const auto [entry, is_new] = map.try_emplace(term, static_cast<std::int32_t>(map.size()));
    const std::int32_t expected = entry->second;
    REQUIRE(table.find(term) == (is_new ? TermTable::kUnknown : expected));
    REQUIRE(table.add(term) == expected);
  }
  CHECK(table.size() == map.size());
  for (const auto& [term, id] : map) {
    REQUIRE(table.find(term) == id);
    REQUIRE(table.term(id) == term);
  }
  CHECK(table.find("not there") == TermTable::kUnknown);
}

TEST_CASE("vocabulary: ids in order of first appearance; the empty term is a term") {
  Vocabulary vocabulary;
  CHECK(vocabulary.find("") == Vocabulary::kUnknown);
  CHECK(vocabulary.add("sweet") == 0);
  CHECK(vocabulary.add("") == 1);
  CHECK(vocabulary.add("sweet") == 0);
  CHECK(vocabulary.size() == 2);
  CHECK(vocabulary.term(1) == "");
  CHECK(vocabulary.terms() == std::vector<std::string>{"sweet", ""});
  CHECK_THROWS_AS(vocabulary.term(2), InvalidInput);
  CHECK_THROWS_AS(vocabulary.term(-1), InvalidInput);
  CHECK_THROWS_AS(vocabulary.add("\xFF"), InvalidInput);
}

TEST_CASE("vocabulary: unknown terms grow it or get -1") {
  Vocabulary vocabulary;
  vocabulary.add("love");
  const std::vector<std::string_view> terms{"sweet", "love", "sweet"};
  std::vector<std::int32_t> ids;
  vocabulary.append_ids(terms, false, ids);
  CHECK(ids == std::vector<std::int32_t>{-1, 0, -1});
  vocabulary.append_ids(terms, true, ids);
  CHECK(ids == std::vector<std::int32_t>{-1, 0, -1, 1, 0, 1});
}

TEST_CASE("vocabulary: what was stored is read back, and damage is refused") {
  Vocabulary vocabulary;
  for (const char* term : {"sweet", "", "löve"}) vocabulary.add(term);
  const auto [bytes, offsets] = vocabulary.stored();
  const std::string blob(bytes.begin(), bytes.end());
  CHECK(Vocabulary(blob, offsets).terms() == vocabulary.terms());

  using Offsets = std::vector<std::int64_t>;
  const auto read = [](const std::string& text, const Offsets& bounds) { return Vocabulary(text, bounds).size(); };
  CHECK(read("", {0}) == 0);
  CHECK_THROWS_WITH(read("ab", {}), doctest::Contains("offsets must begin with 0"));
  CHECK_THROWS_WITH(read("ab", {1, 2}), doctest::Contains("offsets must begin with 0"));
  CHECK_THROWS_WITH(read("ab", {0, 1}), doctest::Contains("end with the number of bytes, 2"));
  CHECK_THROWS_WITH(read("ab", {0, 2, 1, 2}), doctest::Contains("offset after term 1 falls"));
  CHECK_THROWS_WITH(read("ab", {0, 9, 2}), doctest::Contains("offset after term 0 falls or passes"));
  CHECK_THROWS_WITH(read("ab", {0, -1, 2}), doctest::Contains("offset after term 0 falls"));
  CHECK_THROWS_WITH(read("aa", {0, 1, 2}), doctest::Contains("term 1 comes twice"));
  CHECK_THROWS_WITH(read("\xC3\xA9"s, {0, 1, 2}), doctest::Contains("term 0 is not valid UTF-8"));
}

TEST_CASE("vocabulary: a frozen one numbers what it knows and adds nothing") {
  Vocabulary vocabulary;
  vocabulary.add("sweet");
  vocabulary.freeze();
  CHECK(vocabulary.add("sweet") == 0);
  CHECK_THROWS_AS(vocabulary.add("love"), InvalidInput);
  std::vector<std::int32_t> ids;
  const std::string_view terms[] = {"sweet", "love"};
  CHECK_THROWS_AS(vocabulary.append_ids(terms, true, ids), InvalidInput);
  ids.clear();
  vocabulary.append_ids(std::span(terms).first(1), true, ids);
  vocabulary.append_ids(terms, false, ids);
  CHECK(ids == std::vector<std::int32_t>{0, 0, -1});
  CHECK(vocabulary.size() == 1);
}
