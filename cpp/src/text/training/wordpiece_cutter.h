// The words of WordPiece's encoder, counted. Knows no threads and no vocabulary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/text.h"
#include "text/added_tokens.h"
#include "text/bert_normalizer.h"
#include "text/training/word_table.h"
#include "twotower/vocabulary_training.h"

namespace twotower {

/// Cuts text at ASCII white space and symbols into surface tokens, as PieceReader does, and counts them as they are:
/// short ones are normalised once, when the counts are moved; long ones at once, so that a text without spaces is not
/// kept.
class WordPieceCutter : public WordCutter {
 public:
  /// `added` outlives the cutter.
  WordPieceCutter(const WordPieceOptions& options, const AddedTokens& added);

  void count(std::string_view text) override;
  std::size_t n_waiting() const noexcept override { return surface_.size() + words_.size(); }
  void move_to(WordTable& words) override;

 private:
  void count_plain(std::string_view text);
  bool mark(std::string_view text);
  void count_marked(std::size_t size);
  void add_words(std::string_view surface, std::uint64_t count, WordTable& words);

  const WordPieceOptions options_;
  const AddedTokens& added_;
  decltype(kernels::TextKernels::mark_tokens) const mark_tokens_;
  BertNormalizer normalizer_;
  WordTable surface_;  // short surface tokens, folded
  WordTable words_;    // of long surface tokens
  std::vector<unsigned char> folded_;
  std::vector<std::uint64_t> word_bits_;
  std::vector<std::uint32_t> starts_;
  std::size_t n_starts_ = 0;
};

}  // namespace twotower
