#include "lexical/codec/list_codec.h"

namespace twotower::codec {
namespace {

constexpr std::uint8_t kHasTfs = 0x80;  // beside the width of the gaps in the header of a short block

// DocIds from the gaps that stand in docs; returns one above the last. Sums wrap, which InvertedIndex then notices.
DocId add_up(DocId* docs, std::size_t n, DocId next) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    docs[i] += next;
    next = docs[i] + 1;
  }
  return next;
}

void read_short_block(PackedReader& in, std::size_t n, DocId* docs, std::uint32_t* tfs) {
  const std::uint8_t header = *in.take(1);
  const unsigned width = header & 0x7Fu;
  if (width > kMaxWidth) packed_corrupt("a width of " + std::to_string(width) + " bits");
  const unsigned tf_width = (header & kHasTfs) != 0 ? read_width(in) : 0;
  unpack_bits(in.take(bit_bytes(n, width)), n, width, docs);
  unpack_bits(in.take(bit_bytes(n, tf_width)), n, tf_width, tfs);
}

}  // namespace

void ListPacker::append_full() {
  append_block(gaps_.data(), out_);
  append_block(tfs_.data(), out_);
  n_ = 0;
}

void ListPacker::end() {
  if (n_ > 0) {
    const unsigned width = width_of(gaps_.data(), n_);
    const unsigned tf_width = width_of(tfs_.data(), n_);
    out_.push_back(static_cast<std::uint8_t>(width | (tf_width > 0 ? kHasTfs : 0u)));
    if (tf_width > 0) out_.push_back(static_cast<std::uint8_t>(tf_width));
    append_bits(gaps_.data(), n_, width, out_);
    append_bits(tfs_.data(), n_, tf_width, out_);
  }
  n_ = 0;
  next_ = 0;
}

void unpack_list(PackedReader& in, std::size_t df, DocId* docs, std::uint32_t* tfs) {
  DocId next = 0;
  for (; df >= kBlock; df -= kBlock, docs += kBlock, tfs += kBlock) {
    read_block(in, docs);
    read_block(in, tfs);
    next = add_up(docs, kBlock, next);
    for (std::size_t i = 0; i < kBlock; ++i) ++tfs[i];
  }
  if (df == 0) return;
  read_short_block(in, df, docs, tfs);
  add_up(docs, df, next);
  for (std::size_t i = 0; i < df; ++i) ++tfs[i];
}

}  // namespace twotower::codec
