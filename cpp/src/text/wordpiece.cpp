#include "twotower/wordpiece.h"

#include <algorithm>
#include <unordered_set>

#include "text/batch_encoder.h"
#include "text/piece_reader.h"
#include "twotower/error.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

constexpr std::size_t kMaxTokenBytes = 1000;

std::string quoted(const std::string& token) { return "'" + token + "'"; }

const std::vector<VocabularyEntry>& checked(const std::vector<VocabularyEntry>& vocabulary) {
  std::unordered_set<std::string_view> tokens;
  std::unordered_set<std::int32_t> ids;
  for (const auto& [token, id] : vocabulary) {
    if (first_invalid_utf8(token) != std::string_view::npos) {
      throw InvalidInput("the token of id " + std::to_string(id) + " is not valid UTF-8");
    }
    if (token.size() > kMaxTokenBytes) {
      throw InvalidInput("the token of id " + std::to_string(id) + " has " + std::to_string(token.size()) +
                         " bytes: a token may have " + std::to_string(kMaxTokenBytes));
    }
    if (id < 0) throw InvalidInput("the token " + quoted(token) + " has id " + std::to_string(id) + ", below 0");
    if (!tokens.insert(token).second) throw InvalidInput("the token " + quoted(token) + " comes twice");
    if (!ids.insert(id).second) throw InvalidInput("the id " + std::to_string(id) + " comes twice");
  }
  return vocabulary;
}

const std::vector<AddedToken>& checked(const std::vector<AddedToken>& added) {
  for (const AddedToken& token : added) {
    if (token.content.empty()) throw InvalidInput("an added token is empty");
    if (first_invalid_utf8(token.content) != std::string_view::npos) {
      throw InvalidInput("the added token of id " + std::to_string(token.id) + " is not valid UTF-8");
    }
  }
  return added;
}

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
  return BatchEncoder(parts_->rules, request).run();
}

}  // namespace twotower
