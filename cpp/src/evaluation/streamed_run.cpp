// One list at a time. What is kept of a list are the places of judged documents.
#include <algorithm>
#include <limits>

#include "evaluation/gather.h"
#include "twotower/evaluation.h"
#include "twotower/interrupt.h"

namespace twotower {
namespace {

constexpr std::size_t kFirstSlots = 64;

std::size_t hash_of(std::string_view text) noexcept { return std::hash<std::string_view>{}(text); }

}  // namespace

// Costs the same after a long list as after a short one: slots beyond the first few are cleared when they are needed.
void StreamedRun::OpenList::clear() {
  bytes_.clear();
  begins_.assign(1, 0);
  scores_.clear();
  hashes_.clear();
  if (slots_.size() < kFirstSlots) slots_.resize(kFirstSlots);
  std::fill_n(slots_.begin(), kFirstSlots, 0u);
  mask_ = kFirstSlots - 1;
}

std::string_view StreamedRun::OpenList::id(std::size_t i) const noexcept {
  return {bytes_.data() + begins_[i], begins_[i + 1] - begins_[i]};
}

// The slot that holds the document, or the empty slot where it belongs.
std::size_t StreamedRun::OpenList::slot_of(std::string_view doc_id, std::size_t hash) const noexcept {
  std::size_t slot = hash & mask_;
  while (slots_[slot] != 0 && (hashes_[slots_[slot] - 1] != hash || id(slots_[slot] - 1) != doc_id)) {
    slot = (slot + 1) & mask_;
  }
  return slot;
}

void StreamedRun::OpenList::grow() {
  const std::size_t wider = 2 * (mask_ + 1);
  if (slots_.size() < wider) slots_.resize(wider);
  std::fill_n(slots_.begin(), wider, 0u);
  mask_ = wider - 1;
  for (std::size_t i = 0; i < hashes_.size(); ++i) {
    std::size_t slot = hashes_[i] & mask_;
    while (slots_[slot] != 0) slot = (slot + 1) & mask_;
    slots_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

bool StreamedRun::OpenList::add(std::string_view doc_id, float score) {
  const std::size_t hash = hash_of(doc_id);
  if (2 * (size() + 1) > mask_ + 1) grow();
  const std::size_t slot = slot_of(doc_id, hash);
  if (slots_[slot] != 0) return false;
  if (size() == std::numeric_limits<std::int32_t>::max())
    throw InvalidInput("a list holds at most 2147483647 documents");
  bytes_.insert(bytes_.end(), doc_id.begin(), doc_id.end());
  begins_.push_back(bytes_.size());
  scores_.push_back(score);
  hashes_.push_back(hash);
  slots_[slot] = static_cast<std::uint32_t>(size());
  return true;
}

std::int64_t StreamedRun::OpenList::find(std::string_view doc_id) const noexcept {
  return static_cast<std::int64_t>(slots_[slot_of(doc_id, hash_of(doc_id))]) - 1;
}

StreamedRun::StreamedRun(const Judgements& judgements) : judgements_(judgements) {
  const std::size_t n = judgements.pairs().n_queries();
  found_.n_retrieved.assign(n, -1);
  begins_.assign(n, 0);
}

void StreamedRun::add(std::string_view query_id, std::string_view doc_id, double score, std::uint64_t line_number,
                      std::string_view line) {
  if (!is_open_ || query_id != query_id_) {
    if (n_lists_ == 0) first_query_id_ = query_id, first_doc_id_ = doc_id;
    close();
    open(query_id);
  }
  if (!list_.add(doc_id, static_cast<float>(score))) throw_twice(query_id, doc_id, line_number, line);
}

void StreamedRun::open(std::string_view query_id) {
  query_ = judgements_.pairs().find_query(query_id);
  bool is_new = true;
  if (query_ != PairTable::kUnknown) {
    is_new = found_.n_retrieved[static_cast<std::size_t>(query_)] < 0;
  } else {
    const std::size_t before = strangers_.size();
    strangers_.add(query_id);
    is_new = strangers_.size() != before;
  }
  if (!is_new) {
    throw NotGrouped("the lines of query '" + std::string(query_id) +
                     "' do not stand together: read the run as a table");
  }
  query_id_ = query_id;
  is_open_ = true;
  ++n_lists_;
  list_.clear();
}

void StreamedRun::close() {
  if (!is_open_ || query_ == PairTable::kUnknown) return;
  const auto query = static_cast<std::size_t>(query_);
  found_.n_retrieved[query] = static_cast<std::int64_t>(list_.size());
  begins_[query] = found_.pair.size();
  wanted_.clear();
  std::vector<FoundAt> of_query;
  for (const std::int32_t pair : judgements_.of_query(query_)) {
    const std::int64_t at = list_.find(judgements_.pairs().doc_id(pair));
    if (at < 0) continue;
    wanted_.push_back({list_.scores()[static_cast<std::size_t>(at)], list_.id(static_cast<std::size_t>(at))});
    of_query.push_back({0, pair});
  }
  places_.resize(wanted_.size());
  finder_.find(list_.scores(), wanted_, [this](std::size_t i) { return list_.id(i); }, places_.data());
  for (std::size_t i = 0; i < of_query.size(); ++i) of_query[i].place = places_[i];
  append_by_place(of_query, found_);
}

FoundDocuments StreamedRun::finish() {
  close();
  is_open_ = false;
  FoundDocuments in_order;
  in_order.pair.reserve(found_.pair.size());
  in_order.place.reserve(found_.place.size());
  for (std::size_t query = 0; query < begins_.size(); ++query) {
    if (found_.n_retrieved[query] < 0) continue;
    for (std::size_t i = begins_[query]; i < found_.pair.size(); ++i) {
      if (judgements_.pairs().query_of(found_.pair[i]) != static_cast<std::int32_t>(query)) break;
      in_order.pair.push_back(found_.pair[i]);
      in_order.place.push_back(found_.place[i]);
    }
  }
  in_order.n_retrieved = std::move(found_.n_retrieved);
  return in_order;
}

}  // namespace twotower
