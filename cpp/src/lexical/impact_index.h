// The fast form of an inverted index under one scorer: what each posting is worth, rounded up to one byte.
//
// A code c of a term with step s says that the document's side of the contribution (QueryTerm::weight of 1) lies in
// ((c - 1) * s, c * s]; the least code is 1, so that 0 means "no posting". docs/math.md, section 2, builds on this.
// Knows no query and no threshold. The exact contribution still comes from the scorer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/lexical.h"
#include "twotower/scoring.h"

namespace twotower {

inline constexpr unsigned kWindowBits = 14;
inline constexpr std::size_t kWindow = std::size_t{1} << kWindowBits;  ///< documents; their sums (u16) are 32 KiB

inline constexpr std::size_t kBlocks = kWindow >> kernels::kBlockBits;  ///< of a window

inline constexpr std::array<std::size_t, 4> kStoredRanks{1, 10, 100, 1000};  ///< those of ImpactTerm::kth_codes

/// How the postings of a term are kept.
enum class ImpactForm : std::uint8_t {
  kRare,    ///< not at all: too few a window to be worth a table, or a side below 0. Their contributions are computed
            ///< for each query.
  kList,    ///< 3 bytes a posting: u16 place in its window and small tf (PlaceAndTf), u8 code
  kColumn,  ///< 2 bytes a document: its code, and its tf for the exact scores
};

/// 14 bits of a posting's place in its window, then 2 bits of its tf: 1, 2, 3, or 0 if it is greater. Exact scores of
/// most postings need no look at the tfs themselves then, which lie far away. Ascending in a window, as places are.
struct PlaceAndTf {
  static constexpr unsigned kTfBits = kernels::kEntryTfBits;
  static constexpr std::uint16_t kTfMask = (1u << kTfBits) - 1;
  static constexpr std::uint16_t pack(std::size_t place, std::uint32_t tf) noexcept {
    return static_cast<std::uint16_t>(place << kTfBits | (tf <= kTfMask ? tf : 0));
  }
  static constexpr std::uint32_t place(std::uint16_t packed) noexcept { return std::uint32_t{packed} >> kTfBits; }
  static constexpr std::uint32_t tf(std::uint16_t packed) noexcept { return packed & kTfMask; }
};

/// Where a term's codes are, and what bounds them.
struct ImpactTerm {
  float step = 0.0f;                        ///< 255 * step is at least the greatest document side
  std::array<std::uint8_t, 4> kth_codes{};  ///< the 1st, 10th, 100th and 1,000th greatest code; 0 where there are fewer
  ImpactForm form = ImpactForm::kRare;
  std::size_t first = 0;           ///< of the term's entries in places and codes, or of its column
  std::size_t windows = 0;         ///< of the term's entries in window_starts
  std::size_t blocks = kNoBlocks;  ///< of the term's entries in block_starts, if its list is long enough to have any

  static constexpr std::size_t kNoBlocks = ~std::size_t{0};
  bool has_blocks() const noexcept { return blocks != kNoBlocks; }
};

/// Codes of all terms that are not rare. Immutable after construction, so safe on every thread.
///
/// 3 bytes a posting of a listed term, 2 bytes a document and column, 4 bytes a window and kept term, 130 bytes a
/// window of a listed term with one posting for 256 documents, 4 bytes a term.
class ImpactIndex {
 public:
  /// O(P) time on one thread. REQUIRES that the scorer outlives this. THROWS Interrupted.
  explicit ImpactIndex(const Scorer& scorer);

  std::size_t n_windows() const noexcept { return n_windows_; }
  /// Documents, rounded up to what the kernels read in one go.
  std::size_t n_padded_docs() const noexcept { return n_padded_docs_; }
  /// The term's codes; a term of the form kRare if there are none. O(1).
  const ImpactTerm& term(TermId term) const noexcept { return terms_[numbers_[static_cast<std::size_t>(term)]]; }

  /// The postings of a kept term in window w, as numbers from 0 to its df: [starts[0], starts[1]).
  const std::uint32_t* window(const ImpactTerm& term, std::size_t w) const noexcept {
    return &window_starts_[term.windows + w];
  }
  /// PlaceAndTf and codes of a listed term, by the number of the posting.
  const std::uint16_t* entries(const ImpactTerm& term) const noexcept { return &places_[term.first]; }
  const std::uint8_t* codes(const ImpactTerm& term) const noexcept { return &codes_[term.first]; }
  /// Where the blocks of a listed term's window w begin among the postings of that window, and where the last one ends:
  /// kBlocks + 1 numbers, for single look-ups. REQUIRES has_blocks().
  const std::uint16_t* blocks(const ImpactTerm& term, std::size_t w) const noexcept {
    return &block_starts_[term.blocks + w * (kBlocks + 1)];
  }
  /// The codes of a term's column, by DocId, padded with 0 to whole windows.
  const std::uint8_t* column(const ImpactTerm& term) const noexcept { return &columns_[term.first]; }
  /// The tfs beside column(): 0 where there is no posting, kManyTimes where it is that or more.
  const std::uint8_t* column_tfs(const ImpactTerm& term) const noexcept { return &column_tfs_[term.first]; }
  static constexpr std::uint8_t kManyTimes = 255;

  /// Asks for what the search for a query reads first, so that it arrives while another query is searched.
  void prefetch(std::span<const TermId> query) const noexcept;

  /// Memory of all tables.
  std::size_t n_bytes() const noexcept;

 private:
  void add_term(const Scorer& scorer, TermId term);
  void add_list(const Postings& postings, std::span<const std::uint8_t> codes, ImpactTerm& term);
  void add_blocks(const Postings& postings, ImpactTerm& term);
  void add_column(const Postings& postings, std::span<const std::uint8_t> codes, ImpactTerm& term);

  std::size_t n_windows_;
  std::size_t n_padded_docs_;
  std::vector<std::uint32_t> numbers_;  // [V]: of the term in terms_
  std::vector<ImpactTerm> terms_;       // the first is the rare one
  std::vector<std::uint32_t> window_starts_;
  std::vector<std::uint16_t> block_starts_;
  std::vector<std::uint16_t> places_;
  std::vector<std::uint8_t> codes_;
  std::vector<std::uint8_t> columns_;
  std::vector<std::uint8_t> column_tfs_;
};

/// The least number of documents from which a term is kept in another form than kRare.
std::size_t least_kept_df(std::size_t n_docs) noexcept;

}  // namespace twotower
