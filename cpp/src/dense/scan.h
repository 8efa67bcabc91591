// One thread's part of a search: blocks of rows against a tile of queries. Knows no other thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dense/coded_batch.h"
#include "dense/prepared_queries.h"
#include "dense/row_batches.h"
#include "dense/shared_floor.h"
#include "dense/top_k.h"
#include "kernels/kernels.h"

namespace twotower {

/// REQUIRES blocks of rows scanned in ascending order.
class Scan {
 public:
  /// `queries` [Q, D] are those of `prepared` and, unless it is nullptr, of `coded`, which multiplies coded rows;
  /// nothing is copied. `floors` are shared with the other threads, of which this is number `worker`.
  Scan(const kernels::Kernels& kernels, const DenseView& view, const PreparedQueries& prepared,
       const PreparedQueries* coded, const float* queries, std::size_t k, const std::uint64_t* where,
       SharedFloors& floors, unsigned worker);

  /// Offers the documents [begin, end) to every query.
  void scan(std::size_t begin, std::size_t end);

  /// What was found for query q, in no particular order.
  std::vector<ScoredDoc> take(std::size_t q) {
    best_[q].raise(floors_.get(q));
    return best_[q].take();
  }

 private:
  void scan_rows(std::size_t begin, std::size_t end);
  void scan_panels(std::size_t begin, std::size_t end);
  void scan_panel(const QueryPanel& panel, const RowBatches& batch, const void* ahead);
  void lay_out(const RowBatches& batch);
  void gather(const RowBatches& batch);
  void offer(std::size_t q, const RowBatches& batch, std::size_t r);
  void learn_floor(std::size_t q);
  void retreat_if_wasteful(std::size_t n_rows);

  const kernels::Kernels& kernels_;
  const kernels::ScanKernels& scan_;
  const DenseView& view_;
  const PreparedQueries& prepared_;
  const PreparedQueries* multiplied_;  // what panels multiply: the coded queries, or `prepared_`
  const std::uint64_t* where_;
  SharedFloors& floors_;
  const unsigned worker_;
  std::vector<TopK> best_;
  std::vector<float> thresholds_;  // of the products that are multiplied, by query; infinity beyond the last
  std::optional<CodedBatch> coded_;
  const void* rows_ = nullptr;  // of the current batch, as scan_panel reads them
  std::size_t stride_ = 0;
  kernels::RowLimits limits_{};
  std::vector<unsigned char> room_;  // of rows that cannot be read where they lie
  std::uint64_t n_coded_rows_ = 0;   // since codes were judged last
  std::uint64_t n_wasted_ = 0;       // hits among them that a product of the stored row decided
  std::uint64_t n_kept_ = 0;         // the other hits
};

}  // namespace twotower
