#include "word2vec/table_copies.h"

#include <algorithm>
#include <cmath>

#include "util/parallel_for.h"

namespace twotower {
namespace {
constexpr std::size_t kRowsAtOnce = 1024;
}

double merge_weight(std::uint64_t n_steps, std::size_t n_copies, double lr) {
  const auto s = static_cast<double>(n_copies);
  const double fall = lr / 4 * static_cast<double>(n_steps);  // a n: the curvature of log s is at most 1 / 4
  return fall == 0 ? 1.0 : std::expm1(-fall) / (s * std::expm1(-fall / s));
}

TableCopies::TableCopies(std::size_t n_copies, std::size_t n_rows, std::size_t dim)
    : n_rows_(n_rows), dim_(dim), copies_(n_copies) {
  for (Copy& copy : copies_) {
    copy.inputs.resize(n_rows * dim);
    copy.outputs.resize(n_rows * dim);
    copy.input_steps.resize(n_rows);
    copy.output_steps.resize(n_rows);
  }
}

void TableCopies::begin(const Tables& tables, unsigned threads) {
  parallel_for(copies_.size(), threads, [&](std::size_t i) {
    Copy& copy = copies_[i];
    std::copy_n(tables.inputs, n_rows_ * dim_, copy.inputs.data());
    std::copy_n(tables.outputs, n_rows_ * dim_, copy.outputs.data());
    std::fill(copy.input_steps.begin(), copy.input_steps.end(), 0);
    std::fill(copy.output_steps.begin(), copy.output_steps.end(), 0);
  });
}

Tables TableCopies::at(std::size_t copy) {
  Copy& c = copies_[copy];
  return {c.inputs.data(), c.outputs.data(), c.input_steps.data(), c.output_steps.data()};
}

void TableCopies::merge(const Tables& tables, double lr, unsigned threads) {
  parallel_for((n_rows_ + kRowsAtOnce - 1) / kRowsAtOnce, threads, [&](std::size_t block) {
    const std::size_t first = block * kRowsAtOnce, last = std::min(n_rows_, first + kRowsAtOnce);
    merge_rows(tables.inputs, &Copy::inputs, &Copy::input_steps, first, last, lr);
    merge_rows(tables.outputs, &Copy::outputs, &Copy::output_steps, first, last, lr);
  });
}

void TableCopies::merge_rows(float* table, std::vector<float> Copy::* values, std::vector<std::uint32_t> Copy::* steps,
                             std::size_t first, std::size_t last, double lr) {
  std::vector<float> moved(dim_);
  for (std::size_t row = first; row < last; ++row) {
    std::uint64_t n_steps = 0;
    for (const Copy& copy : copies_) n_steps += (copy.*steps)[row];
    if (n_steps == 0) continue;
    const auto weight = static_cast<float>(merge_weight(n_steps, copies_.size(), lr));
    float* to = table + row * dim_;
    std::fill(moved.begin(), moved.end(), 0.0f);
    for (const Copy& copy : copies_) {
      const float* from = (copy.*values).data() + row * dim_;
      for (std::size_t d = 0; d < dim_; ++d) moved[d] += from[d] - to[d];
    }
    for (std::size_t d = 0; d < dim_; ++d) to[d] += weight * moved[d];
    for (Copy& copy : copies_) std::copy_n(to, dim_, (copy.*values).data() + row * dim_);
    for (Copy& copy : copies_) (copy.*steps)[row] = 0;
  }
}

}  // namespace twotower
