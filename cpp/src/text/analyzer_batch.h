// One call of Analyzer::term_ids: texts over threads, numbers of the cache to ids of a vocabulary, in order.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "text/ordered_ids.h"
#include "text/term_links.h"
#include "text/term_reader.h"

namespace twotower {

/// Use it once. The threads that read are "lanes": each takes the next chunk of texts until there is none. A lane turns
/// the numbers of its chunk into ids as far as they are known; the rest is settled chunk by chunk, in the order of the
/// texts, by whichever lane has the chunk that all others wait for. So ids never depend on the number of threads.
class AnalyzerBatch {
 public:
  using CacheSource = std::function<std::shared_ptr<TermCache>()>;

  AnalyzerBatch(const TermRules& rules, const Stemming& stemming, CacheSource current_cache,
                const AnalyzeRequest& request);

  AnalyzedBatch run();

 private:
  struct Chunk {
    std::size_t begin, end;  // texts
  };
  /// A cache, and what of it the vocabulary is known to have; `links` may be absent in a small batch.
  struct Source {
    std::shared_ptr<TermCache> cache;
    std::shared_ptr<TermLinks> links;
    TermLinks::View view;
  };
  /// An id that is not known yet.
  struct Gap {
    std::size_t place;
    std::int32_t number;
    std::uint32_t source;  // in Part::sources
  };
  /// The ids of a chunk, and what is missing in them.
  struct Part {
    IdBuffer ids;
    std::vector<Gap> gaps;
    std::vector<Source> sources;
    bool here = false;
  };
  struct Lane;

  void cut_chunks();
  void read_chunks(bool alone);
  void read_chunk(Lane& lane, const Chunk& chunk);
  void read_text(Lane& lane, std::size_t number);
  void prime(Lane& lane, const Chunk& chunk);
  void refresh(Lane& lane);
  void translate(Lane& lane, std::size_t begin);
  void fill_gaps(Part& part);
  void bring(std::size_t number, Lane& lane);

  const TermRules& rules_;
  const Stemming& stemming_;
  const CacheSource current_cache_;
  const AnalyzeRequest& request_;
  const std::size_t vocabulary_size_;  // before the call
  std::vector<Chunk> chunks_;
  std::size_t n_units_ = 0;  // of all texts: about their bytes
  std::atomic<std::size_t> next_chunk_{0};
  AnalyzedBatch out_;

  OrderedIds* ordered_ = nullptr;
  std::mutex mutex_;           // guards what follows
  std::vector<Part> parts_;    // by chunk
  std::size_t next_part_ = 0;  // the first one that is not settled
  bool settling_ = false;      // a lane is settling parts
};

}  // namespace twotower
