#include "twotower/vocabulary.h"

#include <algorithm>

#include "text/term_links.h"
#include "twotower/error.h"
#include "twotower/interrupt.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

std::string numbered(const char* what, std::size_t number) { return what + std::to_string(number); }

[[noreturn]] void throw_frozen() {
  throw InvalidInput(
      "a new term came, and this vocabulary does not grow, because it belongs to an index: "
      "grow a copy of it, Vocabulary(vocabulary.terms())");
}

void check_stored_term(std::string_view term, std::size_t number) {
  const std::size_t at = first_invalid_utf8(term);
  if (at == std::string_view::npos) return;
  throw InvalidInput(numbered("stored vocabulary: term ", number) + numbered(" is not valid UTF-8 at its byte ", at));
}

}  // namespace

Vocabulary::Vocabulary(std::string_view bytes, std::span<const std::int64_t> offsets) {
  if (offsets.empty() || offsets.front() != 0 || offsets.back() != static_cast<std::int64_t>(bytes.size())) {
    throw InvalidInput("stored vocabulary: offsets must begin with 0 and end with the number of bytes, " +
                       std::to_string(bytes.size()));
  }
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
    // Falling offsets are refused before the bytes are touched; with a right end, no offset can then be out of range.
    if (offsets[i + 1] < offsets[i] || offsets[i + 1] > offsets.back()) {
      throw InvalidInput(numbered("stored vocabulary: the offset after term ", i) + " falls or passes the end");
    }
    const std::string_view term(bytes.data() + offsets[i], static_cast<std::size_t>(offsets[i + 1] - offsets[i]));
    check_stored_term(term, i);
    if (static_cast<std::size_t>(table_.add(term)) != i) {
      throw InvalidInput(numbered("stored vocabulary: term ", i) + " comes twice");
    }
    if (i % 4096 == 0) check_interrupt();
  }
}

void Vocabulary::freeze() {
  const std::lock_guard lock(mutex_);
  frozen_ = true;
}

std::size_t Vocabulary::size() const {
  const std::lock_guard lock(mutex_);
  return table_.size();
}

std::int32_t Vocabulary::find(std::string_view term) const {
  const std::lock_guard lock(mutex_);
  return table_.find(term);
}

std::int32_t Vocabulary::add(std::string_view term) {
  if (first_invalid_utf8(term) != std::string_view::npos) throw InvalidInput("a term must be valid UTF-8");
  const std::lock_guard lock(mutex_);
  if (frozen_ && table_.find(term) == kUnknown) throw_frozen();
  return table_.add(term);
}

std::string Vocabulary::term(std::int32_t id) const {
  const std::lock_guard lock(mutex_);
  if (id < 0 || static_cast<std::size_t>(id) >= table_.size()) {
    throw InvalidInput("no term has id " + std::to_string(id) + ": ids go from 0 to below " +
                       std::to_string(table_.size()));
  }
  return std::string(table_.term(id));
}

std::vector<std::string> Vocabulary::terms() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> terms;
  terms.reserve(table_.size());
  for (std::size_t i = 0; i < table_.size(); ++i) terms.emplace_back(table_.term(static_cast<std::int32_t>(i)));
  return terms;
}

void Vocabulary::append_ids(std::span<const std::string_view> terms, bool grow, std::vector<std::int32_t>& ids) {
  const std::lock_guard lock(mutex_);
  const std::size_t first = ids.size();
  table_.append_ids(terms, grow && !frozen_, ids);
  if (!grow || !frozen_) return;
  if (std::find(ids.begin() + static_cast<std::ptrdiff_t>(first), ids.end(), kUnknown) != ids.end()) throw_frozen();
}

std::shared_ptr<TermLinks> Vocabulary::links_to(std::uint64_t cache, bool begin) {
  constexpr std::size_t kMost = 4;
  const std::lock_guard lock(mutex_);
  for (const auto& links : links_) {
    if (links->serial() == cache) return links;
  }
  if (!begin) return nullptr;
  if (links_.size() == kMost) links_.erase(links_.begin());
  return links_.emplace_back(std::make_shared<TermLinks>(cache));
}

std::pair<std::vector<std::uint8_t>, std::vector<std::int64_t>> Vocabulary::stored() const {
  const std::lock_guard lock(mutex_);
  const std::vector<char>& bytes = table_.bytes();
  return {std::vector<std::uint8_t>(bytes.begin(), bytes.end()), table_.offsets()};
}

}  // namespace twotower
