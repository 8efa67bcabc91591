#include "lexical/building/stored_block.h"

namespace twotower::build {
namespace {

template <class T>
std::uint64_t move_to(TemporaryFile& file, std::vector<T>& values) {
  const std::uint64_t offset = file.append(values.data(), values.size() * sizeof(T));
  std::vector<T>().swap(values);
  return offset;
}

}  // namespace

void StoredBlock::spill(TemporaryFile& file) {
  for (std::size_t i = 0; i < n_terms_; i += kIndexEvery) every_.push_back(block_.terms[i]);
  terms_at_ = move_to(file, block_.terms);
  starts_at_ = move_to(file, block_.starts);
  docs_at_ = move_to(file, block_.docs);
  tfs_at_ = move_to(file, block_.tfs);
  file_ = &file;
}

BlockCursor::BlockCursor(const StoredBlock& block)
    : block_(&block),
      terms_(block.spilled() ? nullptr : block.block_.terms.data(), block.file_, block.terms_at_, block.n_terms_),
      starts_(block.spilled() ? nullptr : block.block_.starts.data(), block.file_, block.starts_at_,
              block.n_terms_ + 1),
      docs_(block.spilled() ? nullptr : block.block_.docs.data(), block.file_, block.docs_at_, block.n_postings_),
      tfs_(block.spilled() ? nullptr : block.block_.tfs.data(), block.file_, block.tfs_at_, block.n_postings_) {
  go_to(0);
}

void BlockCursor::seek(std::uint32_t term) {
  std::size_t first = 0;
  std::size_t n = block_->n_terms_;
  if (block_->spilled()) {
    const auto& every = block_->every_;
    const auto above = std::upper_bound(every.begin(), every.end(), term);
    const auto before = static_cast<std::size_t>(above - every.begin());
    first = before == 0 ? 0 : (before - 1) * kIndexEvery;
    n = std::min(n - first, kIndexEvery);
  }
  if (n == 0) return;
  const std::uint32_t* const terms = terms_.at(first, n);
  go_to(first + static_cast<std::size_t>(std::lower_bound(terms, terms + n, term) - terms));
}

std::uint32_t BlockCursor::big_tf(std::size_t posting) const noexcept {
  const auto& big = block_->block_.big_tfs;
  return std::ranges::lower_bound(big, static_cast<std::uint32_t>(posting), {}, &BigTf::posting)->tf;
}

}  // namespace twotower::build
