// The steps of one text on one pair of tables. Knows no thread and no epoch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "twotower/word2vec.h"
#include "word2vec/term_chances.h"

namespace twotower {

/// Two tables [V, dim], and for each row how many steps touched it; no counts where `input_steps` is null.
struct Tables {
  float* inputs;
  float* outputs;
  std::uint32_t* input_steps = nullptr;
  std::uint32_t* output_steps = nullptr;
};

/// What all texts of a training share.
struct Draws {
  Subsampling subsampling;
  NegativeTerms negatives;
};

/// Reads texts; keeps its buffers between them.
class TextTrainer {
 public:
  TextTrainer(const Word2VecOptions& options, const Draws& draws);

  /// Steps over one text with learning rate `lr`.
  void read(std::span<const std::int32_t> text, float lr, Chance chance, const Tables& tables);

 private:
  // One word's step as it was drawn: rows of inputs that make h, rows of outputs and which of them to predict.
  struct Step {
    std::vector<std::uint32_t> inputs, outputs;
    std::vector<float> labels;
  };

  bool draw(std::size_t at, Chance& chance, Step& step) const;
  void add_target(std::uint32_t term, Chance& chance, Step& step) const;
  void prefetch(const Step& step, const Tables& tables) const;
  void take(const Step& step, float lr, const Tables& tables);

  const Word2VecOptions& options_;
  const Draws& draws_;
  const kernels::Word2VecKernels& kernels_;
  std::vector<std::uint32_t> words_;  // of the text, those that subsampling kept
  Step now_, next_;
  std::vector<float> h_, error_, steps_;
};

}  // namespace twotower
