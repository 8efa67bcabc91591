// Postings and small integers as few bytes, for files. docs/formats/lexical.md describes every bit.
//
// Blocks of 128 numbers are packed into as many bits each as most of them need, four lanes side by side, so that any
// compiler turns the loops into vector instructions; the few numbers that need more bits follow as exceptions (PFor:
// Zukowski et al., "Super-scalar RAM-CPU cache compression", ICDE 2006; the lanes: Lemire and Boytsov, "Decoding
// billions of integers per second through vectorization", 2015). All functions are thread-safe and deterministic: the
// bytes do not depend on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "twotower/inverted_index.h"

namespace twotower {

/// Terms are packed in groups, so that groups can be unpacked side by side. A group is the shortest run of terms, from
/// where the last group ended, with at least this many postings; the last group takes what is left.
inline constexpr std::size_t kGroupPostings = std::size_t{1} << 16;

/// The postings of all terms, packed.
struct PackedPostings {
  std::vector<std::uint8_t> bytes;        ///< one list behind the other, then 8 zero bytes
  std::vector<std::uint64_t> group_ends;  ///< where each group of terms ends in `bytes`
};

/// The first term of each group, and n_terms: [G + 1]. REQUIRES offsets that rise from 0. O(V).
std::vector<std::size_t> term_groups(std::span<const std::int64_t> term_offsets);

/// Packs checked postings (V + 1 offsets, DocIds ascending within a term, tfs of at least 1). O(P + V) time, no memory
/// beyond twice the result. threads: 0 is every core. THROWS Interrupted.
PackedPostings pack_postings(std::span<const std::int64_t> term_offsets, std::span<const DocId> docs,
                             std::span<const std::uint32_t> tfs, unsigned threads);

/// Fills docs [P] and tfs [P] from bytes that may come from an untrusted file: reads no byte outside of them and writes
/// none outside of the arrays. What the numbers say (DocIds in range and ascending, tfs of at least 1) is for
/// InvertedIndex to check. REQUIRES offsets that rise from 0 to P. THROWS CorruptFile unless every group ends where
/// group_ends says and the last one before 8 final bytes; Interrupted.
void unpack_postings(std::span<const std::uint8_t> bytes, std::span<const std::uint64_t> group_ends,
                     std::span<const std::int64_t> term_offsets, std::span<DocId> docs, std::span<std::uint32_t> tfs,
                     unsigned threads);

/// Packs any numbers, small ones best: their count as 8 bytes, their blocks, 8 zero bytes. O(n).
std::vector<std::uint8_t> pack_integers(std::span<const std::uint32_t> values);

/// How many numbers pack_integers packed. THROWS CorruptFile if the bytes cannot hold as many as they state.
std::size_t packed_count(std::span<const std::uint8_t> bytes);

/// Fills `values`, of packed_count(bytes) places, from untrusted bytes. THROWS CorruptFile unless they are consumed
/// exactly.
void unpack_integers(std::span<const std::uint8_t> bytes, std::span<std::uint32_t> values);

}  // namespace twotower
