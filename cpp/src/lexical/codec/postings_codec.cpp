// pack_postings and its kin: lists in groups, side by side. See twotower/postings_codec.h.
#include "twotower/postings_codec.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "lexical/codec/list_codec.h"
#include "util/parallel_for.h"

namespace twotower {
namespace {

using codec::kBlock;
using codec::kPadding;
using codec::packed_corrupt;
using codec::PackedReader;

constexpr std::size_t kCountBytes = 8;

std::size_t at(std::span<const std::int64_t> offsets, std::size_t term) {
  return static_cast<std::size_t>(offsets[term]);
}

void check_group_ends(std::span<const std::uint8_t> bytes, std::span<const std::uint64_t> group_ends,
                      std::size_t n_groups) {
  if (group_ends.size() != n_groups) {
    packed_corrupt(std::to_string(group_ends.size()) + " groups of terms instead of " + std::to_string(n_groups));
  }
  const std::uint64_t last = group_ends.empty() ? 0 : group_ends.back();
  if (!std::is_sorted(group_ends.begin(), group_ends.end()) || bytes.size() < kPadding ||
      last != bytes.size() - kPadding) {
    packed_corrupt("the ends of the groups do not rise to 8 bytes before the end of the postings");
  }
}

}  // namespace

std::vector<std::size_t> term_groups(std::span<const std::int64_t> term_offsets) {
  std::vector<std::size_t> first{0};
  const std::size_t n_terms = term_offsets.size() - 1;
  for (std::size_t t = 0; t < n_terms; ++t) {
    if (at(term_offsets, t + 1) - at(term_offsets, first.back()) >= kGroupPostings) first.push_back(t + 1);
  }
  if (first.back() != n_terms) first.push_back(n_terms);
  return first;
}

PackedPostings pack_postings(std::span<const std::int64_t> term_offsets, std::span<const DocId> docs,
                             std::span<const std::uint32_t> tfs, unsigned threads) {
  const std::vector<std::size_t> groups = term_groups(term_offsets);
  std::vector<std::vector<std::uint8_t>> parts(groups.size() - 1);
  parallel_for(parts.size(), threads, [&](std::size_t g) {
    codec::ListPacker packer(parts[g]);
    for (std::size_t t = groups[g]; t < groups[g + 1]; ++t) {
      for (std::size_t i = at(term_offsets, t); i < at(term_offsets, t + 1); ++i) packer.add(docs[i], tfs[i]);
      packer.end();
    }
  });
  PackedPostings packed;
  std::size_t size = kPadding;
  for (const auto& part : parts) size += part.size();
  packed.bytes.reserve(size);
  for (auto& part : parts) {
    packed.bytes.insert(packed.bytes.end(), part.begin(), part.end());
    packed.group_ends.push_back(packed.bytes.size());
    std::vector<std::uint8_t>().swap(part);
  }
  packed.bytes.resize(size, 0);
  return packed;
}

void unpack_postings(std::span<const std::uint8_t> bytes, std::span<const std::uint64_t> group_ends,
                     std::span<const std::int64_t> term_offsets, std::span<DocId> docs, std::span<std::uint32_t> tfs,
                     unsigned threads) {
  const std::vector<std::size_t> groups = term_groups(term_offsets);
  check_group_ends(bytes, group_ends, groups.size() - 1);
  parallel_for(groups.size() - 1, threads, [&](std::size_t g) {
    PackedReader in{bytes.data() + (g == 0 ? 0 : group_ends[g - 1]), bytes.data() + group_ends[g]};
    for (std::size_t t = groups[g]; t < groups[g + 1]; ++t) {
      const std::size_t begin = at(term_offsets, t);
      codec::unpack_list(in, at(term_offsets, t + 1) - begin, docs.data() + begin, tfs.data() + begin);
    }
    if (in.at != in.end) packed_corrupt("group " + std::to_string(g) + " has bytes behind its last list");
  });
}

std::vector<std::uint8_t> pack_integers(std::span<const std::uint32_t> values) {
  std::vector<std::uint8_t> out(kCountBytes);
  const std::uint64_t count = values.size();
  std::memcpy(out.data(), &count, sizeof count);
  std::size_t done = 0;
  for (; values.size() - done >= kBlock; done += kBlock) codec::append_block(values.data() + done, out);
  if (done < values.size()) {
    const std::size_t rest = values.size() - done;
    const unsigned width = codec::width_of(values.data() + done, rest);
    out.push_back(static_cast<std::uint8_t>(width));
    codec::append_bits(values.data() + done, rest, width, out);
  }
  out.resize(out.size() + kPadding, 0);
  return out;
}

std::size_t packed_count(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kCountBytes + kPadding) packed_corrupt("they have " + std::to_string(bytes.size()) + " bytes");
  std::uint64_t count;
  std::memcpy(&count, bytes.data(), sizeof count);
  // A block has at least its header, so no count can ask for memory that the file does not pay for.
  if (count > (bytes.size() - kCountBytes - kPadding) * kBlock) {
    packed_corrupt(std::to_string(count) + " numbers in " + std::to_string(bytes.size()) + " bytes");
  }
  return static_cast<std::size_t>(count);
}

void unpack_integers(std::span<const std::uint8_t> bytes, std::span<std::uint32_t> values) {
  PackedReader in{bytes.data() + kCountBytes, bytes.data() + bytes.size() - kPadding};
  std::size_t done = 0;
  for (; values.size() - done >= kBlock; done += kBlock) codec::read_block(in, values.data() + done);
  if (done < values.size()) {
    const unsigned width = codec::read_width(in);
    const std::size_t rest = values.size() - done;
    codec::unpack_bits(in.take(codec::bit_bytes(rest, width)), rest, width, values.data() + done);
  }
  if (in.at != in.end) packed_corrupt("there are bytes behind the last number");
}

}  // namespace twotower
