#include "text/training/merge_learner.h"

#include <algorithm>
#include <cassert>
#include <string>

#include "twotower/error.h"
#include "twotower/interrupt.h"

namespace twotower {
namespace {

constexpr std::size_t kMaxCells = std::size_t{1} << 30;
constexpr std::size_t kCellsPerPoll = std::size_t{1} << 20;

}  // namespace

MergeLearner::MergeLearner(std::size_t max_width, std::uint64_t min_frequency)
    : max_width_(max_width), min_frequency_(static_cast<std::int64_t>(min_frequency)), cells_{{kEdge, 0}} {}

void MergeLearner::add_word(std::span<const std::uint32_t> tokens, std::uint64_t count) {
  if (tokens.size() >= kMaxCells - cells_.size()) {
    throw InvalidInput("the distinct words have more than " + std::to_string(kMaxCells) +
                       " characters together: train on fewer texts");
  }
  if (weights_.empty() || weights_.back() != static_cast<std::int64_t>(count)) {
    weights_.push_back(static_cast<std::int64_t>(count));
  }
  const auto weight = static_cast<std::uint32_t>(weights_.size() - 1);
  for (const std::uint32_t token : tokens) cells_.push_back({token, weight});
  cells_.push_back({kEdge, weight});
}

void MergeLearner::start(std::size_t n_tokens) {
  width_.assign(n_tokens, 1);
  doubles_.resize(n_tokens);
  if (max_width_ < 2) return;
  const auto for_each_pair = [this](auto&& visit) {
    for (std::size_t i = 1; i + 1 < cells_.size(); ++i) {
      if (cells_[i].token != kEdge && cells_[i + 1].token != kEdge) {
        visit(pair_of(cells_[i].token, cells_[i + 1].token), static_cast<std::uint32_t>(i));
      }
      if (i % kCellsPerPoll == 0) check_interrupt();
    }
  };
  for_each_pair([this](Pair pair, std::uint32_t place) {
    PairEntry& entry = pairs_.get(pair);
    entry.count += weight(place);
    ++entry.n_places;
  });
  std::uint64_t n_places = 0;
  std::vector<Claim> claims;
  pairs_.for_each([&](PairEntry& entry) {
    entry.first = n_places;
    n_places += entry.n_places;
    entry.n_places = 0;
    if (entry.count >= min_frequency_) claims.push_back({entry.count, entry.pair});
  });
  places_.resize(n_places);
  for_each_pair([this](Pair pair, std::uint32_t place) {
    PairEntry& entry = *pairs_.find(pair);
    places_[entry.first + entry.n_places++] = place;
  });
  claims_ = std::priority_queue<Claim>(std::less<Claim>(), std::move(claims));
}

std::span<std::uint32_t> MergeLearner::places_of(const PairEntry& entry) noexcept {
  return {places_.data() + entry.first, entry.n_places};
}

bool MergeLearner::stands(Pair pair, std::uint32_t place) const noexcept {
  return cells_[place].token == left_of(pair) && cells_[place + width_[left_of(pair)]].token == right_of(pair);
}

// Most merges that a pair can give. For a pair of two different tokens it is the number itself.
std::int64_t MergeLearner::bound(const PairEntry& entry) const noexcept {
  const std::uint32_t left = left_of(entry.pair);
  return left == right_of(entry.pair) ? std::min(entry.count, doubles_[left].most) : entry.count;
}

void MergeLearner::claim(std::int64_t count, Pair pair) {
  if (count >= min_frequency_) claims_.push({count, pair});
}

// Merges that the pair of a token with itself gives: every second place of a run, from its beginning. Drops the places
// that are no more.
std::int64_t MergeLearner::count_disjoint(PairEntry& entry) {
  const std::span<std::uint32_t> places = places_of(entry);
  assert(std::is_sorted(places.begin(), places.end()));
  const std::uint32_t width = width_[left_of(entry.pair)];
  std::int64_t count = 0;
  std::uint32_t n = 0;
  std::size_t free_from = 0;
  for (const std::uint32_t place : places) {
    if (!stands(entry.pair, place)) continue;
    places[n++] = place;
    if (place < free_from) continue;
    count += weight(place);
    free_from = place + 2 * std::size_t{width};
  }
  entry.n_places = n;
  return count;
}

std::optional<Pair> MergeLearner::next() {
  while (!claims_.empty()) {
    const auto [count, pair] = claims_.top();
    claims_.pop();
    PairEntry& entry = *pairs_.find(pair);
    std::int64_t most = bound(entry);
    if (count == most && left_of(pair) == right_of(pair) && !doubles_[left_of(pair)].exact) {
      most = count_disjoint(entry);
      doubles_[left_of(pair)] = {most, true};
    }
    if (count == most) return pair;
    claim(most, pair);
  }
  return std::nullopt;
}

MergeLearner::Side::Sum& MergeLearner::Side::sum(std::uint32_t token) {
  Sum& sum = sums[token];
  if (!sum.noted) tokens.push_back(token);
  sum.noted = true;
  return sum;
}

void MergeLearner::merge(Pair pair, std::uint32_t merged) {
  if (merged == width_.size()) {
    width_.emplace_back();
    doubles_.emplace_back();
  }
  width_[merged] = width_[left_of(pair)] + width_[right_of(pair)];  // also of a special token that words spell
  PairEntry& entry = *pairs_.find(pair);
  const std::span<std::uint32_t> places = places_of(entry);
  at_hand_.assign(places.begin(), places.end());
  assert(std::is_sorted(at_hand_.begin(), at_hand_.end()));  // runs are merged from their beginning
  entry.count = 0;
  entry.n_places = 0;
  for (Side* const side : {&left_, &right_}) side->sums.resize(width_.size());
  replace(pair, merged);
  // First what is gained: a pair of this merge may be lost again within it ("abab").
  gain(left_, merged);
  gain(right_, merged);
  lose(left_, left_of(pair));
  lose(right_, right_of(pair));
  check_interrupt();
}

// Puts the merged token into the cells and notes the neighbours of each.
void MergeLearner::replace(Pair pair, std::uint32_t merged) {
  const std::uint32_t left = left_of(pair), right = right_of(pair);
  for (const std::uint32_t place : at_hand_) {
    if (!stands(pair, place)) continue;
    const std::uint32_t middle = place + width_[left];
    const std::uint32_t behind = middle + width_[right];
    cells_[place].token = merged;
    cells_[middle].token = kWiped;
    cells_[behind - 1].token = merged;
    const std::int64_t count = weight(place);
    const std::uint32_t before = cells_[place - 1].token, after = cells_[behind].token;
    if (before != kEdge && fits(before, left))
      note(left_, before, count, true, fits(before, merged), place - width_[before]);
    if (after != kEdge && fits(right, after)) {
      const bool same = left == right && after == left;  // the pair itself, of which all is forgotten
      note(right_, after, count, !same, fits(merged, after), place);
    }
  }
}

void MergeLearner::note(Side& side, std::uint32_t token, std::int64_t count, bool lost, bool gained,
                        std::uint32_t place) {
  Side::Sum& sum = side.sum(token);
  if (lost) sum.lost += count;
  if (!gained) return;
  sum.gained += count;
  ++sum.n_places;
  side.found.push_back({token, place});
}

void MergeLearner::gain(Side& side, std::uint32_t merged) {
  for (const std::uint32_t token : side.tokens) {
    Side::Sum& sum = side.sums[token];
    if (sum.n_places == 0) continue;
    const Pair pair = side.pair(token, merged);
    PairEntry& entry = pairs_.get(pair);
    assert(entry.count == 0 && entry.n_places == 0);
    entry.count = sum.gained;
    entry.first = sum.next = places_.size();
    entry.n_places = sum.n_places;
    places_.resize(places_.size() + sum.n_places);
    claim(entry.count, pair);
  }
  for (const auto [token, place] : side.found) places_[side.sums[token].next++] = place;
  side.found.clear();
}

void MergeLearner::lose(Side& side, std::uint32_t part) {
  for (const std::uint32_t token : side.tokens) {
    Side::Sum& sum = side.sums[token];
    if (sum.lost != 0) pairs_.find(side.pair(token, part))->count -= sum.lost;
    if (token == part) doubles_[part].exact = false;
    sum = {};
  }
  side.tokens.clear();
}

}  // namespace twotower
