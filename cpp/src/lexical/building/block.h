// The postings of some consecutive documents, by term. Knows no other block and no file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "twotower/inverted_index.h"

namespace twotower::build {

inline constexpr std::size_t kBlockDocs = std::size_t{1} << 16;  ///< most documents of a block: 16 bits name one
inline constexpr std::uint8_t kBigTf = 255;                      ///< stands for a tf of 255 or more

/// Documents as they came, to be inverted.
struct Documents {
  DocId first_doc = 0;
  std::vector<TermId> ids;             ///< terms of all documents, one behind the other
  std::vector<std::uint32_t> lengths;  ///< terms of each document
};

/// A tf that does not fit a byte.
struct BigTf {
  std::uint32_t posting;
  std::uint32_t tf;
};

/// Postings by term, then by document: those of terms[i] are [starts[i], starts[i + 1]).
struct Block {
  DocId first_doc = 0;
  std::vector<std::uint32_t> terms;   ///< ascending; only those that occur
  std::vector<std::uint32_t> starts;  ///< one more than terms
  std::vector<std::uint16_t> docs;    ///< DocId - first_doc
  std::vector<std::uint8_t> tfs;
  std::vector<BigTf> big_tfs;  ///< by posting

  std::size_t bytes() const noexcept {
    return (terms.capacity() + starts.capacity()) * 4 + docs.capacity() * 2 + tfs.capacity() +
           big_tfs.capacity() * sizeof(BigTf);
  }
};

/// Inverts at most kBlockDocs documents with term ids below n_terms; unknown terms are left out. Two passes, no sort:
/// O(terms + n_terms) time.
Block invert(const Documents& documents, std::size_t n_terms);

}  // namespace twotower::build
