#include "io/manifest.h"

#include <bit>
#include <cstring>
#include <limits>
#include <set>

#include "kernels/dispatch.h"
#include "twotower/error.h"

namespace twotower {
namespace {

static_assert(std::endian::native == std::endian::little, "containers are little-endian and mapped as they are");

constexpr char kMagic[8] = {'T', 'W', 'O', 'T', 'O', 'W', 'E', 'R'};
constexpr std::size_t kFixedBytes = 56;  // magic to n_segments
constexpr std::size_t kMaxDimensions = 8;
// Far above any memory, far below what could overflow a signed 64-bit product with an item size.
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 56;

std::uint32_t checksum(std::string_view bytes) {
  return kernels::active().checksum.crc32c(0, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

template <class Integer>
void put(std::string& out, Integer value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Takes values from the front; never past the end.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::string_view take(std::uint64_t n) {
    if (n > rest_.size()) throw CorruptFile("a length in the manifest reaches past its end");
    const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(n));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  template <class Integer>
  Integer integer() {
    Integer value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

std::uint64_t n_blocks_of(std::uint64_t data_bytes) {
  return data_bytes / kBlockBytes + (data_bytes % kBlockBytes != 0);
}

std::uint64_t bytes_of(const ManifestSegment& segment) {
  const std::uint64_t item = item_bytes(segment.dtype);
  if (item == 0) throw InvalidInput("segment '" + segment.name + "' has an unknown element type");
  if (segment.shape.size() > kMaxDimensions) throw InvalidInput("segment '" + segment.name + "' has over 8 dimensions");
  // Zero dimensions are skipped, so that the others are bounded too: a reader multiplies them in any order.
  std::uint64_t elements = 1;
  bool empty = false;
  for (const std::uint64_t n : segment.shape) {
    if (n == 0) {
      empty = true;
    } else if (n > kMaxElements / elements) {
      throw InvalidInput("the shape of segment '" + segment.name + "' is too large");
    } else {
      elements *= n;
    }
  }
  return empty ? 0 : elements * item;
}

ManifestSegment read_segment(Reader& in) {
  ManifestSegment segment;
  const auto name_bytes = in.integer<std::uint32_t>();
  segment.dtype = static_cast<DType>(in.integer<std::uint32_t>());
  const auto n_dimensions = in.integer<std::uint32_t>();
  segment.offset = in.integer<std::uint64_t>();
  segment.bytes = in.integer<std::uint64_t>();
  if (n_dimensions > kMaxDimensions) throw CorruptFile("a segment of the manifest has over 8 dimensions");
  for (std::uint32_t i = 0; i < n_dimensions; ++i) segment.shape.push_back(in.integer<std::uint64_t>());
  segment.name = in.take(name_bytes);
  return segment;
}

// The layout is a function of names, dtypes and shapes, so offsets and sizes are not believed but compared.
void check_layout(const Manifest& manifest) {
  std::vector<ManifestSegment> expected = manifest.segments;
  try {
    const std::uint64_t data_bytes = lay_out(expected);
    bool same = data_bytes == manifest.data_bytes && is_container_name(manifest.kind);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      same =
          same && expected[i].offset == manifest.segments[i].offset && expected[i].bytes == manifest.segments[i].bytes;
    }
    if (!same) throw CorruptFile("sizes or offsets in the manifest contradict its shapes");
  } catch (const InvalidInput& error) {
    throw CorruptFile(std::string("the manifest is malformed: ") + error.what());
  }
}

}  // namespace

std::size_t item_bytes(DType dtype) noexcept {
  switch (dtype) {
    case DType::kUint8:
    case DType::kInt8:
      return 1;
    case DType::kUint16:
    case DType::kInt16:
      return 2;
    case DType::kUint32:
    case DType::kInt32:
    case DType::kFloat32:
      return 4;
    case DType::kUint64:
    case DType::kInt64:
    case DType::kFloat64:
      return 8;
  }
  return 0;
}

bool is_container_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 64 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.-") == std::string_view::npos;
}

std::uint64_t lay_out(std::vector<ManifestSegment>& segments) {
  std::set<std::string_view> names;
  std::uint64_t end = 0;
  for (ManifestSegment& segment : segments) {
    if (!is_container_name(segment.name)) {
      throw InvalidInput("segment name '" + segment.name + "' is not 1 to 64 of a-z 0-9 _ . -");
    }
    if (!names.insert(segment.name).second) throw InvalidInput("segment name '" + segment.name + "' comes twice");
    segment.bytes = bytes_of(segment);
    segment.offset = (end + kAlignment - 1) / kAlignment * kAlignment;
    if (segment.bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - segment.offset) {
      throw InvalidInput("the segments together are too large");
    }
    end = segment.offset + segment.bytes;
    if (end > kMaxElements * 8) throw InvalidInput("the segments together are too large");
  }
  return end;
}

std::string encode_manifest(const Manifest& manifest) {
  std::string body;
  body += manifest.kind;
  body += manifest.meta;
  for (const ManifestSegment& segment : manifest.segments) {
    put(body, static_cast<std::uint32_t>(segment.name.size()));
    put(body, static_cast<std::uint32_t>(segment.dtype));
    put(body, static_cast<std::uint32_t>(segment.shape.size()));
    put(body, segment.offset);
    put(body, segment.bytes);
    for (const std::uint64_t n : segment.shape) put(body, n);
    body += segment.name;
  }
  for (const std::uint32_t crc : manifest.block_crcs) put(body, crc);

  std::string out(kMagic, sizeof kMagic);
  put(out, kContainerVersion);
  put(out, static_cast<std::uint32_t>(kBlockBytes));
  put(out, static_cast<std::uint64_t>(kFixedBytes + body.size() + 4));
  put(out, manifest.generation);
  put(out, manifest.data_bytes);
  put(out, static_cast<std::uint64_t>(manifest.meta.size()));
  put(out, static_cast<std::uint32_t>(manifest.kind.size()));
  put(out, static_cast<std::uint32_t>(manifest.segments.size()));
  out += body;
  put(out, checksum(out));
  return out;
}

Manifest decode_manifest(std::string_view bytes) {
  if (bytes.size() < sizeof kMagic || std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0) {
    throw CorruptFile("this is not a twotower manifest (wrong first 8 bytes)");
  }
  Reader in(bytes.substr(sizeof kMagic));
  const auto version = in.integer<std::uint32_t>();
  if (version != kContainerVersion) {
    throw CorruptFile("container version " + std::to_string(version) + " is unknown to this twotower, which reads " +
                      std::to_string(kContainerVersion) + ": load it with the twotower that saved it");
  }
  const auto block_bytes = in.integer<std::uint32_t>();
  const auto manifest_bytes = in.integer<std::uint64_t>();
  if (manifest_bytes != bytes.size() || bytes.size() < kFixedBytes + 4) {
    throw CorruptFile("the manifest has " + std::to_string(bytes.size()) + " bytes and states " +
                      std::to_string(manifest_bytes));
  }
  std::uint32_t stated_crc;
  std::memcpy(&stated_crc, bytes.data() + bytes.size() - 4, 4);
  if (stated_crc != checksum(bytes.substr(0, bytes.size() - 4))) throw CorruptFile("the manifest fails its checksum");
  if (block_bytes != kBlockBytes) throw CorruptFile("the manifest states a block size other than 1 MiB");

  Manifest manifest;
  manifest.generation = in.integer<std::uint64_t>();
  manifest.data_bytes = in.integer<std::uint64_t>();
  const auto meta_bytes = in.integer<std::uint64_t>();
  const auto kind_bytes = in.integer<std::uint32_t>();
  const auto n_segments = in.integer<std::uint32_t>();
  manifest.kind = in.take(kind_bytes);
  manifest.meta = in.take(meta_bytes);
  for (std::uint32_t i = 0; i < n_segments; ++i) manifest.segments.push_back(read_segment(in));
  check_layout(manifest);
  if (in.left() != n_blocks_of(manifest.data_bytes) * 4 + 4) {
    throw CorruptFile("the manifest has checksums for another amount of data");
  }
  manifest.block_crcs.resize(static_cast<std::size_t>(n_blocks_of(manifest.data_bytes)));
  for (std::uint32_t& crc : manifest.block_crcs) crc = in.integer<std::uint32_t>();
  return manifest;
}

}  // namespace twotower
