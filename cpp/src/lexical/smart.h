// The letters of SMART's notation: which there are, and what each means. Knows no index.
//
// Letters and formulas: Manning, Raghavan, Schuetze, Introduction to Information Retrieval, 2008, fig. 6.15; tf "d":
// Singhal, Choi, Hindle, Lewis, Pereira, AT&T at TREC-7, 1998; norm "u": Singhal, Buckley, Mitra, Pivoted document
// length normalization, SIGIR 1996, section 5.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace twotower {

/// Logarithms of one base.
class Log {
 public:
  explicit Log(bool base_10) noexcept : base_10_(base_10) {}
  double operator()(double x) const noexcept { return base_10_ ? std::log10(x) : std::log(x); }

 private:
  bool base_10_;
};

/// The letters of one side: documents or queries.
struct SmartSide {
  char tf;    ///< n natural, l logarithm, a augmented, b boolean, L log average, d double logarithm
  char df;    ///< n no, t idf, p probabilistic idf
  char norm;  ///< n none, c cosine, u pivoted unique, b byte size
};

/// What some tf factors and norms look at of a text as a whole.
struct TextCounts {
  std::uint32_t n_unique = 0;  ///< distinct terms
  std::uint32_t greatest_tf = 0;
  std::uint64_t n_terms = 0;
};

/// The part of a tf factor that depends on tf alone. For "a" that is tf.
inline double tf_numerator(char letter, double tf, Log log) noexcept {
  switch (letter) {
    case 'l':
    case 'L':
      return 1.0 + log(tf);
    case 'd':
      return 1.0 + log(1.0 + log(tf));
    case 'b':
      return 1.0;
    default:
      return tf;  // "n" and "a"
  }
}

/// Whether the factor also depends on the text.
inline bool tf_needs_text(char letter) noexcept { return letter == 'a' || letter == 'L'; }

/// What a text brings to the factor: its greatest tf ("a"), or 1 + log of its mean tf ("L").
inline double tf_denominator(char letter, const TextCounts& text, Log log) noexcept {
  if (text.n_unique == 0) return 1.0;
  if (letter == 'a') return text.greatest_tf;
  return 1.0 + log(static_cast<double>(text.n_terms) / text.n_unique);
}

/// The factor itself. `denominator` is used by "a" and "L" alone.
inline double tf_factor(char letter, double numerator, double denominator) noexcept {
  if (letter == 'a') return 0.5 + 0.5 * numerator / denominator;
  return letter == 'L' ? numerator / denominator : numerator;
}

/// The df factor. REQUIRES 1 <= df <= N.
inline double df_factor(char letter, double N, double df, Log log) noexcept {
  if (letter == 'n') return 1.0;
  if (letter == 't') return log(N / df);
  return 2.0 * df < N ? log((N - df) / df) : 0.0;
}

/// Pivoted unique normalisation. `pivot` is the mean number of distinct terms of the collection's documents.
inline double pivoted_norm(double slope, double pivot, double n_unique) noexcept {
  return (1.0 - slope) * pivot + slope * n_unique;
}

}  // namespace twotower
