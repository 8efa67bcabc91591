// Unicode normalisation form C, and where each byte of the result comes from. Knows no token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace twotower {

/// Composes text (Unicode Standard Annex 15) with the tables of the `tokenizers` package, and gives places as it does:
/// a composed character stands where the first character of what was composed stands.
///
/// Not thread-safe; keeps its buffers from text to text.
class NfcNormalizer {
 public:
  /// The text in form C: itself if it is so already, else a copy that is valid until the next call. `spans`: also keep
  /// the places. O(bytes) but for the sorting of long runs of marks. REQUIRES well-formed UTF-8 of less than 2 GiB.
  std::string_view normalize(std::string_view text, bool spans);

  /// Whether the last result is a copy. Only then are there places.
  bool changed() const noexcept { return changed_; }

  /// First byte, in the text, of the character from which byte `at` of the result comes; and the byte behind its last.
  std::size_t begin_of(std::size_t at) const noexcept { return places_[at].begin; }
  std::size_t end_of(std::size_t at) const noexcept { return places_[at].end; }

 private:
  struct Place {
    std::uint32_t begin, end;
  };

  // A character of the decomposition. `change` is how many characters of the text it stands for, less one, negated: 1
  // if it came out of the character before it, -1 if it took the next one in.
  struct Part {
    char32_t c;
    std::uint8_t combining;
    int change;
  };

  void compose(std::string_view text, std::size_t begin, std::size_t end);
  void decompose(std::string_view run);
  void recompose();
  void put(const Part& part);
  void keep(std::string_view text, std::size_t begin, std::size_t end);

  bool changed_ = false;
  bool spans_ = false;
  std::string out_;
  std::vector<Place> places_;   // by byte of out_
  std::vector<Part> parts_;     // of the run at hand
  std::vector<Part> composed_;  // what parts_ become
  std::vector<Place> sources_;  // characters of the run, and how many of them are used up
  std::size_t n_used_ = 0;
};

}  // namespace twotower
