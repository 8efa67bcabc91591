// The words of byte-level BPE's encoder, counted. Knows no threads and no vocabulary.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "text/added_tokens.h"
#include "text/byte_level_splitter.h"
#include "text/nfc.h"
#include "text/training/word_table.h"
#include "twotower/bpe.h"
#include "twotower/vocabulary_training.h"

namespace twotower {

/// Takes added tokens out, composes what is between them, puts a space before it and cuts it into words, each as the
/// options say and as BpeReader does. Words have kWordNul in the place of NUL.
class ByteLevelCutter : public WordCutter {
 public:
  /// `added` outlives the cutter.
  ByteLevelCutter(const BpeOptions& options, const AddedTokens& added);

  void count(std::string_view text) override;
  std::size_t n_waiting() const noexcept override { return words_.size(); }
  void move_to(WordTable& words) override;

 private:
  void count_stretch(std::string_view stretch);

  const BpeOptions options_;
  const AddedTokens& added_;
  NfcNormalizer nfc_;
  ByteLevelSplitter splitter_;
  std::string prefixed_;  // a stretch behind a space
  WordTable words_;
};

}  // namespace twotower
