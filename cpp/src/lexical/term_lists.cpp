// Checks of a batch of term lists, and the inverted arrays made of it.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "twotower/error.h"
#include "twotower/interrupt.h"
#include "twotower/inverted_index.h"

namespace twotower {
namespace {

constexpr std::size_t kPollEvery = 1 << 12;  // documents between two looks at the clock
constexpr std::uint64_t kMaxCount = std::numeric_limits<std::uint32_t>::max();

// Calls visit(term, doc, first) for each known term in document order; first: not seen before in this document.
template <class Visit>
void for_each_term(const TermLists& documents, Visit visit) {
  std::vector<std::int64_t> last_doc(documents.n_terms(), -1);
  for (std::size_t d = 0; d < documents.size(); ++d) {
    if (d % kPollEvery == 0) check_interrupt();
    for (const TermId id : documents[d]) {
      if (id == kUnknownTerm) continue;
      const auto term = static_cast<std::size_t>(id);
      const bool first = last_doc[term] != static_cast<std::int64_t>(d);
      last_doc[term] = static_cast<std::int64_t>(d);
      visit(term, static_cast<DocId>(d), first);
    }
  }
}

void check_weight(std::size_t list, TermId term, float weight) {
  if (std::isfinite(weight) && std::abs(weight) <= kMostWeight) return;
  throw InvalidInput("vector " + std::to_string(list) + " gives term " + std::to_string(term) + " the weight " +
                     std::to_string(weight) + ": give finite weights between -2^50 and 2^50");
}

}  // namespace

TermLists::TermLists(std::span<const TermId> ids, std::span<const std::int64_t> offsets, std::size_t n_terms)
    : ids_(ids), offsets_(offsets), n_terms_(n_terms) {
  const auto n_ids = static_cast<std::int64_t>(ids.size());
  if (offsets.empty() || offsets.front() != 0 || offsets.back() != n_ids ||
      !std::is_sorted(offsets.begin(), offsets.end())) {
    throw InvalidInput("the offsets of a batch of term lists must rise from 0 to the number of ids, " +
                       std::to_string(n_ids));
  }
  for (const TermId id : ids) {
    if (id < kUnknownTerm || (id >= 0 && static_cast<std::size_t>(id) >= n_terms)) {
      throw InvalidInput("term id " + std::to_string(id) + " is not in [-1, " + std::to_string(n_terms) + ")");
    }
  }
}

TermLists::TermLists(std::span<const TermId> ids, std::span<const std::int64_t> offsets, std::size_t n_terms,
                     std::span<const float> weights)
    : TermLists(ids, offsets, n_terms) {
  weights_ = weights;
  has_weights_ = true;
  if (weights.size() != ids.size()) {
    throw InvalidInput(std::to_string(weights.size()) + " weights for " + std::to_string(ids.size()) +
                       " term ids: give one each");
  }
  std::vector<TermId> sorted;
  for (std::size_t i = 0; i < size(); ++i) {
    if (i % kPollEvery == 0) check_interrupt();
    const auto list = (*this)[i];
    for (std::size_t j = 0; j < list.size(); ++j) check_weight(i, list[j], this->weights(i)[j]);
    sorted.assign(list.begin(), list.end());
    std::ranges::sort(sorted);
    const auto twice = std::adjacent_find(std::ranges::lower_bound(sorted, 0), sorted.end());
    if (twice != sorted.end()) {
      throw InvalidInput("vector " + std::to_string(i) + " has term " + std::to_string(*twice) +
                         " twice: add its weights up first");
    }
  }
}

InvertedArrays build_inverted_arrays(const TermLists& documents) {
  if (documents.size() > kMaxCount) throw InvalidInput("an index holds at most 2^32 - 1 documents: build several");
  InvertedArrays arrays;
  arrays.doc_lengths.resize(documents.size());
  for (std::size_t d = 0; d < documents.size(); ++d) {
    const std::size_t length = documents[d].size();
    if (length > kMaxCount) throw InvalidInput("document " + std::to_string(d) + " has more than 2^32 - 1 terms");
    arrays.doc_lengths[d] = static_cast<std::uint32_t>(length);
  }
  // First pass: df of term t counted at t + 1, so that the running sum gives where each term's postings begin.
  arrays.term_offsets.assign(documents.n_terms() + 1, 0);
  for_each_term(documents,
                [&](std::size_t term, DocId, bool first) { arrays.term_offsets[term + 1] += first ? 1 : 0; });
  for (std::size_t t = 0; t < documents.n_terms(); ++t) arrays.term_offsets[t + 1] += arrays.term_offsets[t];
  // Second pass: end[t] is one past the last posting written for t. Documents come in order, so DocIds ascend.
  std::vector<std::int64_t> end(arrays.term_offsets.begin(), arrays.term_offsets.end() - 1);
  arrays.docs.resize(static_cast<std::size_t>(arrays.term_offsets.back()));
  arrays.tfs.assign(arrays.docs.size(), 0);
  for_each_term(documents, [&](std::size_t term, DocId doc, bool first) {
    if (first) arrays.docs[static_cast<std::size_t>(end[term]++)] = doc;
    ++arrays.tfs[static_cast<std::size_t>(end[term] - 1)];
  });
  return arrays;
}

}  // namespace twotower
