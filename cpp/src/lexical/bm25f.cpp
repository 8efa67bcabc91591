// BM25F over the combinations of fields.h. Legend: N documents, F fields, C combinations, w a field's weight, r its
// 1 - b + b * length / mean length.
#include <cmath>
#include <string>

#include "twotower/error.h"
#include "twotower/fields.h"
#include "twotower/interrupt.h"
#include "util/work_meter.h"

namespace twotower {
namespace {

constexpr double kMostK1 = 1e6, kLeastWeight = 1e-6, kMostWeightOfField = 1e6;  // keep every value finite and above 0

void check_range(const std::string& name, double value, double least, double most) {
  if (std::isfinite(value) && value >= least && value <= most) return;
  throw InvalidInput(name + " is " + std::to_string(value) + ": it must be a number from " +
                     (least == 0.0 ? "0" : "0.000001") + " to " + std::to_string(static_cast<long>(most)));
}

[[noreturn]] void corrupt(const std::string& what) {
  throw CorruptFile("the index is damaged: " + what + "; build and save it again");
}

// r of every document. A field without a single term has no posting that could ask for one.
void fill_norms(const Field& field, std::size_t f, std::size_t n_fields, std::vector<double>& norms) {
  double total = 0.0;
  for (const std::uint32_t length : field.lengths) total += length;
  const double mean = total / static_cast<double>(field.lengths.size());
  for (std::size_t d = 0; d < field.lengths.size(); ++d) {
    const std::uint32_t length = field.lengths[d];
    if (length == 0) continue;  // 1, because b = 1 would make it 0
    norms[d * n_fields + f] = 1.0 - field.b + field.b * (length / mean);
  }
}

class Bm25fScorer final : public Scorer {
 public:
  Bm25fScorer(const InvertedIndex& index, std::span<const std::uint32_t> combinations, std::span<const Field> fields,
              double k1)
      : Scorer(index), n_fields_(fields.size()), k1_(k1), norms_(index.n_docs() * n_fields_, 1.0) {
    check_rows(combinations);
    check_postings(combinations, fields);
    for (std::size_t f = 0; f < n_fields_; ++f) fill_norms(fields[f], f, n_fields_, norms_);
    weighted_tfs_.reserve(combinations.size());
    for (std::size_t i = 0; i < combinations.size(); ++i) {
      weighted_tfs_.push_back(fields[i % n_fields_].weight * combinations[i]);
    }
  }

  std::vector<QueryTerm> weigh(std::span<const TermId> query) const override {
    std::vector<QueryTerm> terms;
    WorkMeter meter;
    for (const TermId id : query) {
      meter.add(1);
      if (id == kUnknownTerm || index().df(id) == 0) continue;
      const auto N = static_cast<double>(index().n_docs()), df = static_cast<double>(index().df(id));
      const double idf = std::log(1.0 + (N - df + 0.5) / (df + 0.5));
      terms.push_back({id, idf, idf});
    }
    return terms;
  }

  void contributions(const QueryTerm& term, const Postings& postings, double* out) const noexcept override {
    for (std::size_t i = 0; i < postings.size(); ++i) {
      const double* tfs = &weighted_tfs_[(postings.tfs[i] - std::size_t{1}) * n_fields_];
      const double* norms = &norms_[postings.docs[i] * n_fields_];
      double tf = 0.0;
      for (std::size_t f = 0; f < n_fields_; ++f) tf += tfs[f] / norms[f];
      out[i] = term.weight * (tf / (k1_ + tf));
    }
  }

 private:
  void check_rows(std::span<const std::uint32_t> combinations) const {
    if (combinations.size() % n_fields_ != 0) corrupt("its combinations are not whole rows of fields");
    for (std::size_t row = 0; row < combinations.size(); row += n_fields_) {
      std::uint64_t sum = 0;
      for (const std::uint32_t tf : combinations.subspan(row, n_fields_)) sum += tf;
      if (sum == 0) corrupt("combination " + std::to_string(row / n_fields_) + " has no occurrence");
    }
  }

  void check_postings(std::span<const std::uint32_t> combinations, std::span<const Field> fields) const {
    for (std::size_t t = 0; t < index().n_terms(); ++t) {
      if (t % 4096 == 0) check_interrupt();
      const Postings postings = index().postings(static_cast<TermId>(t));
      for (std::size_t i = 0; i < postings.size(); ++i) {
        const std::size_t row = (postings.tfs[i] - std::size_t{1}) * n_fields_;
        if (row >= combinations.size()) corrupt("term " + std::to_string(t) + " names a combination that is not there");
        for (std::size_t f = 0; f < n_fields_; ++f) {
          if (combinations[row + f] <= fields[f].lengths[postings.docs[i]]) continue;
          corrupt("document " + std::to_string(postings.docs[i]) + " has more occurrences of term " +
                  std::to_string(t) + " than terms in field " + std::to_string(f));
        }
      }
    }
  }

  std::size_t n_fields_;
  double k1_;
  std::vector<double> norms_;         // [N * F]: r
  std::vector<double> weighted_tfs_;  // [C * F]: w * tf
};

}  // namespace

std::unique_ptr<Scorer> make_bm25f_scorer(const InvertedIndex& index, std::span<const std::uint32_t> combinations,
                                          std::span<const Field> fields, double k1) {
  if (fields.empty()) throw InvalidInput("there is no field: give at least one");
  check_range("k1", k1, 0.0, kMostK1);
  for (std::size_t f = 0; f < fields.size(); ++f) {
    check_range("the weight of field " + std::to_string(f), fields[f].weight, kLeastWeight, kMostWeightOfField);
    check_range("b of field " + std::to_string(f), fields[f].b, 0.0, 1.0);
    if (fields[f].lengths.size() != index.n_docs()) {
      corrupt("field " + std::to_string(f) + " has lengths of " + std::to_string(fields[f].lengths.size()) +
              " documents, the index " + std::to_string(index.n_docs()));
    }
  }
  return std::make_unique<Bm25fScorer>(index, combinations, fields, k1);
}

}  // namespace twotower
