// Term at a time over windows of documents: the specification that every faster algorithm is compared with.
//
// Within a window each query term in turn adds its contributions to float64 sums, so a document's sum runs over the
// terms in the order of the query. A window's sums fit the second-level cache, and the memory does not grow with the
// corpus.
#include <algorithm>
#include <array>
#include <memory>
#include <unordered_set>
#include <vector>

#include "lexical/query/algorithms.h"
#include "util/work_meter.h"

namespace twotower {
namespace {

constexpr DocId kWindow = 1 << 15;   // documents
constexpr std::size_t kBlock = 512;  // postings whose contributions are computed in one go

// Sums of one window. Between windows all of it is zero again, at a cost of the touched documents alone.
class Window {
 public:
  void add(const Scorer& scorer, const QueryTerm& term, const Postings& postings, DocId first) noexcept {
    for (std::size_t begin = 0; begin < postings.size(); begin += kBlock) {
      const Postings block = postings.slice(begin, std::min(kBlock, postings.size() - begin));
      scorer.contributions(term, block, parts_.data());
      for (std::size_t i = 0; i < block.size(); ++i) {
        const DocId slot = block.docs[i] - first;
        touched_[n_touched_] = slot;
        n_touched_ += matched_[slot] ? 0 : 1;  // without a branch: whether a slot is new is hard to predict
        matched_[slot] = true;
        sums_[slot] += parts_[i];
      }
    }
  }

  void hand_over(DocId first, const DocFilter* filter, TopDocs& best) {
    for (std::size_t i = 0; i < n_touched_; ++i) {
      const DocId slot = touched_[i];
      if (filter == nullptr || filter->allows(first + slot)) best.offer(sums_[slot], first + slot);
      sums_[slot] = 0.0;
      matched_[slot] = false;
    }
    n_touched_ = 0;
  }

 private:
  std::array<double, kWindow> sums_{};
  std::array<bool, kWindow> matched_{};
  std::array<DocId, kWindow + 1> touched_{};  // one place more: the last write may be to a slot that is not new
  std::array<double, kBlock> parts_{};
  std::size_t n_touched_ = 0;
};

}  // namespace

void rank_exhaustively(const RankInput& query, TopDocs& best, SearchCounts& counts) {
  const Scorer& scorer = query.searcher.scorer();
  const auto terms = query.terms;
  // Kept from query to query, 0.4 MB a thread. A query that ends by an exception leaves none, so what is kept is clean.
  thread_local std::unique_ptr<Window> kept;
  std::unique_ptr<Window> window = kept ? std::move(kept) : std::make_unique<Window>();

  WorkMeter meter;
  std::vector<Postings> rest;  // of each term: the postings of this window and those after it
  for (const QueryTerm& term : terms) rest.push_back(scorer.index().postings(term.term));
  std::unordered_set<TermId> distinct;
  for (std::size_t t = 0; t < terms.size(); ++t) {
    meter.add(1);
    counts.postings_scored += rest[t].size();
    counts.postings += distinct.insert(terms[t].term).second ? rest[t].size() : 0;
  }
  for (std::size_t first = 0; first < scorer.index().n_docs(); first += kWindow) {
    for (std::size_t t = 0; t < terms.size(); ++t) {
      const auto& docs = rest[t].docs;
      const auto end = std::partition_point(docs.begin(), docs.end(), [&](DocId d) { return d - first < kWindow; });
      const auto count = static_cast<std::size_t>(end - docs.begin());
      meter.add(count + 1);
      window->add(scorer, terms[t], rest[t].slice(0, count), static_cast<DocId>(first));
      rest[t] = rest[t].slice(count, rest[t].size() - count);
    }
    window->hand_over(static_cast<DocId>(first), query.filter, best);
  }
  kept = std::move(window);
}

}  // namespace twotower
