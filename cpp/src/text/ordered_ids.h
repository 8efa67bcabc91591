// Puts the tokens of chunks that several threads read one behind the other, in the order of the chunks.
#pragma once

#include <cstddef>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "twotower/token_batch.h"

namespace twotower {

/// Thread-safe. Whoever brings the chunk that all others wait for copies it and those behind it that are ready, while
/// it is still in that core's cache; a thread never waits for another's chunk.
class OrderedIds {
 public:
  OrderedIds(std::size_t n_chunks, std::size_t guess) : ready_(n_chunks) { ids_.room(guess); }

  /// Takes the tokens of chunk `number`, and gives an empty buffer back in `ids`. REQUIRES each number once.
  void bring(std::size_t number, IdBuffer& ids);

  /// All tokens. REQUIRES that every chunk was brought and no thread works any more.
  IdBuffer take() { return std::move(ids_); }

 private:
  struct Ready {
    IdBuffer ids;
    bool here = false;
    std::size_t place = 0;
  };

  std::mutex mutex_;          // guards everything but the content of ids_
  std::shared_mutex moving_;  // held alone while ids_ moves in memory, together by those who write into it
  IdBuffer ids_;
  std::vector<Ready> ready_;  // by chunk
  std::size_t next_ = 0;      // the first chunk that has no place yet
  std::size_t prepared_ = 0;  // memory up to this id is there, or is being brought
  std::vector<IdBuffer> spare_;
};

}  // namespace twotower
