// Word vectors: draws against their chances, parts and threads against one go, refusals. The steps themselves are
// compared with a program in Python (tests/python/pretraining/test_word_vectors.py).
#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "twotower/error.h"
#include "twotower/interrupt.h"
#include "twotower/word2vec.h"
#include "word2vec/sigmoid.h"
#include "word2vec/table_copies.h"
#include "word2vec/term_chances.h"

using namespace twotower;

namespace {

// Texts over two halves of a vocabulary that never meet.
struct Texts {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> offsets{0};
};

constexpr std::int32_t kHalf = 20;

Texts two_topics(std::size_t n_texts, unsigned seed) {
  std::mt19937 generator(seed);
  Texts texts;
  for (std::size_t n = 0; n < n_texts; ++n) {
    const std::int32_t topic = static_cast<std::int32_t>(n % 2) * kHalf;
    for (std::size_t i = generator() % 12; i > 0; --i) {
      texts.ids.push_back(topic + static_cast<std::int32_t>(generator() % kHalf));
    }
    texts.offsets.push_back(static_cast<std::int64_t>(texts.ids.size()));
  }
  return texts;
}

struct Trained {
  std::vector<float> inputs, outputs;
  bool operator==(const Trained&) const = default;
};

Trained first_tables(std::size_t dim) {
  std::mt19937 generator(9);
  std::uniform_real_distribution<float> uniform(-0.5f, 0.5f);
  Trained tables{std::vector<float>(2 * kHalf * dim), std::vector<float>(2 * kHalf * dim)};
  for (float& value : tables.inputs) value = uniform(generator) / static_cast<float>(dim);
  return tables;
}

Trained train(const Texts& texts, const Word2VecOptions& options, std::uint64_t words_at_once) {
  Trained tables = first_tables(options.dim);
  Word2Vec training(texts.ids, texts.offsets, 2 * kHalf, options, tables.inputs.data(), tables.outputs.data());
  const std::uint64_t total = options.epochs * texts.ids.size();
  std::uint64_t done = 0;
  while (done < total) {
    const std::uint64_t now = training.run(words_at_once);
    REQUIRE(now > done);
    done = now;
  }
  CHECK(training.run(words_at_once) == total);
  return tables;
}

double cosine(const Trained& tables, std::size_t dim, std::size_t a, std::size_t b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t d = 0; d < dim; ++d) {
    const double x = tables.inputs[a * dim + d], y = tables.inputs[b * dim + d];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / std::sqrt(aa * bb);
}

// Mean cosine of words of one topic less that of words of two.
double topics_apart(const Trained& tables, std::size_t dim) {
  double within = 0, across = 0;
  for (std::size_t a = 0; a < kHalf; ++a) {
    within += cosine(tables, dim, a, (a + 1) % kHalf);
    across += cosine(tables, dim, a, kHalf + a);
  }
  return (within - across) / kHalf;
}

Word2VecOptions small_options(bool cbow, unsigned threads) {
  Word2VecOptions options;
  options.cbow = cbow;
  options.dim = 12;
  options.window = 3;
  options.epochs = 4;
  options.lr = 0.1;
  options.subsample = 0.0;
  options.threads = threads;
  return options;
}

}  // namespace

TEST_CASE("negatives come by count^power; a term that no text has never comes") {
  const std::vector<std::uint64_t> counts{100, 0, 10, 1, 1000, 0};
  const NegativeTerms negatives(counts, 0.75);
  std::vector<double> drawn(counts.size());
  Chance chance(1, 2, 3);
  constexpr int kDraws = 400000;
  for (int i = 0; i < kDraws; ++i) ++drawn[negatives.draw(chance)];
  double total = 0;
  for (const auto count : counts) total += count == 0 ? 0 : std::pow(static_cast<double>(count), 0.75);
  for (std::size_t t = 0; t < counts.size(); ++t) {
    const double p = counts[t] == 0 ? 0 : std::pow(static_cast<double>(counts[t]), 0.75) / total;
    CHECK(std::fabs(drawn[t] / kDraws - p) <= 5 * std::sqrt(p * (1 - p) / kDraws));
  }
}

TEST_CASE("subsampling keeps a word with chance sqrt(t / f) + t / f") {
  const std::vector<std::uint64_t> counts{9000, 990, 10};
  const Subsampling subsampling(counts, 0.01);
  Chance chance(1, 2, 3);
  constexpr int kDraws = 100000;
  for (std::int32_t t = 0; t < 3; ++t) {
    const double rare = 0.01 * 10000 / static_cast<double>(counts[static_cast<std::size_t>(t)]);
    const double p = std::min(1.0, std::sqrt(rare) + rare);
    int kept = 0;
    for (int i = 0; i < kDraws; ++i) kept += subsampling.keeps(t, chance);
    CHECK(std::fabs(static_cast<double>(kept) / kDraws - p) <= 5 * std::sqrt(p * (1 - p) / kDraws));
  }
}

TEST_CASE("the logistic function is that of the library within float32") {
  for (double x = -29.9; x < 29.9; x += 0.0137) {
    const double expected = 1 / (1 + std::exp(-x));
    CHECK(std::fabs(static_cast<double>(sigmoid(static_cast<float>(x))) - expected) <= 1e-6 * expected + 1e-12);
  }
  CHECK(sigmoid(1e30f) == 1.0f);
  CHECK(sigmoid(-1e30f) < 1e-12f);
}

TEST_CASE("parts of any size give the same bits, and topics that never meet come apart") {
  const Texts texts = two_topics(600, 5);
  for (const bool cbow : {false, true}) {
    const Word2VecOptions options = small_options(cbow, 1);
    const Trained whole = train(texts, options, std::numeric_limits<std::uint64_t>::max());
    CHECK(train(texts, options, 1) == whole);
    CHECK(train(texts, options, 77) == whole);
    CHECK(topics_apart(first_tables(12), 12) < 0.3);
    CHECK(topics_apart(whole, 12) > 0.6);
    Word2VecOptions other = options;
    other.seed = 1;
    CHECK_FALSE(train(texts, other, 77) == whole);
  }
}

TEST_CASE("with several threads: the same bits each time, and as far as one thread comes") {
  const Texts texts = two_topics(9000, 6);
  for (const bool cbow : {false, true}) {
    for (const unsigned threads : {2u, 3u}) {
      const Word2VecOptions options = small_options(cbow, threads);
      const Trained once = train(texts, options, 1000);
      CHECK(train(texts, options, 1000) == once);
      CHECK(topics_apart(once, 12) > 0.8 * topics_apart(train(texts, small_options(cbow, 1), 1000), 12));
    }
  }
}

TEST_CASE("the weight of a merge: the sum for few steps, the mean for many") {
  CHECK(merge_weight(0, 4, 0.025) == doctest::Approx(1.0));
  CHECK(merge_weight(1, 4, 0.025) == doctest::Approx(1.0).epsilon(0.01));
  CHECK(merge_weight(1000000, 4, 0.025) == doctest::Approx(0.25));
  CHECK(merge_weight(100, 1, 0.025) == doctest::Approx(1.0));
  // Copies that each go a share 1 - e^(-a n / S) of the way, and one that goes n steps.
  const double a = 0.025 / 4, n = 300, s = 3;
  CHECK(s * (1 - std::exp(-a * n / s)) * merge_weight(300, 3, 0.025) == doctest::Approx(1 - std::exp(-a * n)));
}

TEST_CASE("a merge moves every row by the weighted sum of its moves, and makes the copies equal") {
  constexpr std::size_t kRows = 3, kDim = 2;
  std::vector<float> inputs(kRows * kDim, 1.0f), outputs(kRows * kDim, 2.0f);
  const Tables tables{inputs.data(), outputs.data()};
  TableCopies copies(2, kRows, kDim);
  copies.begin(tables, 1);
  copies.at(0).inputs[0] += 0.5f;
  copies.at(0).input_steps[0] = 1;
  copies.at(1).inputs[0] += 0.25f;
  copies.at(1).input_steps[0] = 1;
  copies.at(1).outputs[5] -= 1.0f;
  copies.at(1).output_steps[2] = 1;
  copies.merge(tables, 0.025, 2);
  CHECK(inputs[0] == doctest::Approx(1.75).epsilon(0.01));
  CHECK(inputs[1] == 1.0f);
  CHECK(outputs[5] == doctest::Approx(1.0).epsilon(0.01));
  for (std::size_t c = 0; c < 2; ++c) {
    CHECK(copies.at(c).inputs[0] == inputs[0]);
    CHECK(copies.at(c).outputs[5] == outputs[5]);
    CHECK(copies.at(c).input_steps[0] == 0);
    CHECK(copies.at(c).output_steps[2] == 0);
  }
  const std::vector<float> merged = inputs;
  copies.merge(tables, 0.025, 2);  // as after an interruption: rows that are merged stay
  CHECK(inputs == merged);
}

TEST_CASE("an interruption leaves a training that goes on to the same bits") {
  static std::atomic<int> polls = 0;
  const Texts texts = two_topics(20000, 7);
  for (const unsigned threads : {1u, 2u}) {
    Word2VecOptions options = small_options(false, threads);
    options.epochs = 8;  // long enough for two polls
    Trained tables = first_tables(options.dim);
    Word2Vec training(texts.ids, texts.offsets, 2 * kHalf, options, tables.inputs.data(), tables.outputs.data());
    training.run(1);  // with threads: a whole round, so that the next one goes on from copies that are equal
    polls = 0;
    set_interrupt_poll([] { return ++polls > 1; });  // the first poll may come before any step
    CHECK_THROWS_AS(for (std::uint32_t i = 0; i < options.epochs; ++i) training.run(1u << 30), Interrupted);
    set_interrupt_poll(nullptr);
    std::uint64_t done = 0;
    while (done < options.epochs * texts.ids.size()) done = training.run(1u << 30);
    CHECK(tables == train(texts, options, 1u << 30));
  }
}

TEST_CASE("what makes no sense is refused") {
  const Texts texts = two_topics(50, 8);
  const auto refused = [&](auto change) {
    Word2VecOptions options = small_options(false, 1);
    Texts given = texts;
    change(options, given);
    Trained tables = first_tables(12);
    CHECK_THROWS_AS(Word2Vec(given.ids, given.offsets, 2 * kHalf, options, tables.inputs.data(), tables.outputs.data()),
                    InvalidInput);
  };
  refused([](auto& o, auto&) { o.dim = 0; });
  refused([](auto& o, auto&) { o.window = 0; });
  refused([](auto& o, auto&) { o.negative = 0; });
  refused([](auto& o, auto&) { o.epochs = 0; });
  refused([](auto& o, auto&) { o.threads = 0; });
  refused([](auto& o, auto&) { o.lr = 0; });
  refused([](auto& o, auto&) { o.lr = std::numeric_limits<double>::quiet_NaN(); });
  refused([](auto& o, auto&) { o.min_lr = 1; });
  refused([](auto& o, auto&) { o.subsample = -1; });
  refused([](auto& o, auto&) { o.subsample = std::numeric_limits<double>::infinity(); });
  refused([](auto&, auto& t) { t.ids[3] = -1; });
  refused([](auto&, auto& t) { t.ids[3] = 2 * kHalf; });
  refused([](auto&, auto& t) { t.offsets.back() += 1; });
  refused([](auto&, auto& t) { t.offsets[1] = -1; });
  refused([](auto&, auto& t) { t.offsets.clear(); });
  refused([](auto&, auto& t) {
    for (auto& id : t.ids) id = 4;
  });
}
