#include "text/ordered_ids.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace twotower {
namespace {

// Two threads that write into one new page of 2 MiB would both clear such a page, and one of them in vain. So one
// thread brings the next stretch while all still write into the last.
constexpr std::size_t kStretch = std::size_t{1} << 19;  // ids of one large page

}  // namespace

void OrderedIds::bring(std::size_t number, IdBuffer& ids) {
  std::size_t begin, end;
  bool prepares = false;
  std::size_t prepare_from = 0;
  {
    const std::lock_guard lock(mutex_);
    ready_[number].ids = std::move(ids);
    ready_[number].here = true;
    ids = {};
    begin = next_;
    std::size_t n_ids = ids_.size();
    for (; next_ < ready_.size() && ready_[next_].here; ++next_) {
      ready_[next_].place = n_ids;
      n_ids += ready_[next_].ids.size();
    }
    end = next_;
    if (!ids_.has_room(n_ids - ids_.size())) {
      const std::unique_lock alone(moving_);
      ids_.room(n_ids - ids_.size());
    }
    ids_.set_size(n_ids);
    if (n_ids + kStretch > prepared_) {
      prepares = true;
      prepare_from = std::max(prepared_, n_ids);
      prepared_ = prepare_from + 2 * kStretch;
    }
    if (begin == end && !spare_.empty()) {
      ids = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  if (begin == end && !prepares) return;
  {
    const std::shared_lock together(moving_);
    if (prepares) ids_.prepare(prepare_from, prepare_from + 2 * kStretch);
    for (std::size_t i = begin; i < end; ++i) {
      const IdBuffer& from = ready_[i].ids;
      if (from.size() > 0) std::memcpy(ids_.data() + ready_[i].place, from.data(), from.size() * sizeof(std::int32_t));
    }
  }
  if (begin == end) return;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = begin; i < end; ++i) {
    ready_[i].ids.set_size(0);
    spare_.push_back(std::move(ready_[i].ids));
  }
  ids = std::move(spare_.back());
  spare_.pop_back();
}

}  // namespace twotower
