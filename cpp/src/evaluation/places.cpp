// Places are counted, not read off a sorted list of ids: ids matter only where scores tie.
#include <algorithm>

#include "twotower/evaluation.h"

namespace twotower {
namespace {

bool before(const WantedDocument& a, const WantedDocument& b) noexcept {
  return a.score != b.score ? a.score > b.score : a.doc_id > b.doc_id;
}

}  // namespace

void PlaceFinder::find(std::span<const float> scores, std::span<const WantedDocument> wanted,
                       const std::function<std::string_view(std::size_t)>& id_of, std::uint32_t* places) {
  std::span<const float> descending = scores;
  if (!std::is_sorted(scores.begin(), scores.end(), std::greater<>())) {
    sorted_.assign(scores.begin(), scores.end());
    std::sort(sorted_.begin(), sorted_.end(), std::greater<>());
    descending = sorted_;
  }
  tied_.clear();
  tied_scores_.clear();
  for (std::size_t w = 0; w < wanted.size(); ++w) {
    const float score = wanted[w].score;
    const auto first =
        std::partition_point(descending.begin(), descending.end(), [score](float s) { return s > score; });
    places[w] = static_cast<std::uint32_t>(first - descending.begin()) + 1;
    if (first + 1 < descending.end() && *(first + 1) == score) {
      tied_.push_back(w);
      tied_scores_.push_back(score);
    }
  }
  if (tied_.empty()) return;

  std::sort(tied_scores_.begin(), tied_scores_.end());
  tied_scores_.erase(std::unique(tied_scores_.begin(), tied_scores_.end()), tied_scores_.end());
  group_.clear();
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::binary_search(tied_scores_.begin(), tied_scores_.end(), scores[i]))
      group_.push_back({scores[i], id_of(i)});
  }
  std::sort(group_.begin(), group_.end(), before);
  for (const std::size_t w : tied_) {
    const float score = wanted[w].score;
    const auto first = std::partition_point(group_.begin(), group_.end(),
                                            [score](const WantedDocument& other) { return other.score > score; });
    const auto mine = std::lower_bound(first, group_.end(), wanted[w], before);
    places[w] += static_cast<std::uint32_t>(mine - first);
  }
}

}  // namespace twotower
