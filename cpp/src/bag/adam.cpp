// Adam on rows of a table: by each row's own count of steps, or as if every step had touched the whole table.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/dispatch.h"
#include "twotower/bag.h"
#include "util/parallel_for.h"

namespace twotower {
namespace {

constexpr std::size_t kRowsAtOnce = 128;

// The numbers of step `count` (from 1), worked out in double.
kernels::AdamStep step_numbers(std::int64_t count, double rate, const AdamOptions& options) {
  const auto t = static_cast<double>(count);
  const double first = options.bias_correction ? 1.0 - std::pow(options.beta1, t) : 1.0;
  const double second = options.bias_correction ? 1.0 - std::pow(options.beta2, t) : 1.0;
  return {static_cast<float>(options.beta1),   static_cast<float>(1.0 - options.beta1),
          static_cast<float>(options.beta2),   static_cast<float>(1.0 - options.beta2),
          static_cast<float>(rate / first),    static_cast<float>(1.0 / second),
          static_cast<float>(options.epsilon), static_cast<float>(1.0 - rate * options.weight_decay)};
}

// Calls row(i) for each i of n, in blocks over threads.
template <class Row>
void over_rows(std::size_t n, unsigned threads, Row row) {
  parallel_for((n + kRowsAtOnce - 1) / kRowsAtOnce, threads, [&](std::size_t block) {
    const std::size_t end = std::min(n, (block + 1) * kRowsAtOnce);
    for (std::size_t i = block * kRowsAtOnce; i < end; ++i) row(i);
  });
}

}  // namespace

void adam_rows(const AdamTable& table, std::int64_t* counts, const std::int64_t* rows, std::size_t n,
               const float* gradient, double rate, const AdamOptions& options, unsigned threads) {
  std::int64_t most = 0;
  for (std::size_t i = 0; i < n; ++i) most = std::max(most, ++counts[rows[i]]);
  std::vector<kernels::AdamStep> steps(static_cast<std::size_t>(most) + 1);
  std::vector<char> known(steps.size());
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t count = counts[rows[i]];
    if (known[static_cast<std::size_t>(count)]++ == 0) {
      steps[static_cast<std::size_t>(count)] = step_numbers(count, rate, options);
    }
    known[static_cast<std::size_t>(count)] = 1;
  }
  const auto take = kernels::active().bag.adam_step;
  over_rows(n, threads, [&](std::size_t i) {
    const std::size_t at = static_cast<std::size_t>(rows[i]) * table.dim;
    take(table.weights + at, table.first + at, table.second + at, gradient + i * table.dim, table.dim,
         steps[static_cast<std::size_t>(counts[rows[i]])]);
  });
}

void adam_catch_up(const AdamTable& table, const AdamClock& clock, std::int64_t until, const std::int64_t* rows,
                   std::size_t n, const AdamOptions& options, unsigned threads) {
  std::int64_t oldest = until;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t v = rows == nullptr ? static_cast<std::int64_t>(i) : rows[i];
    if (clock.met[v] != 0) oldest = std::min(oldest, clock.current[v]);
  }
  std::vector<kernels::AdamStep> steps;  // numbers of steps oldest + 1, ..., until
  for (std::int64_t t = oldest + 1; t <= until; ++t) steps.push_back(step_numbers(t, clock.rates[t - 1], options));
  const auto idle = kernels::active().bag.adam_idle;
  over_rows(n, threads, [&](std::size_t i) {
    const std::int64_t v = rows == nullptr ? static_cast<std::int64_t>(i) : rows[i];
    const std::int64_t from = clock.current[v];
    clock.current[v] = until;
    if (clock.met[v] == 0 || from >= until) return;
    const std::size_t at = static_cast<std::size_t>(v) * table.dim;
    float *const first = table.first + at, *const second = table.second + at;
    const std::int64_t moving = std::clamp(clock.met[v] + kIdleSteps, from, until);  // the last step that moves it
    idle(table.weights + at, first, second, table.dim, steps.data() + (from - oldest),
         static_cast<std::size_t>(moving - from));
    if (moving == until && until < clock.met[v] + kIdleSteps) return;
    std::fill_n(first, table.dim, 0.0f);
    for (std::int64_t t = moving; t < until; ++t) {  // one by one: the bits do not hang on how often it is called
      for (std::size_t d = 0; d < table.dim; ++d) second[d] *= static_cast<float>(options.beta2);
    }
  });
}

void adam_take(const AdamTable& table, const AdamClock& clock, std::int64_t step, const std::int64_t* rows,
               std::size_t n, const float* gradient, const AdamOptions& options, unsigned threads) {
  const kernels::AdamStep numbers = step_numbers(step, clock.rates[step - 1], options);
  const auto take = kernels::active().bag.adam_step;
  over_rows(n, threads, [&](std::size_t i) {
    const std::size_t at = static_cast<std::size_t>(rows[i]) * table.dim;
    take(table.weights + at, table.first + at, table.second + at, gradient + i * table.dim, table.dim, numbers);
    clock.current[rows[i]] = clock.met[rows[i]] = step;
  });
}

}  // namespace twotower
