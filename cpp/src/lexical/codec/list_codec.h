// One posting list to packed bytes and back. Knows no file and no other list.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lexical/codec/number_block.h"
#include "twotower/inverted_index.h"

namespace twotower::codec {

/// Packs lists posting by posting, in O(1) memory beside the bytes. Not thread-safe.
class ListPacker {
 public:
  /// Appends to `out`, which must outlive the packer.
  explicit ListPacker(std::vector<std::uint8_t>& out) : out_(out) {}

  /// REQUIRES doc above the last one of this list, tf of at least 1.
  void add(DocId doc, std::uint32_t tf) {
    gaps_[n_] = doc - next_;  // of the first posting: the DocId itself
    tfs_[n_] = tf - 1;
    next_ = doc + 1;
    if (++n_ == kBlock) append_full();
  }

  /// Ends the list; the next posting begins another one. A list without postings has no bytes.
  void end();

 private:
  void append_full();

  std::vector<std::uint8_t>& out_;
  std::array<std::uint32_t, kBlock> gaps_;  // DocIds left out since the last posting
  std::array<std::uint32_t, kBlock> tfs_;   // less 1
  std::size_t n_ = 0;
  DocId next_ = 0;  // one above the last DocId
};

/// Reads a list of df postings. THROWS CorruptFile if its bytes pass the end.
void unpack_list(PackedReader& in, std::size_t df, DocId* docs, std::uint32_t* tfs);

}  // namespace twotower::codec
