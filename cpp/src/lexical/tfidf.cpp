// tf-idf by SMART's switches. Legend: N documents, df documents with the term, tf occurrences, w weight.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>

#include "lexical/query_counts.h"
#include "lexical/smart.h"
#include "twotower/error.h"
#include "twotower/interrupt.h"
#include "twotower/scoring.h"

namespace twotower {
namespace {

constexpr double kDefaultSlope = 0.2;  // Singhal, Buckley, Mitra 1996, section 5

// tf_numerator of a letter. The table holds the same values that the function gives, so both ways are one definition.
class TfTable {
 public:
  TfTable(char letter, Log log) : letter_(letter), log_(log) {
    for (std::size_t tf = 1; tf < table_.size(); ++tf) {
      table_[tf] = tf_numerator(letter, static_cast<double>(tf), log);
    }
  }
  double operator()(std::uint32_t tf) const noexcept {
    return tf < table_.size() ? table_[tf] : tf_numerator(letter_, static_cast<double>(tf), log_);
  }

 private:
  char letter_;
  Log log_;
  std::array<double, 256> table_{};
};

// Where every weight is 0 the norm is 0 too: dividing by 1 keeps those weights at 0.
double guarded_norm(double sum_of_squares) { return sum_of_squares > 0.0 ? std::sqrt(sum_of_squares) : 1.0; }

SmartSide side_of(std::string_view letters) { return {letters[0], letters[1], letters[2]}; }

std::vector<TextCounts> count_texts(const InvertedIndex& index) {
  std::vector<TextCounts> texts(index.n_docs());
  for (std::size_t t = 0; t < index.n_terms(); ++t) {
    if (t % 4096 == 0) check_interrupt();
    const Postings postings = index.postings(static_cast<TermId>(t));
    for (std::size_t i = 0; i < postings.size(); ++i) {
      TextCounts& text = texts[postings.docs[i]];
      ++text.n_unique;
      text.n_terms += postings.tfs[i];
      text.greatest_tf = std::max(text.greatest_tf, postings.tfs[i]);
    }
  }
  return texts;
}

// TfOfText: the tf factor of documents depends on the document, too.
template <bool TfOfText>
class TfidfScorer final : public Scorer {
 public:
  TfidfScorer(const InvertedIndex& index, const TfidfOptions& options, std::span<const std::uint32_t> text_bytes)
      : Scorer(index),
        documents_(side_of(std::string_view(options.smart).substr(0, 3))),
        queries_(side_of(std::string_view(options.smart).substr(4))),
        log_(options.log_base == "10"),
        slope_(options.slope.value_or(kDefaultSlope)),
        pivot_(static_cast<double>(index.n_postings()) / static_cast<double>(std::max<std::size_t>(index.n_docs(), 1))),
        tfs_(documents_.tf, log_) {
    std::vector<TextCounts> texts;
    if (TfOfText || documents_.norm == 'u') texts = count_texts(index);
    if (TfOfText) {
      denominators_.reserve(texts.size());
      for (const TextCounts& text : texts) denominators_.push_back(tf_denominator(documents_.tf, text, log_));
    }
    norms_.assign(index.n_docs(), documents_.norm == 'c' ? 0.0 : 1.0);
    if (documents_.norm == 'c') set_cosine_norms();
    if (documents_.norm == 'u') {
      for (std::size_t d = 0; d < texts.size(); ++d) norms_[d] = pivoted_norm(slope_, pivot_, texts[d].n_unique);
    }
    if (documents_.norm == 'b') {
      for (std::size_t d = 0; d < norms_.size(); ++d) {  // a function as analyzer may find terms in an empty text
        norms_[d] = std::pow(static_cast<double>(std::max(text_bytes[d], 1u)), *options.alpha);
      }
    }
  }

  std::vector<QueryTerm> weigh(std::span<const TermId> query) const override {
    const std::vector<QueryCount> counts = count_query_terms(index(), query);
    TextCounts text;
    for (const QueryCount& count : counts) {
      ++text.n_unique;
      text.n_terms += count.tf;
      text.greatest_tf = std::max(text.greatest_tf, count.tf);
    }
    const double denominator = tf_denominator(queries_.tf, text, log_);
    std::vector<QueryTerm> terms;
    double sum_of_squares = 0.0;
    for (const QueryCount& count : counts) {
      const double numerator = tf_numerator(queries_.tf, count.tf, log_);
      const double weight = tf_factor(queries_.tf, numerator, denominator) * idf(queries_.df, count.term);
      terms.push_back({count.term, idf(documents_.df == 'n' ? queries_.df : documents_.df, count.term), weight});
      sum_of_squares += weight * weight;
    }
    if (queries_.norm == 'n') return terms;
    const double norm =
        queries_.norm == 'c' ? guarded_norm(sum_of_squares) : pivoted_norm(slope_, pivot_, text.n_unique);
    for (QueryTerm& term : terms) term.weight /= norm;
    return terms;
  }

  void contributions(const QueryTerm& term, const Postings& postings, double* out) const noexcept override {
    const double term_idf = documents_.df == 'n' ? 1.0 : term.idf;
    for (std::size_t i = 0; i < postings.size(); ++i) {
      const DocId doc = postings.docs[i];
      out[i] = term.weight * (document_tf(postings.tfs[i], doc) * term_idf / norms_[doc]);
    }
  }

 private:
  void set_cosine_norms() {
    for (std::size_t t = 0; t < index().n_terms(); ++t) {
      if (t % 4096 == 0) check_interrupt();
      const auto term = static_cast<TermId>(t);
      const Postings postings = index().postings(term);
      if (postings.size() == 0) continue;
      const double term_idf = idf(documents_.df, term);
      for (std::size_t i = 0; i < postings.size(); ++i) {
        const double w = document_tf(postings.tfs[i], postings.docs[i]) * term_idf;
        norms_[postings.docs[i]] += w * w;
      }
    }
    for (double& norm : norms_) norm = guarded_norm(norm);
  }

  double document_tf(std::uint32_t tf, DocId doc) const noexcept {
    if constexpr (TfOfText) return tf_factor(documents_.tf, tfs_(tf), denominators_[doc]);
    return tfs_(tf);
  }

  double idf(char letter, TermId term) const noexcept {
    return df_factor(letter, static_cast<double>(index().n_docs()), static_cast<double>(index().df(term)), log_);
  }

  SmartSide documents_, queries_;
  Log log_;
  double slope_;
  double pivot_;
  TfTable tfs_;
  std::vector<double> denominators_;  // tf_denominator of each DocId, where the tf factor needs it
  std::vector<double> norms_;         // of each DocId
};

void check_letter(const std::string& smart, std::size_t place, std::string_view allowed, const char* what) {
  if (allowed.find(smart[place]) != std::string_view::npos) return;
  std::string known;
  for (const char letter : allowed) known += (known.empty() ? "" : ", ") + std::string(1, letter);
  throw InvalidInput("smart is '" + smart + "': the letter for " + what + " is '" + smart[place] + "', choose one of " +
                     known);
}

// `has_meaning`: one of the letters looks at the option.
void check_share(const char* name, const std::optional<double>& value, bool has_meaning, const std::string& smart,
                 const char* letter, bool one_is_allowed) {
  if (!value) return;
  if (!has_meaning) {
    throw InvalidInput("smart '" + smart + "' has no " + name + ": leave it out, or choose the norm '" + letter + "'");
  }
  if (*value >= 0.0 && (*value < 1.0 || (one_is_allowed && *value == 1.0))) return;
  throw InvalidInput(std::string(name) + " is " + std::to_string(*value) + ": it must be a number from 0 to " +
                     (one_is_allowed ? "1" : "below 1"));
}

}  // namespace

TfidfOptions resolve_tfidf_options(TfidfOptions options) {
  const std::string& smart = options.smart;
  if (smart.size() != 7 || smart[3] != '.') {
    throw InvalidInput("smart is '" + smart + "': give three letters for documents (tf, df, norm), a dot, and three " +
                       "for queries, such as 'ltc.ltc' or 'lnc.ltc'");
  }
  for (const std::size_t first : {std::size_t{0}, std::size_t{4}}) {
    const bool documents = first == 0;
    check_letter(smart, first, "nlabLd", documents ? "tf of documents" : "tf of queries");
    check_letter(smart, first + 1, "ntp", documents ? "df of documents" : "df of queries");
    check_letter(smart, first + 2, documents ? "ncub" : "ncu", documents ? "norm of documents" : "norm of queries");
  }
  const bool pivoted = smart[2] == 'u' || smart[6] == 'u';
  options.needs_text_bytes = smart[2] == 'b';
  check_share("slope", options.slope, pivoted, smart, "u", true);
  check_share("alpha", options.alpha, options.needs_text_bytes, smart, "b", false);
  if (pivoted && !options.slope) options.slope = kDefaultSlope;
  if (options.needs_text_bytes && !options.alpha) {
    throw InvalidInput("smart '" + smart + "' needs alpha: norm 'b' divides by the bytes of the text to the power of " +
                       "alpha, a number from 0 to below 1");
  }
  if (options.log_base != "e" && options.log_base != "10") {
    throw InvalidInput("log_base is '" + options.log_base + "': it must be 'e' or '10'");
  }
  return options;
}

std::unique_ptr<Scorer> make_tfidf_scorer(const InvertedIndex& index, const TfidfOptions& options,
                                          std::span<const std::uint32_t> text_bytes) {
  const TfidfOptions resolved = resolve_tfidf_options(options);
  if (resolved.needs_text_bytes && text_bytes.size() != index.n_docs()) {
    throw InvalidInput("smart '" + resolved.smart + "' needs the bytes of each document's text: build from texts");
  }
  if (tf_needs_text(resolved.smart[0])) return std::make_unique<TfidfScorer<true>>(index, resolved, text_bytes);
  return std::make_unique<TfidfScorer<false>>(index, resolved, text_bytes);
}

}  // namespace twotower
