// The manifest of a container, to and from bytes. Knows no file. docs/formats/container.md describes every byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "twotower/container.h"

namespace twotower {

inline constexpr std::uint32_t kContainerVersion = 1;
inline constexpr std::uint64_t kBlockBytes = std::uint64_t{1} << 20;  ///< bytes under one checksum
inline constexpr std::uint64_t kAlignment = 64;                       ///< of every segment in the data file

struct ManifestSegment {
  std::string name;
  DType dtype = DType::kUint8;
  std::vector<std::uint64_t> shape;
  std::uint64_t offset = 0;  ///< in the data file
  std::uint64_t bytes = 0;
};

struct Manifest {
  std::uint64_t generation = 0;
  std::uint64_t data_bytes = 0;
  std::string kind;
  std::string meta;
  std::vector<ManifestSegment> segments;
  std::vector<std::uint32_t> block_crcs;
};

/// Gives each segment its bytes and its offset: one after another, each start rounded up to kAlignment. Returns
/// data_bytes, the end of the last. THROWS InvalidInput if names, dtypes or shapes are not allowed.
std::uint64_t lay_out(std::vector<ManifestSegment>& segments);

/// REQUIRES a manifest whose segments lay_out() accepted.
std::string encode_manifest(const Manifest& manifest);

/// THROWS CorruptFile, with a text that goes after "<path>: ", unless encode_manifest() could have made these bytes.
Manifest decode_manifest(std::string_view bytes);

/// Whether a name of a kind or a segment is allowed: 1 to 64 of a-z 0-9 _ . -
bool is_container_name(std::string_view name) noexcept;

}  // namespace twotower
