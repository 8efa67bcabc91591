// Postings of weights, and the scorer that reads them. -0 and 0 are dropped when an index is built, so that the bits of
// a weight are a number above 0, as InvertedIndex asks.
#include "twotower/weighted_postings.h"

#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "twotower/error.h"
#include "twotower/interrupt.h"
#include "util/work_meter.h"

namespace twotower {
namespace {

constexpr std::size_t kPollEvery = 1 << 12;  // documents, or terms, between two looks at the clock

class WeightScorer final : public Scorer {
 public:
  explicit WeightScorer(const InvertedIndex& index) : Scorer(index) {
    for (std::size_t t = 0; t < index.n_terms(); ++t) {
      if (t % kPollEvery == 0) check_interrupt();
      for (const std::uint32_t bits : index.postings(static_cast<TermId>(t)).tfs) {
        const auto weight = std::bit_cast<float>(bits);
        if (std::isfinite(weight) && weight != 0.0f && std::abs(weight) <= kMostWeight) continue;
        throw CorruptFile("the index is damaged: term " + std::to_string(t) + " has a weight of " +
                          std::to_string(weight) + "; build and save it again");
      }
    }
  }

  std::vector<QueryTerm> weigh(std::span<const TermId> query) const override {
    return weigh_given(query, std::vector<float>(query.size(), 1.0f));
  }

  std::vector<QueryTerm> weigh_given(std::span<const TermId> query, std::span<const float> weights) const override {
    std::vector<QueryTerm> terms;
    WorkMeter meter;
    for (std::size_t i = 0; i < query.size(); ++i) {
      meter.add(1);
      if (query[i] == kUnknownTerm || weights[i] == 0.0f || index().df(query[i]) == 0) continue;
      terms.push_back({query[i], 1.0, weights[i]});
    }
    return terms;
  }

  void contributions(const QueryTerm& term, const Postings& postings, double* out) const noexcept override {
    for (std::size_t i = 0; i < postings.size(); ++i) {
      out[i] = term.weight * static_cast<double>(std::bit_cast<float>(postings.tfs[i]));
    }
  }
};

// Calls visit(term, doc, weight) for each term that makes a posting, in document order.
template <class Visit>
void for_each_posting(const TermLists& documents, Visit visit) {
  for (std::size_t d = 0; d < documents.size(); ++d) {
    if (d % kPollEvery == 0) check_interrupt();
    const auto ids = documents[d];
    const auto weights = documents.weights(d);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] == kUnknownTerm || weights[i] == 0.0f) continue;
      visit(static_cast<std::size_t>(ids[i]), static_cast<DocId>(d), weights[i]);
    }
  }
}

}  // namespace

std::vector<QueryTerm> Scorer::weigh_given(std::span<const TermId>, std::span<const float>) const {
  throw InvalidInput("this index weighs the terms of a query itself: give them without weights");
}

WeightedArrays build_weighted_arrays(const TermLists& documents) {
  if (documents.size() > std::numeric_limits<DocId>::max()) {
    throw InvalidInput("an index holds at most 2^32 - 1 documents: build several");
  }
  WeightedArrays arrays;
  arrays.term_offsets.assign(documents.n_terms() + 1, 0);
  for_each_posting(documents, [&](std::size_t term, DocId, float) { ++arrays.term_offsets[term + 1]; });
  for (std::size_t t = 0; t < documents.n_terms(); ++t) arrays.term_offsets[t + 1] += arrays.term_offsets[t];
  std::vector<std::int64_t> next(arrays.term_offsets.begin(), arrays.term_offsets.end() - 1);
  arrays.docs.resize(static_cast<std::size_t>(arrays.term_offsets.back()));
  arrays.weights.resize(arrays.docs.size());
  for_each_posting(documents, [&](std::size_t term, DocId doc, float weight) {  // DocIds ascend: documents in order
    const auto place = static_cast<std::size_t>(next[term]++);
    arrays.docs[place] = doc;
    arrays.weights[place] = weight;
  });
  return arrays;
}

std::unique_ptr<Scorer> make_weight_scorer(const InvertedIndex& index) { return std::make_unique<WeightScorer>(index); }

}  // namespace twotower
