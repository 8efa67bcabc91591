// scan_one: a single query, where reading memory costs most.
#include <algorithm>
#include <memory>

#include "dense/codes/exact_best.h"
#include "dense/codes/scan.h"

namespace twotower {
namespace {

using kernels::kCodeRows;

constexpr std::size_t kTileRows = 1024;
constexpr std::size_t kExactLot = 8;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Guess {
  float score;
  std::uint32_t row;  // of the range
};

// A row that lower halves did not decide.
struct Candidate {
  double upper;
  std::uint32_t doc;
};

class ScanOne {
 public:
  ScanOne(CodedSearch& search, std::size_t q, RowRange rows)
      : search_(search),
        kernels_(search.kernels.codes),
        query_(search.coded[q]),
        codes_(search.codes_of(q)),
        floor_(search.floors[q]),
        rows_(rows),
        sums_(std::make_unique_for_overwrite<std::int32_t[]>((rows.size() + kCodeRows - 1) / kCodeRows * kCodeRows)),
        found_(kTileRows),
        best_(search.kernels, search.vectors, search.queries + q * search.vectors.dim, search.k) {}

  std::vector<ScoredDoc> run() {
    search_.n_scanned += rows_.size();
    score_best_guesses();
    const std::vector<std::uint32_t> reaching = select();
    search_.n_refined += reaching.size();
    score_candidates(refine(reaching));
    search_.n_rescored += best_.n_scored();
    return best_.take();
  }

 private:
  // Sums of upper halves for all rows; then the definition for the k rows that look best, so that the threshold is near
  // its final value before any row is dropped.
  void score_best_guesses() {
    std::vector<Guess> guesses;
    const std::size_t k = std::min(search_.k, rows_.size()), room = 2 * k + 256;
    float least = -kInfinity;
    const auto keep_best = [&] {
      const auto kth = guesses.begin() + static_cast<std::ptrdiff_t>(k - 1);
      std::nth_element(guesses.begin(), kth, guesses.end(),
                       [](const Guess& a, const Guess& b) { return a.score > b.score; });
      guesses.resize(k);
      least = guesses.back().score;
    };
    const kernels::CodeLine line{query_.coarse.unit, query_.coarse.offset, 0.0f, kLeastSum};
    for (std::size_t begin = 0; begin < rows_.size(); begin += kTileRows) {
      const std::size_t size = std::min(kTileRows, rows_.size() - begin), doc = rows_.begin + begin;
      kernels_.plane_sums(codes_, search_.n_groups(), search_.codes.high + search_.byte_of(doc),
                          (size + kCodeRows - 1) / kCodeRows, &sums_[begin]);
      const std::size_t n = kernels_.select_sums(&sums_[begin], search_.codes.scales + doc,
                                                 search_.codes.coarse_radii + doc, size, line, least, found_.data());
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t row = begin + found_[i];
        if (!search_.is_allowed(rows_.begin + row)) continue;
        const double score = middle(query_.coarse, sums_[row], search_.codes.scales[rows_.begin + row]);
        guesses.push_back({static_cast<float>(score), static_cast<std::uint32_t>(row)});
        if (guesses.size() >= room) keep_best();
      }
    }
    if (guesses.size() > k) keep_best();
    for (const Guess& guess : guesses) known_.push_back(static_cast<std::uint32_t>(rows_.begin + guess.row));
    std::sort(known_.begin(), known_.end());
    score(known_.data(), known_.size());
  }

  void score(const std::uint32_t* docs, std::size_t n) {
    best_.score(docs, n);
    floor_.raise(best_.kth());
  }

  bool is_known(std::uint32_t doc) const { return std::binary_search(known_.begin(), known_.end(), doc); }

  // The rows, ascending, whose upper end by upper halves reaches the threshold.
  std::vector<std::uint32_t> select() {
    std::vector<std::uint32_t> reaching;
    const float threshold = query_.threshold(floor_.get());
    for (std::size_t begin = 0; begin < rows_.size(); begin += kTileRows) {
      const std::size_t size = std::min(kTileRows, rows_.size() - begin), doc = rows_.begin + begin;
      const std::size_t n =
          kernels_.select_sums(&sums_[begin], search_.codes.scales + doc, search_.codes.coarse_radii + doc, size,
                               query_.coarse, threshold, found_.data());
      for (std::size_t i = 0; i < n; ++i) {
        const auto row = static_cast<std::uint32_t>(doc + found_[i]);
        if (search_.is_allowed(row) && !is_known(row)) reaching.push_back(row);
      }
    }
    return reaching;
  }

  // Lower halves of whole blocks: 16 rows lie together, and a block is a short stream of memory.
  std::vector<Candidate> refine(const std::vector<std::uint32_t>& reaching) {
    std::vector<Candidate> candidates;
    std::int32_t low[kCodeRows];
    const double threshold = static_cast<double>(query_.threshold(floor_.get()));
    std::size_t block = ~std::size_t{0};
    for (std::size_t i = 0; i < reaching.size(); ++i) {
      const std::uint32_t doc = reaching[i];
      if (doc / kCodeRows != block) {
        block = doc / kCodeRows;
        prefetch_next(reaching, i);
        kernels_.plane_sums(codes_, search_.n_groups(), search_.codes.low + search_.byte_of(doc), 1, low);
      }
      const std::int32_t sum = 16 * sums_[doc - rows_.begin] + low[doc % kCodeRows];
      const double upper = middle(query_.fine, sum, search_.codes.scales[doc]) +
                           static_cast<double>(query_.fine.factor) * search_.codes.fine_radii[doc];
      if (!(upper < threshold)) candidates.push_back({upper, doc});
    }
    return candidates;
  }

  // Asks for the block after the one of reaching[i].
  void prefetch_next(const std::vector<std::uint32_t>& reaching, std::size_t i) const {
    const std::size_t block = reaching[i] / kCodeRows;
    while (i < reaching.size() && reaching[i] / kCodeRows == block) ++i;
    if (i == reaching.size()) return;
    const std::uint8_t* bytes = search_.codes.low + search_.byte_of(reaching[i]);
    for (std::size_t b = 0; b < search_.block_bytes(); b += 64) __builtin_prefetch(bytes + b);
  }

  // The greatest upper ends first: they are the likeliest to raise the threshold.
  void score_candidates(std::vector<Candidate> candidates) {
    std::sort(candidates.begin(), candidates.end(),
              [](const Candidate& a, const Candidate& b) { return a.upper > b.upper; });
    std::uint32_t docs[kExactLot];
    for (std::size_t i = 0; i < candidates.size();) {
      const double threshold = static_cast<double>(query_.threshold(floor_.get()));
      std::size_t n = 0;
      for (; n < kExactLot && i < candidates.size() && !(candidates[i].upper < threshold); ++i) {
        docs[n++] = candidates[i].doc;
      }
      if (n == 0) return;
      score(docs, n);
    }
  }

  CodedSearch& search_;
  const kernels::CodesKernels& kernels_;
  const CodedQuery& query_;
  const std::int8_t* codes_;
  SharedFloor& floor_;
  RowRange rows_;
  std::unique_ptr<std::int32_t[]> sums_;  // of upper halves, for every row
  std::vector<std::uint32_t> found_;
  std::vector<std::uint32_t> known_;  // documents that are scored already, ascending
  ExactBest best_;
};

}  // namespace

std::vector<ScoredDoc> scan_one(CodedSearch& search, std::size_t q, RowRange rows) {
  return ScanOne(search, q, rows).run();
}

}  // namespace twotower
