// Reads texts and appends their tokens of byte-level BPE. One for each thread; knows the parts of a tokenizer, no batch
// and no template.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/added_tokens.h"
#include "text/bpe_merger.h"
#include "text/byte_level_splitter.h"
#include "text/nfc.h"
#include "text/piece_cache.h"
#include "text/token_reader.h"
#include "twotower/bpe.h"

namespace twotower {

/// Spaces at the two ends of a token.
struct EdgeSpaces {
  std::uint32_t leading = 0, trailing = 0;
};

/// What all readers of a tokenizer share.
struct BpeRules {
  const BpeMerger& merger;
  const AddedTokens& raw_added;          // found in the text
  const AddedTokens& normalized_added;   // found in what is left, in form C
  const std::vector<EdgeSpaces>& edges;  // by id
  const BpeOptions& options;
  PieceCache& cache;
};

/// Takes added tokens out, composes what is between them, takes out those that are found in composed text, cuts the
/// rest into words, and finds each word in the cache or merges it.
class BpeReader final : public TokenReader {
 public:
  explicit BpeReader(const BpeRules& rules);

  void append(std::string_view text, std::size_t limit, IdBuffer& ids, IdBuffer* spans) override;
  void refresh() override { table_ = rules_.cache.table(); }

  /// Puts a word's tokens into the cache before any text asks for them, if the bytes are one word. REQUIRES well-formed
  /// UTF-8.
  void preload(std::string_view word);

 private:
  void append_stretch(std::string_view stretch);
  void append_plain(std::string_view part, std::size_t offset);
  bool append_at_once();
  void append_words(std::span<const std::uint32_t> starts, std::size_t offset);
  void append_words_with_spans(std::size_t n_words, std::size_t offset);
  std::int32_t* read_slowly(std::size_t begin, std::size_t size, std::int32_t* out);
  void put_span(std::size_t begin, std::size_t end, EdgeSpaces edges);
  void put_id(std::int32_t id);
  std::size_t begin_of(std::size_t at) const;
  std::size_t end_of(std::size_t at) const;
  std::size_t room_left() const { return limit_ - std::min(limit_, ids_->size() - first_id_); }

  const BpeRules rules_;
  std::shared_ptr<PieceTable> table_;
  ByteLevelSplitter splitter_;
  NfcNormalizer nfc_;
  BpeMerger::Scratch scratch_;
  std::string prefixed_;              // a part behind a space
  std::vector<std::int32_t> tokens_;  // of one word

  // The call at hand.
  std::string_view text_;
  std::size_t limit_ = 0;
  std::size_t first_id_ = 0;
  IdBuffer* ids_ = nullptr;
  IdBuffer* spans_ = nullptr;
  const std::uint32_t* starts_ = nullptr;
  std::size_t stretch_ = 0;  // place of the stretch in the text
  std::size_t part_ = 0;     // place of the part in the normalised stretch
  std::size_t n_added_ = 0;  // spaces put before the part: 0 or 1
};

}  // namespace twotower
