#include "twotower/inverted_index.h"

#include <algorithm>
#include <limits>
#include <string>

#include "twotower/error.h"
#include "twotower/interrupt.h"

namespace twotower {
namespace {

constexpr std::size_t kMaxDocs = std::numeric_limits<DocId>::max();
constexpr std::size_t kMaxTerms = std::numeric_limits<TermId>::max();

[[noreturn]] void corrupt(const std::string& what) {
  throw CorruptFile("the inverted index is damaged: " + what + "; build and save it again");
}

void check_sizes(std::span<const std::int64_t> term_offsets, std::size_t n_docs, std::size_t n_tfs,
                 std::size_t n_lengths) {
  if (term_offsets.empty() || term_offsets.front() != 0) corrupt("its term offsets do not begin with 0");
  if (term_offsets.size() - 1 > kMaxTerms) corrupt("it has more terms than 2^31 - 1");
  if (n_lengths > kMaxDocs) corrupt("it has more documents than 2^32 - 1");
  if (n_docs != n_tfs) corrupt(std::to_string(n_docs) + " DocIds but " + std::to_string(n_tfs) + " term frequencies");
  if (term_offsets.back() < 0 || static_cast<std::uint64_t>(term_offsets.back()) != n_docs) {
    corrupt("its term offsets end at " + std::to_string(term_offsets.back()) + ", its postings at " +
            std::to_string(n_docs));
  }
  for (std::size_t t = 0; t + 1 < term_offsets.size(); ++t) {
    if (term_offsets[t] > term_offsets[t + 1]) corrupt("the offset of term " + std::to_string(t + 1) + " goes back");
  }
}

// Calls count(doc, tf) for each posting of one term.
template <class Count>
void check_postings(std::size_t term, const Postings& postings, std::size_t n_docs, Count count) {
  const auto where = [term] { return "term " + std::to_string(term); };
  for (std::size_t i = 0; i < postings.size(); ++i) {
    const DocId doc = postings.docs[i];
    if (doc >= n_docs) corrupt(where() + " names document " + std::to_string(doc) + ", which is not there");
    if (i > 0 && doc <= postings.docs[i - 1]) corrupt("the DocIds of " + where() + " do not rise");
    if (postings.tfs[i] == 0) corrupt(where() + " has a frequency of 0");
    count(doc, postings.tfs[i]);
  }
}

}  // namespace

InvertedIndex::InvertedIndex(std::span<const std::int64_t> term_offsets, std::span<const DocId> docs,
                             std::span<const std::uint32_t> tfs, std::span<const std::uint32_t> doc_lengths)
    : term_offsets_(term_offsets), docs_(docs), tfs_(tfs), doc_lengths_(doc_lengths), n_docs_(doc_lengths.size()) {
  check_sizes(term_offsets, docs.size(), tfs.size(), doc_lengths.size());
  std::vector<std::uint64_t> counted(n_docs(), 0);
  for (std::size_t t = 0; t < n_terms(); ++t) {
    if (t % 4096 == 0) check_interrupt();
    check_postings(t, postings(static_cast<TermId>(t)), n_docs(),
                   [&](DocId doc, std::uint32_t tf) { counted[doc] += tf; });
  }
  std::uint64_t total = 0;
  for (std::size_t d = 0; d < n_docs(); ++d) {
    if (counted[d] > doc_lengths[d]) {
      corrupt("document " + std::to_string(d) + " has length " + std::to_string(doc_lengths[d]) + " but " +
              std::to_string(counted[d]) + " terms in the postings");
    }
    total += doc_lengths[d];
  }
  if (n_docs() != 0) average_length_ = static_cast<double>(total) / static_cast<double>(n_docs());
}

InvertedIndex::InvertedIndex(std::span<const std::int64_t> term_offsets, std::span<const DocId> docs,
                             std::span<const std::uint32_t> numbers, std::size_t n_docs)
    : term_offsets_(term_offsets), docs_(docs), tfs_(numbers), n_docs_(n_docs) {
  check_sizes(term_offsets, docs.size(), numbers.size(), n_docs);
  for (std::size_t t = 0; t < n_terms(); ++t) {
    if (t % 4096 == 0) check_interrupt();
    check_postings(t, postings(static_cast<TermId>(t)), n_docs, [](DocId, std::uint32_t) {});
  }
}

std::uint32_t InvertedIndex::tf(TermId term, DocId doc) const noexcept {
  const Postings list = postings(term);
  const auto found = std::lower_bound(list.docs.begin(), list.docs.end(), doc);
  if (found == list.docs.end() || *found != doc) return 0;
  return list.tfs[static_cast<std::size_t>(found - list.docs.begin())];
}

}  // namespace twotower
