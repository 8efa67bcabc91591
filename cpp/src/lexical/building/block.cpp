#include "lexical/building/block.h"

#include <algorithm>
#include <memory>
#include <span>

namespace twotower::build {
namespace {

// Of one term: the number of its last posting in document order and one more (0: none yet), and how many it has.
struct Seen {
  std::uint32_t last = 0;
  std::uint32_t count = 0;
};

// A posting in document order.
struct Posting {
  std::uint32_t term;
  std::uint32_t tf;
};

// Terms come at random, and their table is larger than the caches: its lines are asked for so many terms ahead.
constexpr std::size_t kAhead = 24;

// Writes each known term of each document once, with its repetitions, and where the postings of each document end.
void count_terms(const Documents& documents, std::vector<Seen>& seen, Posting* postings,
                 std::vector<std::uint32_t>& ends) {
  std::uint32_t n = 0;
  const TermId* id = documents.ids.data();
  const TermId* const last_id = id + documents.ids.size() - 1;
  for (const std::uint32_t length : documents.lengths) {
    const std::uint32_t first = n;
    for (const TermId* const end = id + length; id != end; ++id) {
      // The address of an unknown term's entry is made and never read.
      __builtin_prefetch(&seen.data()[static_cast<std::uint32_t>(*std::min(id + kAhead, last_id))]);
      if (*id == kUnknownTerm) continue;
      Seen& term = seen[static_cast<std::size_t>(*id)];
      if (term.last > first) {
        ++postings[term.last - 1].tf;
        continue;
      }
      postings[n] = {static_cast<std::uint32_t>(*id), 1};
      term.last = ++n;
      ++term.count;
    }
    ends.push_back(n);
  }
}

// Lists the terms that occur; afterwards `last` of each is where its next posting goes.
void place_terms(std::vector<Seen>& seen, Block& block) {
  const auto n = static_cast<std::size_t>(std::ranges::count_if(seen, [](const Seen& s) { return s.count != 0; }));
  block.terms.reserve(n);
  block.starts.reserve(n + 1);
  std::uint32_t start = 0;
  for (std::size_t t = 0; t < seen.size(); ++t) {
    if (seen[t].count == 0) continue;
    block.terms.push_back(static_cast<std::uint32_t>(t));
    block.starts.push_back(start);
    seen[t].last = start;
    start += seen[t].count;
  }
  block.starts.push_back(start);
}

// Moves each posting to its list; documents come in order, so DocIds ascend.
void scatter(const Posting* postings, std::span<const std::uint32_t> ends, std::vector<Seen>& seen, Block& block) {
  const std::size_t n = block.docs.size();
  std::size_t from = 0;
  for (std::size_t d = 0; d < ends.size(); ++d) {
    for (; from < ends[d]; ++from) {
      __builtin_prefetch(&seen[postings[std::min(from + 2 * kAhead, n - 1)].term]);
      const std::uint32_t soon = seen[postings[std::min(from + kAhead, n - 1)].term].last;
      __builtin_prefetch(block.docs.data() + soon, 1);
      __builtin_prefetch(block.tfs.data() + soon, 1);
      const auto [term, tf] = postings[from];
      const std::uint32_t to = seen[term].last++;
      block.docs[to] = static_cast<std::uint16_t>(d);
      block.tfs[to] = static_cast<std::uint8_t>(std::min<std::uint32_t>(tf, kBigTf));
      if (tf >= kBigTf) block.big_tfs.push_back({to, tf});
    }
  }
}

}  // namespace

Block invert(const Documents& documents, std::size_t n_terms) {
  std::vector<Seen> seen(n_terms);
  const auto postings = std::make_unique_for_overwrite<Posting[]>(documents.ids.size());
  std::vector<std::uint32_t> ends;
  ends.reserve(documents.lengths.size());
  count_terms(documents, seen, postings.get(), ends);
  Block block;
  block.first_doc = documents.first_doc;
  place_terms(seen, block);
  block.docs.resize(block.starts.back());
  block.tfs.resize(block.starts.back());
  scatter(postings.get(), ends, seen, block);
  std::ranges::sort(block.big_tfs, {}, &BigTf::posting);
  block.big_tfs.shrink_to_fit();
  return block;
}

}  // namespace twotower::build
