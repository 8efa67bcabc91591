// Copies of the tables, one for each thread, and how they become one again. Knows no word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "word2vec/text_trainer.h"

namespace twotower {

/// S copies of two tables [V, D] and the steps that each took at each row.
class TableCopies {
 public:
  TableCopies(std::size_t n_copies, std::size_t n_rows, std::size_t dim);

  /// Makes all copies equal to `tables` and forgets their steps.
  void begin(const Tables& tables, unsigned threads);

  /// The tables of one copy, for one thread.
  Tables at(std::size_t copy);

  /// Moves `tables`, and with them all copies, by what the copies did since they were last equal (see Word2Vec), and
  /// forgets their steps. Which thread does which rows changes nothing. THROWS Interrupted; called again, it goes on
  /// with the rows that are left.
  void merge(const Tables& tables, double lr, unsigned threads);

 private:
  struct Copy {
    std::vector<float> inputs, outputs;
    std::vector<std::uint32_t> input_steps, output_steps;
  };

  void merge_rows(float* table, std::vector<float> Copy::* values, std::vector<std::uint32_t> Copy::* steps,
                  std::size_t first, std::size_t last, double lr);

  std::size_t n_rows_, dim_;
  std::vector<Copy> copies_;
};

/// What n steps in S copies, summed, are multiplied with; see Word2Vec. 1 for S = 1.
double merge_weight(std::uint64_t n_steps, std::size_t n_copies, double lr);

}  // namespace twotower
