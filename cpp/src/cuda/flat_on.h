// FlatSearcher over one kind of machine: what is resident, what is streamed, tiles of queries, copies in and out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "cuda/buffer.h"
#include "cuda/top_k_plan.h"
#include "cuda/top_k_search.h"
#include "cuda/window_store.h"
#include "twotower/cuda_search.h"
#include "twotower/error.h"

namespace twotower::cuda {

/// `Machines::on(stream)` makes a Machine, which lives as long as what it allocates.
template <class Machines>
class FlatOn final : public FlatSearcher {
 public:
  using Machine = typename Machines::Machine;

  FlatOn(const Machines& machines, const StoredVectors& vectors, Metric metric, bool on_device,
         const SearchLimits& limits)
      : machines_(machines), machine_(machines.on(0)), limits_(limits) {
    all_.data = vectors.data;
    all_.scales = vectors.scales;
    all_.n_docs = vectors.n_docs;
    all_.dim = static_cast<std::uint32_t>(vectors.dim);
    all_.storage = vectors.storage;
    all_.metric = metric;
    const std::uint64_t most = most_docs();
    if (limits.window_docs == 0 && most >= all_.n_docs) {
      store_ = std::make_unique<WindowStore<Machine>>(machine_, all_, all_.n_docs);
      store_->load(machine_, 0, static_cast<std::uint32_t>(all_.n_docs));
      odd_row_ = store_->odd_row(machine_);
    } else if (on_device) {
      throw BackendUnavailable("the device has no room for an index of " + std::to_string(all_.n_docs) +
                               " vectors of its own: free memory, or build the index from host memory");
    }
    work_bytes_ = std::min(kMostWork, memory(machine_) / 4);  // asking takes longer than a search of one query
  }

  std::int64_t odd_row() const override { return odd_row_ == kNoDoc ? -1 : static_cast<std::int64_t>(odd_row_); }
  bool resident() const noexcept override { return store_ != nullptr; }

  std::shared_ptr<void> allocate(std::size_t bytes, std::uintptr_t stream) const override {
    return machines_.allocate(bytes, stream);
  }
  void check_array(const void* pointer) const override { machines_.check_array(pointer); }

  void search(const QueryArray& queries, std::size_t k, const std::uint64_t* where, std::uintptr_t stream,
              const ResultArrays& results) const override {
    if (queries.n == 0 || k == 0) return;
    const Machine machine = machines_.on(stream);
    const std::size_t words = (all_.n_docs + 63) / 64;
    Buffer<std::uint64_t, Machine> allowed;
    if (where != nullptr) {
      allowed = Buffer<std::uint64_t, Machine>(machine, words);
      machine.copy(allowed.get(), where, words * sizeof(std::uint64_t));
    }
    const auto best = static_cast<std::uint32_t>(std::min<std::uint64_t>(k, all_.n_docs));
    const std::uint32_t capacity = capacity_for(all_.n_docs, best, limits_.capacity);
    const std::size_t at_once = queries_at_once(best, capacity, k);
    for (std::size_t q = 0; q < queries.n; q += at_once) {
      const Part part{q, static_cast<std::uint32_t>(std::min(at_once, queries.n - q))};
      search_part(machine, queries, part, k, best, capacity, allowed.get(), results);
    }
    machine.wait();
  }

 private:
  struct Part {
    std::size_t first;
    std::uint32_t n;
  };
  static constexpr std::size_t kMostWork = std::size_t{4} << 30;  // bytes for the queries of a tile

  std::size_t memory(const Machine& machine) const {
    return limits_.memory_bytes != 0 ? limits_.memory_bytes : machine.free_bytes();
  }

  // What fits beside the work of a search.
  std::uint64_t most_docs() const {
    const std::size_t usable = memory(machine_) / 10 * 8;
    return usable / all_.bytes_of_doc();
  }

  // Documents of a window that is streamed: two of them take half of what is free.
  std::uint64_t window_docs(const Machine& machine) const {
    const std::uint64_t fits = memory(machine) / 4 / all_.bytes_of_doc();
    const std::uint64_t wanted = limits_.window_docs != 0 ? limits_.window_docs : fits;
    if (wanted == 0) throw BackendUnavailable("the device has no room for a single document: free memory");
    return std::min(wanted, all_.n_docs);
  }

  std::size_t queries_at_once(std::uint32_t best, std::uint32_t capacity, std::size_t k) const {
    const std::size_t each = TopKSearch<Machine>::bytes_of_query(best, capacity, all_.pitch(), all_.dim) + 12 * k;
    if (work_bytes_ < each) {
      throw BackendUnavailable("one query with k = " + std::to_string(k) + " needs " + std::to_string(each) +
                               " bytes on the device, a quarter of what was free when the index was made is " +
                               std::to_string(work_bytes_) + ": free memory, or ask for a smaller k");
    }
    return std::min<std::size_t>(kMaxTileQueries, work_bytes_ / each);
  }

  Window layout() const {
    Window window;
    window.pitch = all_.pitch();
    window.dim = all_.dim;
    window.storage = all_.storage;
    window.metric = all_.metric;
    return window;
  }

  void search_part(const Machine& machine, const QueryArray& queries, Part part, std::size_t k, std::uint32_t best,
                   std::uint32_t capacity, const std::uint64_t* where, const ResultArrays& results) const {
    const std::size_t row_bytes = all_.dim * element_bytes(queries.storage);
    const char* given = static_cast<const char*>(queries.data) + part.first * row_bytes;
    Buffer<char, Machine> copied;
    if (!queries.on_device) {
      copied = Buffer<char, Machine>(machine, part.n * row_bytes);
      machine.copy(copied.get(), given, part.n * row_bytes);
      given = copied.get();
    }
    TopKSearch<Machine> search(machine, layout(), given, queries.storage, part.n, best, capacity, where);
    if (store_ != nullptr) {
      search.start(store_->window());
      write(machine, search, part, k, results);  // the answer, unless a range lost documents
    }
    const bool wrong = store_ != nullptr ? search.complete() : search_windows(machine, search);
    if (const std::uint32_t odd = search.odd_query(); odd != kNoDoc) {
      throw InvalidInput("queries[" + std::to_string(part.first + odd) +
                         "] has a value that is not finite: remove NaN and infinity");
    }
    if (wrong) write(machine, search, part, k, results);
  }

  // While a window is searched, the next one is on its way. Nothing is written yet: returns true.
  bool search_windows(const Machine& machine, TopKSearch<Machine>& search) const {
    const std::uint64_t most = window_docs(machine);
    const Machine copier = machines_.copier();
    std::unique_ptr<WindowStore<Machine>> stores[2];
    const auto load = [&](std::uint64_t turn) {
      const std::uint64_t first = turn * most;
      if (first >= all_.n_docs) return;
      auto& store = stores[turn % 2];
      if (store == nullptr) store = std::make_unique<WindowStore<Machine>>(copier, all_, most);
      store->load(copier, first, static_cast<std::uint32_t>(std::min(most, all_.n_docs - first)));
    };
    load(0);
    for (std::uint64_t turn = 0; turn * most < all_.n_docs; ++turn) {
      machine.follow(copier);
      search.start(stores[turn % 2]->window());
      load(turn + 1);
      search.complete();
    }
    return true;
  }

  void write(const Machine& machine, TopKSearch<Machine>& search, Part part, std::size_t k,
             const ResultArrays& results) const {
    const std::size_t first = part.first * k, n = part.n * k;
    const auto width = static_cast<std::uint32_t>(k);
    if (results.on_device) return search.write(width, results.scores + first, results.docs + first);
    Buffer<float, Machine> scores(machine, n);
    Buffer<std::int64_t, Machine> docs(machine, n);
    search.write(width, scores.get(), docs.get());
    machine.copy(results.scores + first, scores.get(), n * sizeof(float));
    machine.copy(results.docs + first, docs.get(), n * sizeof(std::int64_t));
    machine.wait();
  }

  Machines machines_;
  Machine machine_;
  SearchLimits limits_;
  Rows all_;
  std::unique_ptr<WindowStore<Machine>> store_;
  std::uint32_t odd_row_ = kNoDoc;
  std::size_t work_bytes_ = 0;
};

}  // namespace twotower::cuda
