// Reads texts and appends their tokens. One for each thread; knows the parts of a tokenizer, no batch and no template.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "kernels/text.h"
#include "text/added_tokens.h"
#include "text/bert_normalizer.h"
#include "text/piece_cache.h"
#include "text/piece_matcher.h"
#include "text/token_reader.h"
#include "twotower/wordpiece.h"

namespace twotower {

/// What all readers of a tokenizer share.
struct PieceRules {
  const PieceMatcher& matcher;
  const AddedTokens& added;
  const WordPieceOptions& options;
  std::int32_t unk_id;
  PieceCache& cache;
};

/// Cuts text at ASCII white space and symbols into surface tokens (kernels/text.h, mark_tokens), finds each in the
/// cache by its folded bytes, and normalises and matches it where it is not there. A surface token is read by itself:
/// no rule looks across an ASCII space or symbol.
///
/// Not thread-safe; keeps its buffers from text to text.
class PieceReader final : public TokenReader {
 public:
  explicit PieceReader(const PieceRules& rules);

  /// O(bytes).
  void append(std::string_view text, std::size_t limit, IdBuffer& ids, IdBuffer* spans) override;

  void refresh() override { table_ = rules_.cache.table(); }

  /// Puts a token's pieces into the cache before any text asks for them. REQUIRES well-formed UTF-8.
  void preload(std::string_view token);

 private:
  void append_plain(std::string_view text, std::size_t offset, std::size_t limit, IdBuffer& ids, IdBuffer* spans);
  void append_segment(std::size_t size, std::size_t offset, IdBuffer& ids, IdBuffer* spans);
  bool mark(std::string_view text);
  std::int32_t* read_segment(std::size_t size, std::int32_t* out);
  std::int32_t* read_slowly(std::size_t start, std::size_t size, std::int32_t* out);
  std::int32_t* read_segment_with_spans(std::size_t size, std::size_t offset, std::int32_t* out, IdBuffer& spans);
  std::int32_t* resolve(std::string_view token, std::int32_t* out, std::size_t offset, IdBuffer* spans);
  std::size_t token_bytes(std::size_t start, std::size_t size) const noexcept;

  const PieceRules rules_;
  decltype(kernels::TextKernels::mark_tokens) const mark_tokens_;
  std::shared_ptr<PieceTable> table_;
  BertNormalizer normalizer_;
  std::vector<unsigned char> folded_;
  std::vector<std::uint64_t> words_;      // bit map of mark_tokens, and a word of zeros
  std::vector<std::uint32_t> positions_;  // of the tokens' first bytes
  std::size_t n_positions_ = 0;
};

}  // namespace twotower
