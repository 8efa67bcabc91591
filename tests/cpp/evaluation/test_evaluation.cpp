#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "twotower/error.h"
#include "twotower/evaluation.h"

using namespace twotower;
using namespace std::string_literals;

namespace {

struct Row {
  std::string query_id, doc_id;
  double score;
};

// "q7". Not with +, which GCC 12 warns of wrongly (its bug 105651).
std::string name(char letter, std::size_t number) {
  std::string text(1, letter);
  text += std::to_string(number);
  return text;
}

std::vector<Row> read_rows(const std::string& content, std::size_t chunk) {
  std::vector<Row> rows;
  RunReader reader([&rows](auto query, auto doc, double score, auto, auto) {
    rows.push_back({std::string(query), std::string(doc), score});
  });
  for (std::size_t at = 0; at < content.size(); at += chunk) reader.feed(content.substr(at, chunk));
  reader.finish();
  return rows;
}

// The number and reason of the line that a reader refuses.
std::pair<std::uint64_t, std::string> refusal(const std::string& content) {
  try {
    read_rows(content, content.size());
  } catch (const BadLine& error) {
    return {error.number, error.why};
  }
  return {0, ""};
}

Judgements judgements_of(const std::map<std::string, std::map<std::string, int>>& qrels) {
  Judgements judgements;
  for (const auto& [query, judged] : qrels) {
    judgements.add_query(query);
    for (const auto& [doc, grade] : judged) judgements.add(query, doc, grade);
  }
  judgements.finish();
  return judgements;
}

}  // namespace

TEST_CASE("run reader: any blanks, line ends and chunks") {
  const std::string content = "q  Q0\ta 1   2e1 t\r\n\r\n q Q0 b 2 -.5 t\n\np Q0 \xC3\xA9 1 +7 t";
  for (std::size_t chunk = 1; chunk <= content.size(); ++chunk) {
    const auto rows = read_rows(content, chunk);
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].doc_id == "a");
    CHECK(rows[0].score == 20.0);
    CHECK(rows[1].score == -0.5);
    CHECK(rows[2].query_id == "p");
    CHECK(rows[2].doc_id == "\xC3\xA9");
    CHECK(rows[2].score == 7.0);
  }
}

TEST_CASE("run reader: names the bad line") {
  CHECK(refusal("q Q0 a 1 2 t\n\nq Q0 a 1 2\n") ==
        std::pair<std::uint64_t, std::string>(3, "must have 6 fields (query Q0 document rank score tag), got 5"));
  for (const char* score : {"nan", "inf", "1_0", "0x10", "1e999", "--1", "+-1", "", "1.", "a"}) {
    const bool fine = score == "1."s;
    const auto [number, why] = refusal("q Q0 a 1 "s + score + " t\n");
    CHECK((number == 0) == fine);
  }
  CHECK(refusal("q Q0 a 1 1e-999 t\n").first == 0);  // 0, as strtod and Python say
  CHECK(refusal("q Q0 a\xFF 1 1 t\n").second == "invalid UTF-8 at byte 7");
}

TEST_CASE("qrels reader: TREC and BEIR, conflicts with both lines") {
  Judgements trec;
  QrelsReader reader(trec);
  reader.feed("q 0 a 1\nq 0 b -2\nq 0 a 1\np 0 a 0");
  reader.finish();
  trec.finish();
  CHECK(trec.grades() == std::vector<std::int32_t>{1, -2, 0});
  CHECK(trec.of_query(0).size() == 2);
  CHECK(trec.of_query(1).size() == 1);

  Judgements beir;
  QrelsReader tabs(beir);
  tabs.feed("query-id\tcorpus-id\tscore\nq 1\td x\t2\n");
  tabs.finish();
  CHECK(beir.pairs().doc_id(0) == "d x");
  CHECK(beir.grades() == std::vector<std::int32_t>{2});

  for (const std::string bad :
       {"q 0 a 1\nq 0 a 2\n", "q 0 a 1\nq 0 a\n", "q 0 a 1\nq 0 b 2147483648\n", "q 0 a 1\nq 0 b 1.0\n"}) {
    Judgements judgements;
    QrelsReader refusing(judgements);
    try {
      refusing.feed(bad);
      FAIL("not refused: ", bad);
    } catch (const BadLine& error) {
      CHECK(error.number == 2);
    }
  }
}

TEST_CASE("places: equal a full sort, with ties, infinities and signed zeros, in any order") {
  std::uint32_t state = 7;
  const auto next = [&state] { return (state = state * 1664525u + 1013904223u) >> 8; };
  const float levels[] = {0.0f, -0.0f, 1.0f, 2.5f, -3.0f, std::numeric_limits<float>::infinity()};
  PlaceFinder finder;
  for (std::size_t n : {0, 1, 2, 3, 17, 64, 1000}) {
    for (int round = 0; round < 20; ++round) {
      std::vector<float> scores;
      std::vector<std::string> ids;
      for (std::size_t i = 0; i < n; ++i) {
        scores.push_back(round % 2 == 0 ? levels[next() % 6] : static_cast<float>(next() % 100000));
        ids.push_back(name(static_cast<char>('a' + next() % 7), i));
      }
      if (round % 5 == 0) std::sort(scores.begin(), scores.end(), std::greater<>());
      std::vector<std::size_t> order(n);
      for (std::size_t i = 0; i < n; ++i) order[i] = i;
      std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return scores[a] != scores[b] ? scores[a] > scores[b] : ids[a] > ids[b];
      });
      std::vector<std::uint32_t> expected(n);
      for (std::size_t place = 0; place < n; ++place) expected[order[place]] = static_cast<std::uint32_t>(place + 1);

      std::vector<WantedDocument> wanted;
      std::vector<std::uint32_t> wanted_places, places(n);
      for (std::size_t i = 0; i < n; i += 1 + next() % 3) {
        wanted.push_back({scores[i], ids[i]});
        wanted_places.push_back(expected[i]);
      }
      finder.find(scores, wanted, [&ids](std::size_t i) -> std::string_view { return ids[i]; }, places.data());
      places.resize(wanted.size());
      CHECK(places == wanted_places);
    }
  }
}

TEST_CASE("streamed run and table find the same places; a table takes lines in any order") {
  std::map<std::string, std::map<std::string, int>> qrels;
  std::vector<Row> rows;
  std::uint32_t state = 3;
  const auto next = [&state] { return (state = state * 1664525u + 1013904223u) >> 8; };
  for (int query = 0; query < 40; ++query) {
    const std::string id = name('q', static_cast<std::size_t>(query));
    const int length = query % 5 == 0 ? 300 : 5;
    for (int doc = 0; doc < length; ++doc) {
      if (query % 7 != 3)
        rows.push_back({id, name('d', static_cast<std::size_t>(doc)), static_cast<double>(next() % 9)});
      if (query % 3 != 2 && next() % 4 == 0) qrels[id][name('d', next() % 400)] = static_cast<int>(next() % 3);
    }
  }
  const Judgements judgements = judgements_of(qrels);
  StreamedRun streamed(judgements);
  RunTable table;
  for (const Row& row : rows) streamed.add(row.query_id, row.doc_id, row.score);
  for (std::size_t i = 0; i < rows.size(); ++i) {  // 7919 is prime: every row once
    const Row& row = rows[i * 7919 % rows.size()];
    table.add(row.query_id, row.doc_id, row.score);
  }
  table.finish();
  const FoundDocuments a = streamed.finish(), b = table.find(judgements);
  CHECK(!a.pair.empty());
  CHECK(a.pair == b.pair);
  CHECK(a.place == b.place);
  CHECK(a.n_retrieved == b.n_retrieved);
  CHECK(std::count(a.n_retrieved.begin(), a.n_retrieved.end(), -1) > 0);
}

TEST_CASE("streamed run: twice is refused, and so is a query that comes back, judged or not") {
  const Judgements judgements = judgements_of({{"q", {{"a", 1}}}});
  StreamedRun twice(judgements);
  twice.add("q", "a", 1.0, 1, "first");
  try {
    twice.add("q", "a", 2.0, 2, "second");
    FAIL("not refused");
  } catch (const BadLine& error) {
    CHECK(error.number == 2);
    CHECK(error.text == "second");
    CHECK(error.what() == "line 2: document 'a' comes twice for query 'q': keep its best line"s);
  }
  for (const char* back : {"q", "stranger"}) {
    StreamedRun run(judgements);
    run.add(back, "a", 1.0);
    run.add("other", "a", 1.0);
    CHECK_THROWS_AS(run.add(back, "b", 1.0), NotGrouped);
  }
}

TEST_CASE("no judgements, no lines") {
  const Judgements judgements = judgements_of({});
  StreamedRun streamed(judgements);
  CHECK(streamed.finish().pair.empty());
  RunTable table;
  table.finish();
  CHECK(table.find(judgements_of({{"q", {}}})).n_retrieved == std::vector<std::int64_t>{-1});
}
