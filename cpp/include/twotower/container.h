// A saved folder of named arrays: a manifest and one file of aligned, checksummed segments.
//
// docs/formats/container.md describes every byte. The container knows neither what the arrays mean nor what is in the
// metadata: that is the business of the index that saved them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace twotower {

/// Element types that a segment may have, little-endian. The values stand in files: never renumber.
enum class DType : std::uint32_t {
  kUint8 = 1,
  kInt8 = 2,
  kUint16 = 3,
  kInt16 = 4,
  kUint32 = 5,
  kInt32 = 6,
  kUint64 = 7,
  kInt64 = 8,
  kFloat32 = 9,
  kFloat64 = 10,
};

/// Bytes of one element; 0 for a value that is no DType.
std::size_t item_bytes(DType dtype) noexcept;

/// One named array: row-major, `data` valid for the product of `shape` elements (and nullptr only if that is 0).
struct Segment {
  std::string name;                  ///< 1 to 64 of a-z 0-9 _ . -
  DType dtype = DType::kUint8;       ///< element type
  std::vector<std::uint64_t> shape;  ///< at most 8 dimensions
  const void* data = nullptr;
  int file =
      -1;  ///< to write what is not in memory: an open file whose first bytes are the data; `data` is unused then
};

/// Saves the segments as a new generation of `folder`, which is made if it does not exist.
///
/// `kind` is the name of what is saved (same rule as a segment's name); `meta` is opaque. Writes a new data file, syncs
/// it, swaps the manifest by rename, syncs the folder, then removes older generations: a kill at any moment leaves the
/// old or the new content, and a reader that holds the old one keeps it. Cost: one pass over the data, O(1) memory.
/// THROWS FileFailure if another writer is saving to this folder or the system refuses; InvalidInput for bad names,
/// shapes or a name that comes twice.
void write_container(const std::filesystem::path& folder, std::string_view kind, std::string_view meta,
                     std::span<const Segment> segments);

/// A container open for reading: mapped, and checked in full before anything is handed out. Immutable and thread-safe.
class Container {
 public:
  /// Opens `folder` and verifies manifest, sizes and the checksum of every block.
  ///
  /// THROWS FileFailure if there is no container; CorruptFile if it is damaged, foreign, of another version or kind.
  static std::shared_ptr<const Container> open(const std::filesystem::path& folder, std::string_view kind);

  virtual ~Container() = default;
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;

  const std::string& meta() const noexcept { return meta_; }

  /// In the order they were written. Data is read-only, 64-byte aligned, and valid as long as this object.
  const std::vector<Segment>& segments() const noexcept { return segments_; }

 protected:
  Container() = default;
  std::string meta_;
  std::vector<Segment> segments_;
};

}  // namespace twotower
