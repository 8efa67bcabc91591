// Texts in their order, over epochs and threads; checks of what was asked.
#include "twotower/word2vec.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "twotower/error.h"
#include "twotower/interrupt.h"
#include "util/parallel_for.h"
#include "word2vec/table_copies.h"
#include "word2vec/text_trainer.h"

namespace twotower {
namespace {

// Words that a thread reads between two merges, for each term: a merge, which reads and writes every
// row of all copies, then costs a tenth of the steps or less.
constexpr std::size_t kRoundWordsPerTerm = 4;
constexpr std::size_t kLeastRoundWords = 1 << 14;

void check(const Word2VecOptions& options) {
  const auto refuse = [](const std::string& what) { throw InvalidInput(what); };
  if (options.dim == 0 || options.window == 0 || options.negative == 0 || options.epochs == 0) {
    refuse("dim, window, negative and epochs must be at least 1");
  }
  if (options.threads == 0) refuse("threads must be at least 1: the result hangs on their number");
  if (!(options.lr > 0) || !std::isfinite(options.lr)) refuse("lr must be a finite number above 0");
  if (!(options.min_lr >= 0) || options.min_lr > options.lr) refuse("min_lr must be from 0 to lr");
  if (!(options.subsample >= 0) || !std::isfinite(options.subsample)) refuse("subsample must be finite, 0 or more");
  if (!std::isfinite(options.negative_power)) refuse("negative_power must be finite");
}

std::vector<std::uint64_t> counts_of(std::span<const std::int32_t> ids, std::span<const std::int64_t> offsets,
                                     std::size_t n_terms) {
  const bool cut = !offsets.empty() && offsets.front() == 0 && std::is_sorted(offsets.begin(), offsets.end()) &&
                   offsets.back() == static_cast<std::int64_t>(ids.size());
  if (!cut) throw InvalidInput("offsets must begin with 0, never fall and end with the number of ids");
  if (n_terms > std::numeric_limits<std::int32_t>::max()) throw InvalidInput("there are more than 2^31 - 1 terms");
  std::vector<std::uint64_t> counts(n_terms);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || static_cast<std::size_t>(ids[i]) >= n_terms) {
      throw InvalidInput("id " + std::to_string(ids[i]) + " at place " + std::to_string(i) +
                         " is not from 0 to below " + std::to_string(n_terms) + ": leave unknown words out");
    }
    ++counts[static_cast<std::size_t>(ids[i])];
  }
  if (std::count_if(counts.begin(), counts.end(), [](std::uint64_t count) { return count > 0; }) < 2) {
    throw InvalidInput(
        "the texts have fewer than two different words that the vocabulary knows: nothing to tell apart");
  }
  return counts;
}

Draws draws_of(std::span<const std::uint64_t> counts, const Word2VecOptions& options) {
  return {Subsampling(counts, options.subsample), NegativeTerms(counts, options.negative_power)};
}

}  // namespace

struct Word2Vec::State {
  std::span<const std::int32_t> ids;
  std::span<const std::int64_t> offsets;
  std::size_t n_terms;
  Word2VecOptions options;
  Tables tables;
  Draws draws;
  std::vector<TextTrainer> trainers;
  std::optional<TableCopies> copies;
  bool copies_are_equal = false;  // to the tables; not so before the first round and after an interruption
  std::uint64_t epoch = 0;
  std::size_t text = 0;     // the next one
  std::size_t read_to = 0;  // the end of a round that is read but not merged yet; 0: there is none

  std::size_t n_texts() const { return offsets.size() - 1; }
  std::uint64_t words_before(std::size_t t) const {
    return epoch * ids.size() + static_cast<std::uint64_t>(offsets[t]);
  }

  double rate(std::size_t t) const {
    const double total = static_cast<double>(options.epochs) * static_cast<double>(ids.size());
    return options.lr - (options.lr - options.min_lr) * static_cast<double>(words_before(t)) / total;
  }

  // The text after those that hold `n_words` words from `first` on, at least one.
  std::size_t end_of(std::size_t first, std::uint64_t n_words) const {
    const auto wanted = static_cast<std::uint64_t>(offsets[first]) + std::min<std::uint64_t>(n_words, ids.size());
    const auto place = std::lower_bound(offsets.begin() + static_cast<std::ptrdiff_t>(first) + 1, offsets.end() - 1,
                                        static_cast<std::int64_t>(wanted));
    return static_cast<std::size_t>(place - offsets.begin());
  }

  void read(TextTrainer& trainer, std::size_t t, const Tables& where) const {
    const auto first = static_cast<std::size_t>(offsets[t]), last = static_cast<std::size_t>(offsets[t + 1]);
    trainer.read(ids.subspan(first, last - first), static_cast<float>(rate(t)), Chance(options.seed, epoch, t), where);
  }

  void read_in_turn(std::size_t end) {
    for (; text < end; ++text) {
      check_interrupt();
      read(trainers[0], text, tables);
    }
  }

  // One round: the texts up to `end`, and what the copies did with them becomes one.
  void round(std::size_t end) {
    if (read_to == 0) read_at_once(end);
    read_to = end;  // if the merge is interrupted, the next call goes on with it and does not read the round again
    copies->merge(tables, rate(text), options.threads);
    copies_are_equal = true;
    text = std::exchange(read_to, 0);
  }

  // The texts up to `end`, cut into parts of like many words, each into a copy.
  void read_at_once(std::size_t end) {
    const std::size_t n = trainers.size();
    if (!copies) copies.emplace(n, n_terms, options.dim);
    if (!copies_are_equal) copies->begin(tables, options.threads);
    copies_are_equal = false;
    const std::int64_t words = offsets[end] - offsets[text];
    std::vector<std::size_t> bounds{text};
    for (std::size_t s = 1; s < n; ++s) {
      const std::int64_t wanted = offsets[text] + words * static_cast<std::int64_t>(s) / static_cast<std::int64_t>(n);
      const auto place = std::lower_bound(offsets.begin() + static_cast<std::ptrdiff_t>(bounds.back()),
                                          offsets.begin() + static_cast<std::ptrdiff_t>(end), wanted);
      bounds.push_back(static_cast<std::size_t>(place - offsets.begin()));
    }
    bounds.push_back(end);
    parallel_for(n, options.threads, [&](std::size_t s) {
      const Tables mine = copies->at(s);
      for (std::size_t t = bounds[s]; t < bounds[s + 1]; ++t) {
        check_interrupt();
        read(trainers[s], t, mine);
      }
    });
  }
};

Word2Vec::Word2Vec(std::span<const std::int32_t> ids, std::span<const std::int64_t> offsets, std::size_t n_terms,
                   const Word2VecOptions& options, float* inputs, float* outputs) {
  check(options);
  const std::vector<std::uint64_t> counts = counts_of(ids, offsets, n_terms);
  state_.reset(new State{ids, offsets, n_terms, options, {inputs, outputs}, draws_of(counts, options), {}, {}});
  state_->trainers.reserve(options.threads);
  for (unsigned s = 0; s < options.threads; ++s) state_->trainers.emplace_back(state_->options, state_->draws);
}

Word2Vec::~Word2Vec() = default;

std::uint64_t Word2Vec::run(std::uint64_t n_words) {
  State& state = *state_;
  const std::uint64_t round = state.options.threads * std::max(kLeastRoundWords, kRoundWordsPerTerm * state.n_terms);
  if (state.epoch == state.options.epochs) return state.words_before(0);
  const std::size_t end = state.end_of(state.text, n_words);
  if (state.options.threads == 1) {
    state.read_in_turn(end);
  } else {
    do state.round(state.end_of(state.text, round));
    while (state.text < end);
  }
  if (state.text == state.n_texts()) {
    state.text = 0;
    ++state.epoch;
  }
  return state.words_before(state.text);
}

}  // namespace twotower
