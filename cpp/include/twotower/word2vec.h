// Word vectors by skip-gram and CBOW with negative sampling.
//
// Source: Mikolov, Chen, Corrado, Dean 2013 (arXiv 1301.3781), section 3; Mikolov, Sutskever, Chen, Corrado, Dean 2013
// (arXiv 1310.4546), sections 2.2 and 2.3. Knows term ids and two tables of floats, no text.
//
// Legend: V terms, D dimensions, N texts, T words (term ids) of all texts, S threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace twotower {

/// What is asked of a training. See the members of Word2Vec for what each does.
struct Word2VecOptions {
  bool cbow = false;             ///< predict a word from the mean of its neighbours, not each neighbour from the word
  std::size_t dim = 100;         ///< D
  std::uint32_t window = 5;      ///< at most so many neighbours on each side; drawn anew for each word from 1 up
  std::uint32_t negative = 5;    ///< drawn words for each neighbour
  std::uint32_t epochs = 5;      ///< times that each text is read
  double lr = 0.025;             ///< at the first word
  double min_lr = 0.0001;        ///< at the last; between them a line by the words read
  double subsample = 1e-3;       ///< t of the subsampling of frequent words; 0: keep all
  double negative_power = 0.75;  ///< negatives are drawn by count^power
  std::uint64_t seed = 0;        ///< of all draws
  unsigned threads = 1;          ///< S; see Word2Vec
};

/// A training, run a part at a time.
///
/// One step is one word of a text: with h its row of `inputs` (CBOW: the mean of its neighbours' rows), it goes down
/// the gradient of -sum log s(h . o) - sum log s(-h . n) over the rows o of `outputs` that are to be predicted and the
/// rows n of the drawn negatives, all at one point (but for a row that comes twice). s is the logistic function. A
/// negative equal to the word to be predicted is left out.
///
/// Draws are functions of (seed, epoch, text), so that threads share nothing. With one thread, texts follow each other
/// and the result is the same on every instruction set, bit for bit. With S threads, each has copies of both tables and
/// reads its part of a round of texts; after the round every row moves by the sum of what the threads did to it, times
/// (1 - e^-an) / (S (1 - e^-an/S)) for n steps at that row, a = lr / 4: between 1, the sum, for rare rows, and 1 / S,
/// the mean, for rows that went in every copy as far as they could. So the result hangs on S, but neither on chance nor
/// on the clock, and no two threads write one number.
///
/// Cost of an epoch: about T (window + 1) (negative + 1) D (CBOW: without window + 1) multiply-adds each for scores,
/// step and error; memory S > 1: 2 S V D floats.
///
/// Not thread-safe. Memory of ids, offsets and tables must stay.
class Word2Vec {
 public:
  /// `ids` of all texts one behind the other, text n at offsets[n] .. offsets[n + 1]; `inputs` and `outputs` are
  /// [n_terms, dim], updated in place. THROWS InvalidInput if an id is not in [0, n_terms), the offsets do not cut the
  /// ids, there are fewer than two different words, a size is 0, or a rate is out of range. O(T + V).
  Word2Vec(std::span<const std::int32_t> ids, std::span<const std::int64_t> offsets, std::size_t n_terms,
           const Word2VecOptions& options, float* inputs, float* outputs);
  ~Word2Vec();
  Word2Vec(const Word2Vec&) = delete;
  Word2Vec& operator=(const Word2Vec&) = delete;

  /// Goes on for about `n_words` words (at least one text, and a whole round with several threads; never over the end
  /// of an epoch); returns the words read since the start, epochs * T at the end. Parts of any size give one result
  /// with one thread. THROWS Interrupted; the training can then go on from the last text (S > 1: round) that was ended.
  std::uint64_t run(std::uint64_t n_words);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace twotower
