// Blocks in document order become whole lists, packed or as arrays. Knows neither documents nor files of an index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "lexical/building/stored_block.h"
#include "twotower/inverted_index.h"

namespace twotower::build {

/// Writes all lists into the arrays. REQUIRES term_offsets made of the blocks' own counts. THROWS FileFailure;
/// Interrupted.
void fill_lists(std::span<const StoredBlock> blocks, std::span<const std::int64_t> term_offsets, std::span<DocId> docs,
                std::span<std::uint32_t> tfs, unsigned threads);

/// Takes the packed bytes of the next group of terms.
using GroupSink = std::function<void(std::span<const std::uint8_t>)>;

/// Packs all lists, group by group, in order; the sink is called on this thread. REQUIRES and THROWS as fill_lists.
void pack_lists(std::span<const StoredBlock> blocks, std::span<const std::int64_t> term_offsets, const GroupSink& sink,
                unsigned threads);

}  // namespace twotower::build
