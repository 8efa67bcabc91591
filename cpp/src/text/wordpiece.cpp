#include "twotower/wordpiece.h"

#include "text/batch_encoder.h"
#include "text/piece_reader.h"
#include "text/vocabulary_check.h"
#include "twotower/error.h"

namespace twotower {
namespace {

std::string quoted(const std::string& token) { return "'" + token + "'"; }

std::int32_t id_of(const std::vector<VocabularyEntry>& vocabulary, const std::string& token) {
  for (const auto& entry : vocabulary) {
    if (entry.token == token) return entry.id;
  }
  throw InvalidInput("unk_token " + quoted(token) + " is not in the vocabulary: add it, or name another unk_token");
}

}  // namespace

struct WordPiece::Parts {
  Parts(std::vector<VocabularyEntry> vocabulary, std::vector<AddedToken> added_tokens, WordPieceOptions given)
      : options(std::move(given)),
        matcher(checked(vocabulary), options.continuing_subword_prefix),
        added(checked(added_tokens)),
        rules{matcher, added, options, id_of(vocabulary, options.unk_token), cache} {
    PieceReader reader(rules);
    for (const auto& [token, id] : vocabulary) reader.preload(token);
  }

  const WordPieceOptions options;
  const PieceMatcher matcher;
  const AddedTokens added;
  mutable PieceCache cache;
  const PieceRules rules;
};

WordPiece::WordPiece(std::vector<VocabularyEntry> vocabulary, std::vector<AddedToken> added, WordPieceOptions options)
    : parts_(std::make_unique<const Parts>(std::move(vocabulary), std::move(added), std::move(options))) {}

WordPiece::~WordPiece() = default;

EncodedBatch WordPiece::encode(const EncodeRequest& request) const {
  return BatchEncoder([this] { return std::make_unique<PieceReader>(parts_->rules); }, request).run();
}

}  // namespace twotower
