// The weights of DrQA's retriever. Legend: N documents, df documents with the term, tf occurrences.
#include <algorithm>
#include <array>
#include <cmath>

#include "lexical/query_counts.h"
#include "twotower/scoring.h"

namespace twotower {
namespace {

double log_count(double tf) noexcept { return std::log(tf + 1.0); }

class LogCountScorer final : public Scorer {
 public:
  explicit LogCountScorer(const InvertedIndex& index) : Scorer(index) {
    for (std::size_t tf = 0; tf < table_.size(); ++tf) table_[tf] = log_count(static_cast<double>(tf));
  }

  std::vector<QueryTerm> weigh(std::span<const TermId> query) const override {
    std::vector<QueryTerm> terms;
    for (const QueryCount& count : count_query_terms(index(), query)) {
      const double term_idf = idf(count.term);
      terms.push_back({count.term, term_idf, log_count(count.tf) * term_idf});
    }
    return terms;
  }

  void contributions(const QueryTerm& term, const Postings& postings, double* out) const noexcept override {
    for (std::size_t i = 0; i < postings.size(); ++i) {
      const std::uint32_t tf = postings.tfs[i];
      const double factor = tf < table_.size() ? table_[tf] : log_count(static_cast<double>(tf));
      out[i] = term.weight * (factor * term.idf);
    }
  }

 private:
  double idf(TermId term) const noexcept {
    const auto N = static_cast<double>(index().n_docs());
    const auto df = static_cast<double>(index().df(term));
    return std::max(std::log((N - df + 0.5) / (df + 0.5)), 0.0);
  }

  std::array<double, 256> table_{};  // log_count
};

}  // namespace

std::unique_ptr<Scorer> make_log_count_scorer(const InvertedIndex& index) {
  return std::make_unique<LogCountScorer>(index);
}

}  // namespace twotower
