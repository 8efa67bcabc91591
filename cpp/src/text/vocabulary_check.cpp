#include "text/vocabulary_check.h"

#include <string>
#include <string_view>
#include <unordered_set>

#include "twotower/error.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

constexpr std::size_t kMaxTokenBytes = 1000;

std::string quoted(const std::string& token) { return "'" + token + "'"; }

}  // namespace

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

}  // namespace twotower
