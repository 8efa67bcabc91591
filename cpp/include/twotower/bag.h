// Weighted means of the rows of an embedding table (bags), their gradient, and Adam on the rows that a batch contains.
//
// Legend: V rows of a table, D dimensions, B bags, T terms in all bags, U distinct rows of a batch.
// Every result is the same for every instruction set and every number of threads. Stateless and thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace twotower {

/// Bags of row numbers, one after the other. Borrows its arrays.
struct BagView {
  const std::int64_t* ids;      // [T]
  std::size_t n_terms;          // T
  const std::int64_t* offsets;  // [B + 1]: bag b has ids offsets[b] up to offsets[b + 1]
  std::size_t n_bags;           // B
  const float* weights;         // [T], at least 0; nullptr: every term weighs 1
};

/// Checks what the calls below require of bags over a table of `n_rows`. Cost T + B.
/// THROWS InvalidInput if offsets do not rise from 0 to T, an id names no row, or a weight is negative or not finite.
void check_bags(const BagView& bags, std::size_t n_rows);

/// means[b] = (sum of weight * row over the terms of bag b) / (sum of their weights); 0 where that sum is 0, so for an
/// empty bag. The sum of rows is float32, in the order of the terms. Cost T D. REQUIRES check_bags.
void bag_means(const float* table, std::size_t dim, const BagView& bags, unsigned threads, float* means);

/// The same for a table of bfloat16; sums and means are float32.
void bag_means(const std::uint16_t* table, std::size_t dim, const BagView& bags, unsigned threads, float* means);

/// What bag_means hands back: gradient[v] [V, D] = sum over the terms t of row v, in their order, of
/// weight[t] / (sum of weights of t's bag) * outer[bag of t]; 0 for a row that no bag contains. Cost T D + V.
/// REQUIRES check_bags for V = n_rows and less than 2^31 bags.
void bag_gradient(const float* outer, std::size_t dim, const BagView& bags, std::size_t n_rows, unsigned threads,
                  float* gradient);

/// Writes for each id its place among the distinct ids, and returns these ascending [U]. Cost T + V.
/// THROWS InvalidInput if an id is not in [0, n_rows).
std::vector<std::int64_t> distinct_rows(const std::int64_t* ids, std::size_t n_terms, std::size_t n_rows,
                                        std::int64_t* places);

/// Numbers of Adam that are the same in every step.
struct AdamOptions {
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;  // decoupled
  bool bias_correction;
};

/// A table and its two moments, all [V, D], changed in place.
struct AdamTable {
  float* weights;
  float* first;
  float* second;
  std::size_t n_rows;
  std::size_t dim;
};

/// One step of each of `n` rows with its own count of steps: counts[rows[i]] rises by 1 and corrects the bias.
/// REQUIRES distinct rows in [0, V). Cost n D.
void adam_rows(const AdamTable& table, std::int64_t* counts, const std::int64_t* rows, std::size_t n,
               const float* gradient, double rate, const AdamOptions& options, unsigned threads);

/// A step of the whole table by rows: what dense Adam does, though a row is only touched when it is needed.
///
/// current[v] is the step up to which row v has been brought, met[v] the last step with a gradient (0: never).
/// After `kIdleSteps` steps without one the first moment is taken as 0: by then beta1^192 = 2e-9 of it is left.
struct AdamClock {
  std::int64_t* current;  // [V]
  std::int64_t* met;      // [V]
  const double* rates;    // learning rate of steps 1, 2, ...
  std::int64_t n_steps;   // steps known to `rates`
};
inline constexpr std::int64_t kIdleSteps = 192;

/// Takes the steps that `n` rows (all V where rows is nullptr) have missed, up to step `until`, with gradients of 0.
/// REQUIRES until <= clock.n_steps, no weight decay. Cost: n D times the steps missed.
void adam_catch_up(const AdamTable& table, const AdamClock& clock, std::int64_t until, const std::int64_t* rows,
                   std::size_t n, const AdamOptions& options, unsigned threads);

/// Takes step `step` of `n` distinct rows with their gradient [n, D]. REQUIRES them to be at step - 1.
void adam_take(const AdamTable& table, const AdamClock& clock, std::int64_t step, const std::int64_t* rows,
               std::size_t n, const float* gradient, const AdamOptions& options, unsigned threads);

}  // namespace twotower
