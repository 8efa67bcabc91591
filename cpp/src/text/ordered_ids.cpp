#include "text/ordered_ids.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace twotower {
namespace {

// Two threads that write into one new page of 2 MiB would both clear such a page, and one of them in vain. So one
// thread brings the next stretch while all still write into the last.
constexpr std::size_t kStretch = std::size_t{1} << 19;  // ids of one large page

// Copies past the caches: what is written is not read again soon, and the table of words stays where it is.
void copy_ids(std::int32_t* to, const std::int32_t* from, std::size_t n) noexcept {
#if defined(__x86_64__)
  constexpr std::size_t kVector = 4, kLine = 16;  // ids
  const std::size_t head = std::min(n, (kLine - reinterpret_cast<std::uintptr_t>(to) / sizeof *to % kLine) % kLine);
  std::memcpy(to, from, head * sizeof *to);
  std::size_t i = head;
  for (; i + kLine <= n; i += kLine) {
    for (std::size_t k = i; k < i + kLine; k += kVector) {
      _mm_stream_si128(reinterpret_cast<__m128i*>(to + k), _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + k)));
    }
  }
  _mm_sfence();
  to += i;
  from += i;
  n -= i;
#endif
  if (n > 0) std::memcpy(to, from, n * sizeof *to);
}

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
      if (from.size() > 0) copy_ids(ids_.data() + ready_[i].place, from.data(), from.size());
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
