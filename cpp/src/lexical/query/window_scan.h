// One query over the quantised impacts, window after window of documents: what "windowed", "maxscore" and "adaptive"
// share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lexical/query/candidates.h"
#include "lexical/query/query_bounds.h"
#include "twotower/lexical_search.h"

namespace twotower {

/// Which terms of a window are looked up instead of added (MaxScore's non-essential terms).
enum class Split {
  kNever,   ///< none: every posting is added
  kAlways,  ///< as many as the threshold allows
  kByCost,  ///< as many as an estimate of time says
};

/// Sums values over windows and hands every document that may be among the k best to the candidates.
///
/// MaxScore (Turtle and Flood, Information Processing & Management 31(6), 1995) by windows: the terms with the least
/// greatest values whose sum is below the threshold cannot make a candidate by themselves. The others are added up;
/// documents that come near enough are looked up in the rest. Holds 160 KB; reused from query to query. Not
/// thread-safe.
class WindowScan {
 public:
  /// REQUIRES bounds that were set for these impacts, and candidates that were started. THROWS Interrupted, after which
  /// this object must not be used again.
  void run(const ImpactIndex& impacts, const QueryBounds& bounds, Split split, const DocFilter* filter,
           Candidates& candidates, SearchCounts& counts);

 private:
  // The postings of one term in the window, by their numbers.
  struct Slice {
    std::size_t first, count;
  };

  void start();
  bool slice_window(std::size_t w);
  void choose_split(Split split, std::uint32_t threshold);
  double cost_of_adding(std::size_t t) const noexcept;
  double cost_of_looking_up(std::size_t t) const noexcept;
  void score_window(Split split);
  void gather(std::uint32_t least);
  void gather_one_list(std::size_t t, std::uint32_t least);
  void add(std::size_t t);
  void take(std::uint32_t least);
  void visit(std::size_t t, std::uint32_t least);
  void look_up(std::size_t t, std::uint32_t least);
  template <class Value>
  void keep_if(std::uint32_t least, Value&& value_of);
  void look_up_in_list(std::size_t t, std::uint32_t least);
  void look_up_rare(std::size_t t, std::uint32_t least);
  void hand_over(const DocFilter* filter);

  bool is_column(std::size_t t) const noexcept { return bounds_->terms()[t].impacts->form == ImpactForm::kColumn; }

  const ImpactIndex* impacts_ = nullptr;
  const QueryBounds* bounds_ = nullptr;
  Candidates* candidates_ = nullptr;
  SearchCounts* counts_ = nullptr;
  DocId first_ = 0;                   // of the window
  std::size_t n_places_ = 0;          // documents of the window, rounded up to 64
  std::vector<Slice> slices_;         // by term
  std::vector<std::uint32_t> order_;  // terms by greatest value, ascending
  std::size_t n_looked_up_ = 0;       // the first so many of order_ are looked up in this window
  std::uint32_t looked_up_sum_ = 0;   // of their greatest values
  std::uint32_t greatest_sum_ = 0;    // of the greatest values of all terms
  std::size_t n_found_ = 0;
  std::array<std::uint32_t, kWindow + 64> found_;          // sum << 16 | place in the window
  std::array<std::uint32_t, kWindow + 64> entries_;        // of one term's list, by the number in found_
  alignas(64) std::array<std::uint16_t, kWindow> sums_{};  // all 0 between windows
};

}  // namespace twotower
