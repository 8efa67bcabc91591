// The BM25 family. To add a variant: one struct and one line of kVariants.
//
// Legend: N documents, df documents with the term, tf occurrences in the document, r = 1 - b + b * |d| / avgdl, K = k1
// * r. A contribution is idf * part. BM25L and BM25+ sum over matching terms only, as their papers do; bm25s instead
// also gives a document the part of tf = 0 for each query term that it lacks. Formulas: Kamphuis et al., ECIR 2020.
#include <array>
#include <cmath>
#include <string_view>

#include "twotower/error.h"
#include "twotower/scoring.h"
#include "util/work_meter.h"

namespace twotower {
namespace {

constexpr double kMaxOption = 1e6;  // keeps every intermediate value finite

struct Parameters {
  double k1, b, delta;
  bool base_10;
};

// Variants whose document side is K and whose part saturates as tf / (K + tf).
struct Saturating {
  static double document(double r, const Parameters& p) { return p.k1 * r; }
  static double part(double tf, double K, const Parameters&) { return tf / (K + tf); }
};

struct Robertson : Saturating {  // negative idf where df > N / 2, kept
  static double idf(double N, double df, const Parameters&) { return std::log((N - df + 0.5) / (df + 0.5)); }
};

struct Lucene : Saturating {
  static double idf(double N, double df, const Parameters&) { return std::log(1.0 + (N - df + 0.5) / (df + 0.5)); }
};

struct Slide : Saturating {
  static double idf(double N, double df, const Parameters& p) {
    return p.base_10 ? std::log10(N / df) : std::log(N / df);
  }
};

struct Atire : Saturating {
  static double idf(double N, double df, const Parameters&) { return std::log(N / df); }
  static double part(double tf, double K, const Parameters& p) { return (p.k1 + 1.0) * tf / (K + tf); }
};

struct Bm25Plus : Saturating {
  static double idf(double N, double df, const Parameters&) { return std::log((N + 1.0) / df); }
  static double part(double tf, double K, const Parameters& p) { return (p.k1 + 1.0) * tf / (K + tf) + p.delta; }
};

struct Bm25L {
  static double idf(double N, double df, const Parameters&) { return std::log((N + 1.0) / (df + 0.5)); }
  static double document(double r, const Parameters&) { return r; }
  static double part(double tf, double r, const Parameters& p) {
    const double c = tf / r;
    return (p.k1 + 1.0) * (c + p.delta) / (p.k1 + c + p.delta);
  }
};

template <class Variant>
class Bm25Scorer final : public Scorer {
 public:
  Bm25Scorer(const InvertedIndex& index, const Parameters& parameters) : Scorer(index), parameters_(parameters) {
    document_.reserve(index.n_docs());
    for (const std::uint32_t length : index.doc_lengths()) {
      // Without a single term in the corpus the mean is 0 and there is no posting that could ask for the norm.
      const double relative = index.average_length() > 0.0 ? length / index.average_length() : 0.0;
      document_.push_back(Variant::document(1.0 - parameters.b + parameters.b * relative, parameters));
    }
  }

  std::vector<QueryTerm> weigh(std::span<const TermId> query) const override {
    std::vector<QueryTerm> terms;
    WorkMeter meter;
    for (const TermId id : query) {
      meter.add(1);
      if (id == kUnknownTerm || index().df(id) == 0) continue;
      const double idf =
          Variant::idf(static_cast<double>(index().n_docs()), static_cast<double>(index().df(id)), parameters_);
      terms.push_back({id, idf, idf});
    }
    return terms;
  }

  void contributions(const QueryTerm& term, const Postings& postings, double* out) const noexcept override {
    for (std::size_t i = 0; i < postings.size(); ++i) {
      out[i] = term.weight * Variant::part(postings.tfs[i], document_[postings.docs[i]], parameters_);
    }
  }

 private:
  Parameters parameters_;
  std::vector<double> document_;  // Variant::document of each DocId
};

template <class Variant>
std::unique_ptr<Scorer> make(const InvertedIndex& index, const Parameters& parameters) {
  return std::make_unique<Bm25Scorer<Variant>>(index, parameters);
}

struct VariantEntry {
  std::string_view name;
  std::optional<double> delta;  // its default; empty: the variant has no delta
  bool has_log_base;
  std::unique_ptr<Scorer> (*make)(const InvertedIndex&, const Parameters&);
};

constexpr std::array kVariants{
    VariantEntry{"robertson", {}, false, &make<Robertson>}, VariantEntry{"lucene", {}, false, &make<Lucene>},
    VariantEntry{"atire", {}, false, &make<Atire>},         VariantEntry{"bm25l", 0.5, false, &make<Bm25L>},
    VariantEntry{"bm25plus", 1.0, false, &make<Bm25Plus>},  VariantEntry{"slide", {}, true, &make<Slide>},
};

const VariantEntry& find_variant(const std::string& name) {
  std::string known;
  for (const VariantEntry& entry : kVariants) {
    if (entry.name == name) return entry;
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw InvalidInput("unknown BM25 variant '" + name + "': choose one of " + known);
}

// Names of the variants that a predicate takes, for messages.
template <class Predicate>
std::string names_where(Predicate predicate) {
  std::string names;
  for (const VariantEntry& entry : kVariants) {
    if (predicate(entry)) names += (names.empty() ? "'" : ", '") + std::string(entry.name) + "'";
  }
  return names;
}

void check_range(const char* name, double value, double largest) {
  if (std::isfinite(value) && value >= 0.0 && value <= largest) return;
  throw InvalidInput(std::string(name) + " is " + std::to_string(value) + ": it must be a number from 0 to " +
                     std::to_string(static_cast<long>(largest)));
}

}  // namespace

std::vector<std::string> bm25_variants() {
  std::vector<std::string> names;
  for (const VariantEntry& entry : kVariants) names.emplace_back(entry.name);
  return names;
}

Bm25Options resolve_bm25_options(Bm25Options options) {
  const VariantEntry& variant = find_variant(options.variant);
  check_range("k1", options.k1, kMaxOption);
  check_range("b", options.b, 1.0);
  if (options.delta && !variant.delta) {
    throw InvalidInput("variant '" + options.variant + "' has no delta: leave it out, or choose one of " +
                       names_where([](const VariantEntry& entry) { return entry.delta.has_value(); }));
  }
  if (options.log_base && !variant.has_log_base) {
    throw InvalidInput("variant '" + options.variant + "' has no log_base: leave it out, or choose " +
                       names_where([](const VariantEntry& entry) { return entry.has_log_base; }));
  }
  if (!options.delta) options.delta = variant.delta;
  if (options.delta) check_range("delta", *options.delta, kMaxOption);
  if (variant.has_log_base && !options.log_base) options.log_base = "e";
  if (options.log_base && *options.log_base != "e" && *options.log_base != "10") {
    throw InvalidInput("log_base is '" + *options.log_base + "': it must be 'e' or '10'");
  }
  return options;
}

std::unique_ptr<Scorer> make_bm25_scorer(const InvertedIndex& index, const Bm25Options& options) {
  const Bm25Options resolved = resolve_bm25_options(options);
  const Parameters parameters{resolved.k1, resolved.b, resolved.delta.value_or(0.0), resolved.log_base == "10"};
  return find_variant(resolved.variant).make(index, parameters);
}

}  // namespace twotower
