// LexicalBuilder: documents are collected, inverted in blocks beside the caller, spilled when memory is short, merged.
#include <algorithm>
#include <deque>
#include <future>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "lexical/building/budget.h"
#include "lexical/building/merge.h"
#include "lexical/codec/bit_packing.h"
#include "twotower/error.h"
#include "twotower/interrupt.h"
#include "twotower/lexical_build.h"
#include "twotower/postings_codec.h"
#include "util/parallel_for.h"

namespace twotower {

using build::Block;
using build::BlockCursor;
using build::Documents;
using build::StoredBlock;
using build::TemporaryFile;

namespace {

using Sizes = std::vector<std::pair<std::string, std::uint64_t>>;

constexpr std::uint64_t kMaxCount = std::numeric_limits<std::uint32_t>::max();

std::vector<std::int64_t> offsets_of(std::span<const std::uint32_t> dfs) {
  std::vector<std::int64_t> offsets(dfs.size() + 1, 0);
  for (std::size_t t = 0; t < dfs.size(); ++t) offsets[t + 1] = offsets[t] + dfs[t];
  return offsets;
}

Segment bytes_segment(const char* name, const std::vector<std::uint8_t>& bytes) {
  return {name, DType::kUint8, {bytes.size()}, bytes.data()};
}

}  // namespace

class LexicalBuilder::State {
 public:
  explicit State(BuildOptions options)
      : options_(std::move(options)),
        workers_(resolve_threads(options_.threads)),
        budget_(options_.memory_limit, workers_) {}

  void add(const TermLists& documents) {
    if (documents.n_terms() < dfs_.size()) throw InvalidInput("the vocabulary of a build cannot become smaller");
    if (lengths_.size() + documents.size() > kMaxCount) {
      throw InvalidInput("an index holds at most 2^32 - 1 documents: build several");
    }
    dfs_.resize(documents.n_terms(), 0);
    const std::size_t n_docs = lengths_.size() + documents.size();
    if (n_docs > lengths_.capacity()) lengths_.reserve(std::max(n_docs, 2 * lengths_.capacity()));
    check_limit(n_docs);
    for (std::size_t d = 0; d < documents.size(); ++d) add_document(documents[d]);
    check_interrupt();
  }

  void reserve(std::size_t bytes) noexcept { reserved_ = bytes; }

  BuildCounts finish() {
    invert_pending();
    while (!inverting_.empty()) collect();
    return counts();
  }

  BuildCounts counts() const noexcept {
    const std::size_t spilled = spill_ ? static_cast<std::size_t>(spill_->size()) : 0;
    return {lengths_.size(), dfs_.size(), n_postings_, spilled};
  }

  void fill(std::span<std::int64_t> term_offsets, std::span<DocId> docs, std::span<std::uint32_t> tfs,
            std::span<std::uint32_t> doc_lengths) {
    std::ranges::copy(offsets_of(dfs_), term_offsets.begin());
    std::ranges::copy(lengths_, doc_lengths.begin());
    build::fill_lists(blocks_, term_offsets, docs, tfs, merge_threads());
  }

  Sizes save(const std::filesystem::path& folder, std::string_view kind, std::string_view meta,
             std::span<const Segment> others) {
    const std::vector<std::int64_t> term_offsets = offsets_of(dfs_);
    std::vector<std::uint64_t> group_ends;
    std::vector<std::uint8_t> bytes;
    std::optional<TemporaryFile> file;  // under a limit the packed lists wait there
    if (budget_.limited()) file.emplace(options_.spill_folder);
    std::uint64_t size = 0;
    const auto append = [&](std::span<const std::uint8_t> part) {
      if (file) {
        file->append(part.data(), part.size());
      } else {
        bytes.insert(bytes.end(), part.begin(), part.end());
      }
      size += part.size();
    };
    build::pack_lists(
        blocks_, term_offsets,
        [&](std::span<const std::uint8_t> group) {
          append(group);
          group_ends.push_back(size);
        },
        merge_threads());
    append(std::vector<std::uint8_t>(codec::kPadding, 0));
    const std::vector<std::uint8_t> dfs = pack_integers(dfs_);
    const std::vector<std::uint8_t> lengths = pack_integers(lengths_);
    std::vector<Segment> segments{
        {"postings", DType::kUint8, {size}, bytes.data(), file ? file->descriptor() : -1},
        {"group_ends", DType::kUint64, {group_ends.size()}, group_ends.data()},
        bytes_segment("dfs", dfs),
        bytes_segment("doc_lengths", lengths),
    };
    Sizes sizes;
    for (const Segment& own : segments) sizes.emplace_back(own.name, own.shape[0] * item_bytes(own.dtype));
    segments.insert(segments.end(), others.begin(), others.end());
    write_container(folder, kind, meta, segments);
    return sizes;
  }

 private:
  // Bytes of what grows with documents and terms and cannot be spilled; each thread has a table of terms.
  std::size_t table_bytes() const noexcept {
    return reserved_ + lengths_.capacity() * 4 + dfs_.capacity() * 4 + dfs_.size() * 8 * workers_;
  }

  // n_docs: with those that are about to be added, for which there is room already.
  void check_limit(std::size_t n_docs) const {
    if (!budget_.limited() || options_.memory_limit >= budget_.least(table_bytes())) return;
    throw InvalidInput("memory_limit is " + std::to_string(options_.memory_limit) + " bytes, too few after " +
                       std::to_string(n_docs) + " documents (distinct terms: " + std::to_string(dfs_.size()) +
                       "): the least that works for these is " + std::to_string(budget_.least(table_bytes())) +
                       "; more documents need more");
  }

  void add_document(std::span<const TermId> terms) {
    if (terms.size() > kMaxCount) {
      throw InvalidInput("document " + std::to_string(lengths_.size()) + " has more than 2^32 - 1 terms");
    }
    if (pending_.lengths.empty()) pending_.first_doc = static_cast<DocId>(lengths_.size());
    pending_.ids.insert(pending_.ids.end(), terms.begin(), terms.end());
    pending_.lengths.push_back(static_cast<std::uint32_t>(terms.size()));
    lengths_.push_back(static_cast<std::uint32_t>(terms.size()));
    if (pending_.lengths.size() == build::kBlockDocs || pending_.ids.size() >= block_ids()) invert_pending();
  }

  std::size_t block_ids() const noexcept { return budget_.block_ids(table_bytes()); }

  // One worker is the caller: with the others it shares blocks, in their order.
  void invert_pending() {
    if (pending_.lengths.empty()) return;
    const auto invert = [documents = std::exchange(pending_, {}), n_terms = dfs_.size()] {
      return build::invert(documents, n_terms);
    };
    if (workers_ == 1) {
      keep(invert());
      return;
    }
    while (inverting_.size() >= workers_ - 1) collect();
    inverting_.push_back(std::async(std::launch::async, std::move(invert)));
  }

  void collect() {
    Block block = inverting_.front().get();
    inverting_.pop_front();
    keep(std::move(block));
  }

  void keep(Block&& block) {
    for (std::size_t i = 0; i < block.terms.size(); ++i) {
      dfs_[block.terms[i]] += block.starts[i + 1] - block.starts[i];
    }
    n_postings_ += block.docs.size();
    blocks_.emplace_back(std::move(block));
    waiting_bytes_ += blocks_.back().memory_bytes();
    if (waiting_bytes_ > budget_.waiting_bytes(table_bytes())) spill();
  }

  void spill() {
    if (!spill_) spill_.emplace(options_.spill_folder);
    for (; n_spilled_ < blocks_.size(); ++n_spilled_) blocks_[n_spilled_].spill(*spill_);
    waiting_bytes_ = 0;
  }

  // Every thread has a cursor in every block: under a limit, only as many threads as an eighth of it has room for.
  unsigned merge_threads() const noexcept {
    if (!budget_.limited()) return static_cast<unsigned>(workers_);
    const std::size_t each = std::max<std::size_t>(1, blocks_.size()) * build::kCursorBytes;
    return static_cast<unsigned>(std::clamp<std::size_t>(options_.memory_limit / 8 / each, 1, workers_));
  }

  BuildOptions options_;
  std::size_t workers_;
  build::Budget budget_;
  Documents pending_;
  std::optional<TemporaryFile> spill_;
  std::vector<StoredBlock> blocks_;
  std::size_t n_spilled_ = 0;  // blocks, from the first
  std::size_t waiting_bytes_ = 0;
  std::vector<std::uint32_t> dfs_;
  std::vector<std::uint32_t> lengths_;
  std::size_t n_postings_ = 0;
  std::size_t reserved_ = 0;
  std::deque<std::future<Block>> inverting_;  // last member: its threads end before what they read goes
};

LexicalBuilder::LexicalBuilder(BuildOptions options) : state_(std::make_unique<State>(std::move(options))) {}
LexicalBuilder::~LexicalBuilder() = default;
void LexicalBuilder::add(const TermLists& documents) { state_->add(documents); }
void LexicalBuilder::reserve(std::size_t bytes) noexcept { state_->reserve(bytes); }
BuildCounts LexicalBuilder::finish() { return state_->finish(); }
BuildCounts LexicalBuilder::counts() const noexcept { return state_->counts(); }

void LexicalBuilder::fill(std::span<std::int64_t> term_offsets, std::span<DocId> docs, std::span<std::uint32_t> tfs,
                          std::span<std::uint32_t> doc_lengths) {
  state_->fill(term_offsets, docs, tfs, doc_lengths);
}

std::vector<std::pair<std::string, std::uint64_t>> LexicalBuilder::save(const std::filesystem::path& folder,
                                                                        std::string_view kind, std::string_view meta,
                                                                        std::span<const Segment> others) {
  return state_->save(folder, kind, meta, others);
}

}  // namespace twotower
