#include "lexical/building/merge.h"

#include "lexical/codec/list_codec.h"
#include "twotower/postings_codec.h"
#include "util/parallel_for.h"

namespace twotower::build {
namespace {

// Calls start(term), then add(doc, tf) for each posting, then end(), for all terms in [first, last).
template <class List>
void merge_terms(std::span<const StoredBlock> blocks, std::size_t first, std::size_t last, List& list) {
  std::vector<BlockCursor> cursors;
  cursors.reserve(blocks.size());
  for (const StoredBlock& block : blocks) cursors.emplace_back(block).seek(static_cast<std::uint32_t>(first));
  const auto add = [&list](DocId doc, std::uint32_t tf) { list.add(doc, tf); };
  for (std::size_t term = first; term < last; ++term) {
    list.start(term);
    for (BlockCursor& cursor : cursors) {
      if (cursor.term() == term) cursor.drain(add);
    }
    list.end();
  }
}

struct ArrayList {
  std::span<const std::int64_t> offsets;
  DocId* docs;
  std::uint32_t* tfs;
  std::size_t to = 0;
  void start(std::size_t term) { to = static_cast<std::size_t>(offsets[term]); }
  void add(DocId doc, std::uint32_t tf) {
    docs[to] = doc;
    tfs[to++] = tf;
  }
  void end() {}
};

// Packs terms into the bytes of their groups.
struct PackedList {
  explicit PackedList(std::vector<std::uint8_t>& bytes) : packer(bytes) {}
  codec::ListPacker packer;
  void start(std::size_t) {}
  void add(DocId doc, std::uint32_t tf) { packer.add(doc, tf); }
  void end() { packer.end(); }
};

}  // namespace

void fill_lists(std::span<const StoredBlock> blocks, std::span<const std::int64_t> term_offsets, std::span<DocId> docs,
                std::span<std::uint32_t> tfs, unsigned threads) {
  const std::vector<std::size_t> groups = term_groups(term_offsets);
  parallel_for(groups.size() - 1, threads, [&](std::size_t g) {
    ArrayList list{term_offsets, docs.data(), tfs.data()};
    merge_terms(blocks, groups[g], groups[g + 1], list);
  });
}

void pack_lists(std::span<const StoredBlock> blocks, std::span<const std::int64_t> term_offsets, const GroupSink& sink,
                unsigned threads) {
  const std::vector<std::size_t> groups = term_groups(term_offsets);
  const std::size_t n_groups = groups.size() - 1;
  // A wave holds the bytes of a few groups for each thread, and goes to the sink before the next one begins.
  const std::size_t workers = resolve_threads(threads);
  const std::size_t wave = workers == 1 ? 1 : 4 * workers;
  std::vector<std::vector<std::uint8_t>> packed(wave);
  for (std::size_t begin = 0; begin < n_groups; begin += wave) {
    const std::size_t n = std::min(wave, n_groups - begin);
    parallel_for(n, threads, [&](std::size_t i) {
      packed[i].clear();
      PackedList list(packed[i]);
      merge_terms(blocks, groups[begin + i], groups[begin + i + 1], list);
    });
    for (std::size_t i = 0; i < n; ++i) sink(packed[i]);
  }
}

}  // namespace twotower::build
