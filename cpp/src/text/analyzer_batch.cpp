#include "text/analyzer_batch.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "twotower/interrupt.h"
#include "util/parallel_for.h"

namespace twotower {
namespace {

constexpr std::size_t kChunkUnits = std::size_t{1} << 16;  // text between two looks at the clock; its ids stay in L2
constexpr std::size_t kPrimeUnits = std::size_t{1} << 20;  // the same for a stemmer that wants many words at once
constexpr std::size_t kBytesPerId = 8;                     // of common text; a guess to begin with
constexpr std::size_t kWorthLinks = std::size_t{1} << 14;  // units of a batch

}  // namespace

struct AnalyzerBatch::Lane {
  Lane(const TermRules& rules, const Stemming& stemming) : reader(rules, stemming) {}

  TermReader reader;
  Source newest;  // kept from chunk to chunk: to ask the vocabulary is to wait for who is settling
  Part part;
  IdBuffer* ids = &part.ids;  // or all ids, if there is one lane
  std::string utf8;
};

AnalyzerBatch::AnalyzerBatch(const TermRules& rules, const Stemming& stemming, CacheSource current_cache,
                             const AnalyzeRequest& request)
    : rules_(rules),
      stemming_(stemming),
      current_cache_(std::move(current_cache)),
      request_(request),
      vocabulary_size_(request.vocabulary.size()) {}

void AnalyzerBatch::cut_chunks() {
  const std::size_t most = stemming_.batch ? kPrimeUnits : kChunkUnits;
  std::size_t units = most;
  for (std::size_t i = 0; i < request_.texts.size(); ++i) {
    if (units >= most) {
      chunks_.push_back({i, i});
      units = 0;
    }
    chunks_.back().end = i + 1;
    units += request_.texts[i].size;
    n_units_ += request_.texts[i].size;
  }
}

AnalyzedBatch AnalyzerBatch::run() {
  const std::size_t n_texts = request_.texts.size();
  cut_chunks();
  out_.offsets.resize(n_texts + 1);
  // Asking the system for the number of cores costs more than a short query.
  const std::size_t n_lanes =
      chunks_.size() <= 1 ? 1 : std::min<std::size_t>(resolve_threads(request_.threads), chunks_.size());
  const std::size_t guess = n_units_ / kBytesPerId;
  if (n_lanes <= 1) {
    out_.ids.room(guess);
    read_chunks(true);
  } else {
    OrderedIds ordered(chunks_.size(), guess);
    ordered_ = &ordered;
    parts_.resize(chunks_.size());
    parallel_for(n_lanes, request_.threads, [this](std::size_t) { read_chunks(false); });
    out_.ids = ordered.take();
  }
  out_.ids.shrink();
  for (std::size_t i = 0; i < n_texts; ++i) out_.offsets[i + 1] += out_.offsets[i];
  return std::move(out_);
}

// One lane. Where it fails, the others find no chunk any more.
void AnalyzerBatch::read_chunks(bool alone) {
  Lane lane(rules_, stemming_);
  if (alone) lane.ids = &out_.ids;
  try {
    for (std::size_t number; (number = next_chunk_.fetch_add(1)) < chunks_.size();) {
      read_chunk(lane, chunks_[number]);
      if (alone) {
        fill_gaps(lane.part);
      } else {
        bring(number, lane);
      }
      check_interrupt();
    }
  } catch (...) {
    next_chunk_.store(chunks_.size());
    throw;
  }
}

void AnalyzerBatch::read_chunk(Lane& lane, const Chunk& chunk) {
  lane.part.sources.clear();
  refresh(lane);
  if (stemming_.batch) prime(lane, chunk);
  for (std::size_t i = chunk.begin; i < chunk.end; ++i) {
    const std::size_t before = lane.ids->size();
    read_text(lane, i);
    out_.offsets[i + 1] = static_cast<std::int64_t>(lane.ids->size() - before);
  }
}

void AnalyzerBatch::read_text(Lane& lane, std::size_t number) {
  lane.reader.start(utf8_of(request_.texts[number], lane.utf8, "text", request_.first_text_number + number));
  std::size_t begin = lane.ids->size();
  for (bool first = true; lane.reader.append(*lane.ids); first = false) {
    translate(lane, begin);
    begin = lane.ids->size();
    if (first) continue;
    if (!stemming_.batch) refresh(lane);
    check_interrupt();
  }
}

void AnalyzerBatch::prime(Lane& lane, const Chunk& chunk) {
  for (std::size_t i = chunk.begin; i < chunk.end; ++i) {
    lane.reader.prime(utf8_of(request_.texts[i], lane.utf8, "text", request_.first_text_number + i));
  }
  lane.reader.settle_primed();
}

// Takes up the words that other threads have cached, or another cache where the last one is full.
void AnalyzerBatch::refresh(Lane& lane) {
  std::shared_ptr<TermCache> cache = current_cache_();
  lane.reader.use(cache);
  if (lane.newest.cache != cache) {
    auto links = request_.vocabulary.links_to(cache->serial(), n_units_ >= kWorthLinks);
    lane.newest = {std::move(cache), std::move(links), {}};
  }
  auto& sources = lane.part.sources;
  if (sources.empty() || sources.back().cache != lane.newest.cache) sources.push_back(lane.newest);
}

// Numbers from `begin` on become ids. Where the vocabulary may grow, what is missing waits for its turn.
void AnalyzerBatch::translate(Lane& lane, std::size_t begin) {
  Part& part = lane.part;
  std::int32_t* const ids = lane.ids->data();
  const auto source = static_cast<std::uint32_t>(part.sources.size() - 1);
  Source& from = part.sources.back();
  if (from.links != nullptr && from.view.size < from.cache->n_terms()) {
    from.view = from.links->view(from.cache->n_terms());
    lane.newest.view = from.view;
  }
  const TermLinks::View links = from.view;
  const std::int32_t absent =
      request_.grow ? std::numeric_limits<std::int32_t>::min() : TermLinks::absent_mark(vocabulary_size_);
  for (std::size_t i = begin; i < lane.ids->size(); ++i) {
    const std::int32_t link = links.get(ids[i]);
    if (link > 0) [[likely]] {
      ids[i] = link - 1;
    } else if (link == absent) {
      ids[i] = Vocabulary::kUnknown;
    } else {
      part.gaps.push_back({i, ids[i], source});
    }
  }
}

// Another core may have made the terms: their memory is asked for ahead.
void AnalyzerBatch::fill_gaps(Part& part) {
  constexpr std::size_t kAhead = 16;
  if (part.gaps.empty()) return;
  std::int32_t* const ids = ordered_ == nullptr ? out_.ids.data() : part.ids.data();
  std::vector<std::string_view> terms;
  std::vector<std::int32_t> found;
  terms.reserve(part.gaps.size());
  for (std::size_t i = 0; i < part.gaps.size(); ++i) {
    if (i + kAhead < part.gaps.size()) {
      const Gap& later = part.gaps[i + kAhead];
      part.sources[later.source].cache->prefetch(later.number);
    }
    const Gap& gap = part.gaps[i];
    terms.push_back(part.sources[gap.source].cache->term(gap.number));
    __builtin_prefetch(terms.back().data());
  }
  request_.vocabulary.append_ids(terms, request_.grow, found);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Gap& gap = part.gaps[i];
    ids[gap.place] = found[i];
    const TermLinks::View& links = part.sources[gap.source].view;
    if (found[i] >= 0) {
      TermLinks::set_id(links, gap.number, found[i]);
    } else {
      TermLinks::set_absent(links, gap.number, TermLinks::absent_mark(vocabulary_size_));
    }
  }
  part.gaps.clear();
}

// Hands a chunk over. Whoever has the first one that is missing settles it and those behind it that are ready.
void AnalyzerBatch::bring(std::size_t number, Lane& lane) {
  std::unique_lock lock(mutex_);
  parts_[number] = std::move(lane.part);
  parts_[number].here = true;
  lane.part = {};
  if (settling_) return;
  settling_ = true;
  while (next_part_ < parts_.size() && parts_[next_part_].here) {
    const std::size_t first = next_part_++;
    lock.unlock();
    fill_gaps(parts_[first]);
    ordered_->bring(first, parts_[first].ids);
    if (lane.part.ids.size() == 0) lane.part.ids = std::move(parts_[first].ids);
    lock.lock();
  }
  settling_ = false;
}

}  // namespace twotower
