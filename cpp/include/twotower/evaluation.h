// Runs and judgements: at which place does each judged document stand, in trec_eval's order?
//
// Order of a list: score as float32 descending, then document id descending by its bytes. Everything that a measure
// needs to know of a run are these places and the lengths of the lists. Three ways lead to them: a table of a whole run
// (RunTable), a run that streams past (StreamedRun), and find_places() for a caller who holds the lists.
//
// Ids are bytes; files are checked to be UTF-8. No class is thread-safe; concurrent const calls are fine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "twotower/error.h"
#include "twotower/term_table.h"

namespace twotower {

/// A line of a file is not what the format says, or repeats another. Says "line <number>: <why>".
class BadLine : public InvalidInput {
 public:
  BadLine(std::uint64_t line_number, std::string_view line_text, const std::string& reason)
      : InvalidInput("line " + std::to_string(line_number) + ": " + reason),
        number(line_number),
        text(line_text),
        why(reason) {}
  std::uint64_t number;  // from 1
  std::string text;      // without its end
  std::string why;
};

/// The lines of a query do not stand together, so that a streamed list was closed too early: use a RunTable.
class NotGrouped : public InvalidInput {
 public:
  using InvalidInput::InvalidInput;
};

/// Pairs of query and document, numbered from 0 in the order they came, each once; queries have numbers of their own.
///
/// Memory: the ids, and 30 to 50 bytes a pair. THROWS InvalidInput past 2^31 - 1 pairs.
class PairTable {
 public:
  static constexpr std::int32_t kUnknown = TermTable::kUnknown;

  std::size_t n_queries() const noexcept { return queries_.size(); }
  std::size_t size() const noexcept { return pairs_.size(); }

  std::int32_t add_query(std::string_view query_id) { return queries_.add(query_id); }
  std::int32_t find_query(std::string_view query_id) const noexcept { return queries_.find(query_id); }
  std::string_view query_id(std::int32_t query) const noexcept { return queries_.term(query); }
  const TermTable& queries() const noexcept { return queries_; }

  /// Number of the pair, and whether it is new. REQUIRES a query number of this table.
  std::pair<std::int32_t, bool> add(std::int32_t query, std::string_view doc_id);
  std::int32_t find(std::int32_t query, std::string_view doc_id) const;
  std::string_view doc_id(std::int32_t pair) const noexcept;
  std::int32_t query_of(std::int32_t pair) const noexcept;

 private:
  TermTable queries_;
  TermTable pairs_;  // a key is the number of the query, 4 bytes, and the document's id
};

/// Judged documents with their grades.
class Judgements {
 public:
  /// Makes the query known, judged or not.
  std::int32_t add_query(std::string_view query_id) { return pairs_.add_query(query_id); }

  /// Takes a judgement. A pair may come again with its grade. THROWS BadLine with the number and text of the line if it
  /// has another grade already.
  void add(std::string_view query_id, std::string_view doc_id, std::int32_t grade, std::uint64_t line_number = 0,
           std::string_view line = {});

  /// Orders the judgements by query. Call once, after the last addition and before of_query().
  void finish();

  const PairTable& pairs() const noexcept { return pairs_; }
  const std::vector<std::int32_t>& grades() const noexcept { return grades_; }

  /// Pair numbers of one query, ascending. REQUIRES finish().
  std::span<const std::int32_t> of_query(std::int32_t query) const noexcept;

 private:
  PairTable pairs_;
  std::vector<std::int32_t> grades_;
  std::vector<std::uint64_t> lines_;  // where each pair came from, until finish()
  std::vector<std::size_t> begins_;
  std::vector<std::int32_t> by_query_;
};

/// Judged documents that a run lists.
struct FoundDocuments {
  std::vector<std::int32_t> pair;         // their numbers in the Judgements; by query, then place
  std::vector<std::uint32_t> place;       // from 1
  std::vector<std::int64_t> n_retrieved;  // by query: documents listed, or -1 where the run lacks the query
};

/// A document whose place is wanted.
struct WantedDocument {
  float score;
  std::string_view doc_id;
};

/// Finds places in lists. Keeps its buffers between lists.
class PlaceFinder {
 public:
  /// Fills `places` [wanted.size()], from 1. `id_of(i)` is asked only where a wanted document ties with another; what
  /// it returns must stay valid until find() returns.
  ///
  /// REQUIRES no NaN, and that every wanted document stands in the list. O((n + wanted) log n + ties log ties); O(n) in
  /// the first term if the list is in order already.
  void find(std::span<const float> scores, std::span<const WantedDocument> wanted,
            const std::function<std::string_view(std::size_t)>& id_of, std::uint32_t* places);

 private:
  std::vector<float> sorted_;
  std::vector<std::size_t> tied_;
  std::vector<float> tied_scores_;
  std::vector<WantedDocument> group_;
};

/// A whole run, kept as places: made once, evaluated often.
class RunTable {
 public:
  /// Makes the query known, whether documents follow or not.
  void add_query(std::string_view query_id) { pairs_.add_query(query_id); }

  /// Takes a line of the run, in any order. THROWS BadLine if the query lists the document already.
  void add(std::string_view query_id, std::string_view doc_id, double score, std::uint64_t line_number = 0,
           std::string_view line = {});

  /// Computes places and forgets scores. Call once, after the last addition. THROWS Interrupted.
  void finish();

  const PairTable& pairs() const noexcept { return pairs_; }

  /// REQUIRES finish() on both. O(judgements), whatever the length of the run. THROWS Interrupted.
  FoundDocuments find(const Judgements& judgements) const;

 private:
  PairTable pairs_;
  std::vector<float> scores_;
  std::vector<std::uint32_t> places_;
  std::vector<std::int64_t> n_retrieved_;
};

/// A run whose lines stream past, query by query: holds one list at a time, and the places found.
class StreamedRun {
 public:
  /// REQUIRES that `judgements` is finished and outlives this.
  explicit StreamedRun(const Judgements& judgements);

  /// THROWS BadLine if the query lists the document already; NotGrouped if the query's list was left before.
  void add(std::string_view query_id, std::string_view doc_id, double score, std::uint64_t line_number = 0,
           std::string_view line = {});

  /// Closes the last list.
  FoundDocuments finish();

  std::size_t n_queries() const noexcept { return n_lists_; }

  /// Ids of the first line: what the run's ids look like. Empty before it.
  const std::string& first_query_id() const noexcept { return first_query_id_; }
  const std::string& first_doc_id() const noexcept { return first_doc_id_; }

 private:
  // Documents of the open list: bytes one behind the other, and a hash table that finds them.
  class OpenList {
   public:
    void clear();
    bool add(std::string_view doc_id, float score);  // false: it is there already
    std::int64_t find(std::string_view doc_id) const noexcept;
    std::string_view id(std::size_t i) const noexcept;
    std::size_t size() const noexcept { return scores_.size(); }
    const std::vector<float>& scores() const noexcept { return scores_; }

   private:
    std::size_t slot_of(std::string_view doc_id, std::size_t hash) const noexcept;
    void grow();

    std::vector<char> bytes_;
    std::vector<std::size_t> begins_{0};
    std::vector<float> scores_;
    std::vector<std::size_t> hashes_;
    std::vector<std::uint32_t> slots_;  // number of the document + 1; 0 is empty
    std::size_t mask_ = 0;
  };

  void open(std::string_view query_id);
  void close();

  const Judgements& judgements_;
  OpenList list_;
  std::string query_id_;
  std::int32_t query_ = PairTable::kUnknown;
  bool is_open_ = false;
  std::size_t n_lists_ = 0;
  TermTable strangers_;  // queries that nobody judged
  std::string first_query_id_, first_doc_id_;
  PlaceFinder finder_;
  std::vector<WantedDocument> wanted_;
  std::vector<std::uint32_t> places_;
  FoundDocuments found_;             // by list, in the order of the run
  std::vector<std::size_t> begins_;  // by query: where its found documents begin in found_
};

/// Cuts chunks of a file into lines. Keeps what comes before the next line end.
class ChunkedLines {
 public:
  using OnLine = std::function<void(std::uint64_t number, std::string_view line)>;

  /// Calls `on_line` for each complete line, without its end (LF or CR LF).
  void feed(std::string_view chunk, const OnLine& on_line);

  /// The last line, if it has no end.
  void finish(const OnLine& on_line);

 private:
  std::string rest_;
  std::uint64_t number_ = 0;
};

/// Reads a TREC run ("query Q0 document rank score tag") and hands its lines on.
class RunReader {
 public:
  using OnRow = std::function<void(std::string_view query_id, std::string_view doc_id, double score,
                                   std::uint64_t number, std::string_view line)>;

  explicit RunReader(OnRow on_row) : on_row_(std::move(on_row)) {}

  /// The next bytes of the file. THROWS BadLine, Interrupted, and what `on_row` throws.
  void feed(std::string_view chunk);
  void finish();

 private:
  void read(std::uint64_t number, std::string_view line);

  OnRow on_row_;
  ChunkedLines lines_;
};

/// Reads judgements: TREC ("query 0 document grade") or BEIR, whose header line tells (tabs between, three fields).
class QrelsReader {
 public:
  explicit QrelsReader(Judgements& judgements) : judgements_(judgements) {}

  void feed(std::string_view chunk);
  void finish();

 private:
  void read(std::uint64_t number, std::string_view line);

  Judgements& judgements_;
  ChunkedLines lines_;
  bool is_beir_ = false;
};

}  // namespace twotower
