#include "word2vec/text_trainer.h"

#include <algorithm>
#include <utility>

#include "kernels/dispatch.h"
#include "word2vec/sigmoid.h"

namespace twotower {
namespace {

constexpr std::size_t kLineFloats = 16;  // of a cache line

void prefetch_row(const float* row, std::size_t dim) {
  for (std::size_t d = 0; d < dim; d += kLineFloats) __builtin_prefetch(row + d, 1);
}

}  // namespace

TextTrainer::TextTrainer(const Word2VecOptions& options, const Draws& draws)
    : options_(options), draws_(draws), kernels_(kernels::active().word2vec), h_(options.dim), error_(options.dim) {}

void TextTrainer::read(std::span<const std::int32_t> text, float lr, Chance chance, const Tables& tables) {
  words_.clear();
  for (const std::int32_t term : text) {
    if (draws_.subsampling.keeps(term, chance)) words_.push_back(static_cast<std::uint32_t>(term));
  }
  // Draws do not hang on the tables, so the rows of the next step can be fetched while this one computes.
  bool more = !words_.empty() && draw(0, chance, now_);
  for (std::size_t at = 0; more; ++at) {
    more = at + 1 < words_.size() && draw(at + 1, chance, next_);
    if (more) prefetch(next_, tables);
    take(now_, lr, tables);
    std::swap(now_, next_);
  }
}

// False if the word has no neighbour: then it is alone in its text, and nothing is to be learned there.
bool TextTrainer::draw(std::size_t at, Chance& chance, Step& step) const {
  step.inputs.clear();
  step.outputs.clear();
  step.labels.clear();
  if (words_.size() < 2) return false;
  const std::size_t reach = 1 + Chance::below(chance.next(), options_.window);
  const std::size_t first = at - std::min(at, reach), last = std::min(words_.size() - 1, at + reach);
  for (std::size_t i = first; i <= last; ++i) {
    if (i == at) continue;
    if (options_.cbow) {
      step.inputs.push_back(words_[i]);
    } else {
      add_target(words_[i], chance, step);
    }
  }
  if (options_.cbow) {
    add_target(words_[at], chance, step);
  } else {
    step.inputs.push_back(words_[at]);
  }
  return true;
}

void TextTrainer::add_target(std::uint32_t term, Chance& chance, Step& step) const {
  step.outputs.push_back(term);
  step.labels.push_back(1.0f);
  for (std::uint32_t k = 0; k < options_.negative; ++k) {
    const std::uint32_t drawn = draws_.negatives.draw(chance);
    if (drawn == term) continue;
    step.outputs.push_back(drawn);
    step.labels.push_back(0.0f);
  }
}

void TextTrainer::prefetch(const Step& step, const Tables& tables) const {
  const std::size_t dim = options_.dim;
  for (const std::uint32_t row : step.inputs) prefetch_row(tables.inputs + row * dim, dim);
  for (const std::uint32_t row : step.outputs) prefetch_row(tables.outputs + row * dim, dim);
}

void TextTrainer::take(const Step& step, float lr, const Tables& tables) {
  const std::size_t dim = options_.dim, n_outputs = step.outputs.size();
  const float share = 1.0f / static_cast<float>(step.inputs.size());
  std::fill(h_.begin(), h_.end(), 0.0f);
  for (const std::uint32_t row : step.inputs) {
    const float* input = tables.inputs + row * dim;
    for (std::size_t d = 0; d < dim; ++d) h_[d] += input[d];
  }
  for (std::size_t d = 0; d < dim; ++d) h_[d] *= share;
  steps_.resize(n_outputs);
  kernels_.row_scores(h_.data(), tables.outputs, step.outputs.data(), n_outputs, dim, steps_.data());
  for (std::size_t r = 0; r < n_outputs; ++r) steps_[r] = lr * (step.labels[r] - sigmoid(steps_[r]));
  std::fill(error_.begin(), error_.end(), 0.0f);
  kernels_.step_rows(h_.data(), tables.outputs, step.outputs.data(), steps_.data(), n_outputs, dim, error_.data());
  for (const std::uint32_t row : step.inputs) {
    float* input = tables.inputs + row * dim;
    for (std::size_t d = 0; d < dim; ++d) input[d] += share * error_[d];
  }
  if (tables.input_steps == nullptr) return;
  for (const std::uint32_t row : step.inputs) ++tables.input_steps[row];
  for (const std::uint32_t row : step.outputs) ++tables.output_steps[row];
}

}  // namespace twotower
