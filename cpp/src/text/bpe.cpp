#include "twotower/bpe.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "text/batch_encoder.h"
#include "text/bpe_reader.h"
#include "text/byte_alphabet.h"
#include "text/vocabulary_check.h"
#include "twotower/error.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

constexpr std::int32_t kMostIds = 1 << 24;  // tables by id have that many entries at most

const std::vector<VocabularyEntry>& checked_bpe(const std::vector<VocabularyEntry>& vocabulary) {
  for (const auto& [token, id] : checked(vocabulary)) {
    if (id < kMostIds) continue;
    throw InvalidInput("the token '" + token + "' has id " + std::to_string(id) + ": ids of a vocabulary are below " +
                       std::to_string(kMostIds));
  }
  return vocabulary;
}

// Those of one kind, as they are looked for: in composed text by their composed content.
std::vector<AddedToken> added_of(const std::vector<AddedToken>& tokens, bool normalized, bool nfc) {
  std::vector<AddedToken> found;
  for (AddedToken token : checked(tokens)) {
    if (token.normalized != normalized) continue;
    if (normalized && nfc) token.content = composed_text(token.content);
    found.push_back(std::move(token));
  }
  return found;
}

std::vector<EdgeSpaces> edges_of(const std::vector<VocabularyEntry>& vocabulary) {
  std::vector<EdgeSpaces> edges;
  std::string bytes;
  for (const auto& [token, id] : vocabulary) {
    if (!bytes_of_token(token, bytes)) continue;
    const auto at = static_cast<std::size_t>(id);
    if (at >= edges.size()) edges.resize(at + 1);
    const auto is_dark = [](char c) { return c != ' '; };
    edges[at] = {static_cast<std::uint32_t>(std::find_if(bytes.begin(), bytes.end(), is_dark) - bytes.begin()),
                 static_cast<std::uint32_t>(std::find_if(bytes.rbegin(), bytes.rend(), is_dark) - bytes.rbegin())};
  }
  return edges;
}

}  // namespace

std::string composed_text(std::string_view text) { return std::string(NfcNormalizer().normalize(text, false)); }

struct Bpe::Parts {
  Parts(const std::vector<VocabularyEntry>& vocabulary, const std::vector<BpeMerge>& merges,
        const std::vector<AddedToken>& added, BpeOptions given)
      : options(given),
        merger(checked_bpe(vocabulary), merges, options.ignore_merges),
        raw_added(added_of(added, false, false)),
        normalized_added(added_of(added, true, options.nfc)),
        edges(edges_of(vocabulary)),
        rules{merger, raw_added, normalized_added, edges, options, cache} {
    BpeReader reader(rules);
    std::string bytes;
    for (const auto& [token, id] : vocabulary) {
      if (!bytes_of_token(token, bytes)) continue;
      std::replace(bytes.begin(), bytes.end(), static_cast<char>(kWordNul), '\0');
      if (first_invalid_utf8(bytes) == std::string_view::npos) reader.preload(bytes);
    }
  }

  const BpeOptions options;
  const BpeMerger merger;
  const AddedTokens raw_added, normalized_added;
  const std::vector<EdgeSpaces> edges;
  mutable PieceCache cache;
  const BpeRules rules;
};

Bpe::Bpe(std::vector<VocabularyEntry> vocabulary, std::vector<BpeMerge> merges, std::vector<AddedToken> added,
         BpeOptions options)
    : parts_(std::make_unique<const Parts>(vocabulary, merges, added, options)) {}

Bpe::~Bpe() = default;

EncodedBatch Bpe::encode(const EncodeRequest& request) const {
  return BatchEncoder([this] { return std::make_unique<BpeReader>(parts_->rules); }, request).run();
}

}  // namespace twotower
