// One thread's part of a search: blocks of rows against a tile of queries. Knows no other thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dense/prepared_queries.h"
#include "dense/row_batches.h"
#include "dense/top_k.h"
#include "kernels/kernels.h"

namespace twotower {

/// REQUIRES blocks of rows scanned in ascending order.
class Scan {
 public:
  /// `queries` [Q, D] are those of `prepared`; nothing is copied.
  Scan(const kernels::Kernels& kernels, const DenseView& view, const PreparedQueries& prepared, const float* queries,
       std::size_t k, const std::uint64_t* where, bool panels);

  /// Offers the documents [begin, end) to every query.
  void scan(std::size_t begin, std::size_t end);

  /// What was found for query q, in no particular order.
  std::vector<ScoredDoc> take(std::size_t q) { return best_[q].take(); }

 private:
  void scan_rows(std::size_t begin, std::size_t end);
  void scan_panels(std::size_t begin, std::size_t end);
  void scan_panel(const QueryPanel& panel, const RowBatches& batch, const void* ahead);
  void gather(const RowBatches& batch);
  void offer(std::size_t q, std::uint32_t doc);

  const kernels::Kernels& kernels_;
  const kernels::ScanKernels& scan_;
  const DenseView& view_;
  const PreparedQueries& prepared_;
  const std::uint64_t* where_;
  bool panels_;
  std::vector<TopK> best_;
  std::vector<float> thresholds_;  // fast ones, by query; infinity for the rest of the last panel
  const void* rows_ = nullptr;     // of the current batch, as scan_panel reads them
  std::size_t stride_ = 0;
  std::vector<unsigned char> room_;  // of rows that cannot be read where they lie
};

}  // namespace twotower
