// tf-idf cosine (SMART ltc.ltc). Legend: N documents, df documents with the term, tf occurrences, w weight.
#include <array>
#include <cmath>
#include <unordered_map>

#include "twotower/interrupt.h"
#include "twotower/scoring.h"

namespace twotower {
namespace {

// 1 + log10(tf). The table holds the same values that the function gives, so both ways are one definition.
class LogTf {
 public:
  LogTf() {
    for (std::size_t tf = 1; tf < table_.size(); ++tf) table_[tf] = 1.0 + std::log10(static_cast<double>(tf));
  }
  double operator()(std::uint32_t tf) const noexcept {
    return tf < table_.size() ? table_[tf] : 1.0 + std::log10(static_cast<double>(tf));
  }

 private:
  std::array<double, 256> table_{};
};

// Where every weight is 0 the norm is 0 too: dividing by 1 keeps those weights at 0.
double guarded_norm(double sum_of_squares) { return sum_of_squares > 0.0 ? std::sqrt(sum_of_squares) : 1.0; }

class TfidfScorer final : public Scorer {
 public:
  explicit TfidfScorer(const InvertedIndex& index) : Scorer(index), norms_(index.n_docs(), 0.0) {
    for (std::size_t t = 0; t < index.n_terms(); ++t) {
      if (t % 4096 == 0) check_interrupt();
      const auto term = static_cast<TermId>(t);
      const Postings postings = index.postings(term);
      if (postings.size() == 0) continue;
      const double term_idf = idf(term);
      for (std::size_t i = 0; i < postings.size(); ++i) {
        const double w = log_tf_(postings.tfs[i]) * term_idf;
        norms_[postings.docs[i]] += w * w;
      }
    }
    for (double& norm : norms_) norm = guarded_norm(norm);
  }

  // The weight of a term first counts its occurrences, then becomes w_tq / |q|.
  std::vector<QueryTerm> weigh(std::span<const TermId> query) const override {
    std::vector<QueryTerm> terms;
    std::unordered_map<TermId, std::size_t> places;
    for (const TermId id : query) {
      if (id == kUnknownTerm || index().df(id) == 0) continue;
      const auto [place, is_new] = places.try_emplace(id, terms.size());
      if (is_new) {
        terms.push_back({id, idf(id), 1.0});
      } else {
        terms[place->second].weight += 1.0;
      }
    }
    double sum_of_squares = 0.0;
    for (QueryTerm& term : terms) {
      term.weight = (1.0 + std::log10(term.weight)) * term.idf;
      sum_of_squares += term.weight * term.weight;
    }
    const double norm = guarded_norm(sum_of_squares);
    for (QueryTerm& term : terms) term.weight /= norm;
    return terms;
  }

  void contributions(const QueryTerm& term, const Postings& postings, double* out) const noexcept override {
    for (std::size_t i = 0; i < postings.size(); ++i) {
      out[i] = term.weight * (log_tf_(postings.tfs[i]) * term.idf / norms_[postings.docs[i]]);
    }
  }

 private:
  double idf(TermId term) const noexcept {
    return std::log10(static_cast<double>(index().n_docs()) / static_cast<double>(index().df(term)));
  }

  LogTf log_tf_;
  std::vector<double> norms_;  // |d| of each DocId
};

}  // namespace

std::unique_ptr<Scorer> make_tfidf_scorer(const InvertedIndex& index) { return std::make_unique<TfidfScorer>(index); }

}  // namespace twotower
