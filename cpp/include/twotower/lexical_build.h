// Building an inverted index from a stream of documents, in bounded memory.
//
// Documents come in batches of term ids. About 65,000 documents at a time are inverted into a block: postings by term,
// 3 bytes each. Blocks wait in memory, and in a temporary file once they pass the memory limit. In the end the lists of
// each term are put one behind the other, block after block, which is their order by DocId already: nothing is sorted,
// and the result depends neither on threads nor on batches, blocks and limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "twotower/container.h"
#include "twotower/inverted_index.h"

namespace twotower {

struct BuildOptions {
  std::size_t memory_limit = 0;        ///< bytes that the builder may hold, its result excepted; 0: no limit
  unsigned threads = 0;                ///< 0: every core
  std::filesystem::path spill_folder;  ///< where the temporary file goes, which has no name and ends with the process
};

/// Counts of what was built.
struct BuildCounts {
  std::size_t n_docs = 0;
  std::size_t n_terms = 0;
  std::size_t n_postings = 0;
  std::size_t spilled_bytes = 0;  ///< written to the temporary file so far
};

/// Inverts documents as they come. Not thread-safe; works on threads of its own.
///
/// REQUIRES an existing spill_folder if there is a limit. After an exception the builder can only be destroyed.
class LexicalBuilder {
 public:
  explicit LexicalBuilder(BuildOptions options);
  ~LexicalBuilder();

  /// Bytes of the limit that the caller holds himself from now on: his vocabulary, his batches. O(1).
  void reserve(std::size_t bytes) noexcept;

  /// Takes the next documents. O(terms). THROWS InvalidInput for more than 2^32 - 1 documents, a document with as many
  /// terms, fewer terms in the vocabulary than before, or a memory limit below what the tables of documents and terms
  /// need (the message says how much works); FileFailure; Interrupted.
  void add(const TermLists& documents);

  /// Inverts what is left; add() must not follow. Returns the final counts. THROWS as add().
  BuildCounts finish();

  /// So far; postings of documents that are not inverted yet are missing.
  BuildCounts counts() const noexcept;

  /// Writes the arrays that build_inverted_arrays would give. They come on top of the limit. REQUIRES finish(), and
  /// spans of n_terms + 1, n_postings, n_postings and n_docs places. THROWS FileFailure; Interrupted.
  void fill(std::span<std::int64_t> term_offsets, std::span<DocId> docs, std::span<std::uint32_t> tfs,
            std::span<std::uint32_t> doc_lengths);

  /// Saves the index packed, as docs/formats/lexical.md describes, together with `others`. Streams: under a limit no
  /// list is held whole. REQUIRES finish(). THROWS as write_container, which see for atomicity.
  /// Returns the bytes of each array of its own.
  std::vector<std::pair<std::string, std::uint64_t>> save(const std::filesystem::path& folder, std::string_view kind,
                                                          std::string_view meta, std::span<const Segment> others);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace twotower
