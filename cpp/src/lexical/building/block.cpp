#include "lexical/building/block.h"

#include <algorithm>

namespace twotower::build {
namespace {

// Of one term: the number of its last posting in document order and one more (0: none yet), and how many it has.
struct Seen {
  std::uint32_t last = 0;
  std::uint32_t count = 0;
};

// Postings in document order, without their documents.
struct Postings {
  std::vector<std::uint32_t> terms;
  std::vector<std::uint32_t> tfs;
  std::vector<std::uint32_t> ends;  // of each document
};

// Adds each known term of each document once, and counts its repetitions where it stands.
Postings count_terms(const Documents& documents, std::vector<Seen>& seen) {
  Postings postings;
  postings.terms.resize(documents.ids.size());
  postings.tfs.resize(documents.ids.size());
  postings.ends.reserve(documents.lengths.size());
  std::uint32_t n = 0;
  const TermId* id = documents.ids.data();
  for (const std::uint32_t length : documents.lengths) {
    const std::uint32_t first = n;
    for (const TermId* const end = id + length; id != end; ++id) {
      if (*id == kUnknownTerm) continue;
      Seen& term = seen[static_cast<std::size_t>(*id)];
      if (term.last > first) {
        ++postings.tfs[term.last - 1];
        continue;
      }
      postings.terms[n] = static_cast<std::uint32_t>(*id);
      postings.tfs[n] = 1;
      term.last = ++n;
      ++term.count;
    }
    postings.ends.push_back(n);
  }
  postings.terms.resize(n);
  return postings;
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

}  // namespace

Block invert(const Documents& documents, std::size_t n_terms) {
  std::vector<Seen> seen(n_terms);
  const Postings postings = count_terms(documents, seen);
  Block block;
  block.first_doc = documents.first_doc;
  place_terms(seen, block);
  block.docs.resize(postings.terms.size());
  block.tfs.resize(postings.terms.size());
  std::uint32_t from = 0;
  for (std::size_t d = 0; d < postings.ends.size(); ++d) {
    for (; from < postings.ends[d]; ++from) {
      const std::uint32_t to = seen[postings.terms[from]].last++;
      const std::uint32_t tf = postings.tfs[from];
      block.docs[to] = static_cast<std::uint16_t>(d);
      block.tfs[to] = static_cast<std::uint8_t>(std::min<std::uint32_t>(tf, kBigTf));
      if (tf >= kBigTf) block.big_tfs.push_back({to, tf});
    }
  }
  std::ranges::sort(block.big_tfs, {}, &BigTf::posting);
  block.big_tfs.shrink_to_fit();
  return block;
}

}  // namespace twotower::build
