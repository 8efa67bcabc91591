// Container::open: see twotower/container.h.
#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "io/container_files.h"
#include "io/manifest.h"
#include "io/posix_file.h"
#include "kernels/dispatch.h"
#include "twotower/container.h"
#include "twotower/error.h"
#include "util/parallel_for.h"

namespace twotower {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAdvice = "; restore it from a backup or save the index again";

// A read-only mapping of a whole file; an empty file maps to nothing.
class Mapping {
 public:
  Mapping(const FileDescriptor& file, std::uint64_t bytes, const fs::path& path) : size_(bytes) {
    if (bytes == 0) return;
    address_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.get(), 0);
    if (address_ == MAP_FAILED) throw_errno("map", path);
  }
  Mapping(Mapping&& other) noexcept : address_(std::exchange(other.address_, nullptr)), size_(other.size_) {}
  Mapping& operator=(Mapping&&) = delete;
  ~Mapping() {
    if (address_ != nullptr) ::munmap(address_, size_);
  }

  const std::uint8_t* data() const noexcept { return static_cast<const std::uint8_t*>(address_); }

 private:
  void* address_ = nullptr;
  std::size_t size_ = 0;
};

class MappedContainer final : public Container {
 public:
  MappedContainer(Manifest&& manifest, Mapping&& mapping) : mapping_(std::move(mapping)) {
    meta_ = std::move(manifest.meta);
    for (ManifestSegment& s : manifest.segments) {
      const void* data = s.bytes == 0 ? nullptr : mapping_.data() + s.offset;
      segments_.push_back({std::move(s.name), s.dtype, std::move(s.shape), data});
    }
  }

 private:
  Mapping mapping_;
};

Manifest read_manifest(const fs::path& folder) {
  const fs::path path = folder / kManifestName;
  if (!fs::exists(path)) {
    const char* what = fs::is_directory(folder) ? ": the folder has no twotower.manifest" : ": there is no such folder";
    throw FileFailure("nothing saved at " + folder.string() + what + "; give the folder that save() wrote");
  }
  const FileDescriptor file = open_file(path, O_RDONLY);
  const std::string bytes = read_exactly(file, static_cast<std::size_t>(file_size(file, path)), path);
  try {
    return decode_manifest(bytes);
  } catch (const CorruptFile& error) {
    throw CorruptFile(path.string() + ": " + error.what() + kAdvice);
  }
}

void verify_blocks(const Manifest& manifest, const Mapping& mapping, const fs::path& path) {
  const kernels::Kernels& kernels = kernels::active();
  parallel_for(manifest.block_crcs.size(), 0, [&](std::size_t block) {
    const std::uint64_t begin = block * kBlockBytes;
    const std::uint64_t size = std::min(kBlockBytes, manifest.data_bytes - begin);
    if (kernels.checksum.crc32c(0, mapping.data() + begin, static_cast<std::size_t>(size)) !=
        manifest.block_crcs[block]) {
      throw CorruptFile(path.string() + ": bytes " + std::to_string(begin) + " to " + std::to_string(begin + size) +
                        " fail their checksum" + kAdvice);
    }
  });
}

// Opens the data file of a manifest; nothing if it is gone, which a save in the meantime explains.
std::optional<FileDescriptor> open_data(const fs::path& path) {
  try {
    return open_file(path, O_RDONLY);
  } catch (const FileFailure&) {
    if (!fs::exists(path)) return std::nullopt;
    throw;
  }
}

}  // namespace

std::shared_ptr<const Container> Container::open(const fs::path& folder, std::string_view kind) try {
  std::optional<std::uint64_t> missing;
  for (;;) {
    Manifest manifest = read_manifest(folder);
    if (manifest.kind != kind) {
      throw CorruptFile(folder.string() + " holds a saved '" + manifest.kind + "', not a '" + std::string(kind) +
                        "': load it with the class that saved it");
    }
    const fs::path path = folder / data_file_name(manifest.generation);
    const std::optional<FileDescriptor> file = open_data(path);
    if (!file) {
      // A writer may have replaced the generation since the manifest was read: then the manifest has changed too.
      if (missing == manifest.generation) throw CorruptFile(path.string() + " is missing" + kAdvice);
      missing = manifest.generation;
      continue;
    }
    const std::uint64_t size = file_size(*file, path);
    if (size != manifest.data_bytes) {
      throw CorruptFile(path.string() + " has " + std::to_string(size) + " bytes, and its manifest states " +
                        std::to_string(manifest.data_bytes) + kAdvice);
    }
    Mapping mapping(*file, size, path);
    verify_blocks(manifest, mapping, path);
    return std::make_shared<MappedContainer>(std::move(manifest), std::move(mapping));
  }
} catch (const fs::filesystem_error& error) {
  throw FileFailure("cannot open " + folder.string() + ": " + error.what());
}

}  // namespace twotower
