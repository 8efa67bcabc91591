// write_container: see twotower/container.h for the promise and docs/formats/container.md for the order of steps.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

#include "io/container_files.h"
#include "io/manifest.h"
#include "io/posix_file.h"
#include "kernels/dispatch.h"
#include "twotower/container.h"
#include "twotower/error.h"
#include "twotower/interrupt.h"

namespace twotower {
namespace {

namespace fs = std::filesystem;

// The generations of which a data file lies in the folder.
std::vector<std::uint64_t> generations_in(const fs::path& folder) {
  std::vector<std::uint64_t> generations;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (const auto generation = generation_of(entry.path().filename().string())) generations.push_back(*generation);
  }
  return generations;
}

// Appends bytes to a file and keeps the checksum of each block of kBlockBytes.
class BlockWriter {
 public:
  BlockWriter(const FileDescriptor& file, const fs::path& path) : file_(file), path_(path) {}

  void append(const void* data, std::uint64_t size) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    while (size > 0) {
      const auto part = static_cast<std::size_t>(std::min(size, kBlockBytes - written_ % kBlockBytes));
      write_all(file_, {reinterpret_cast<const char*>(bytes), part}, path_);
      if (written_ % kBlockBytes == 0) crcs_.push_back(0);
      crcs_.back() = kernels::active().checksum.crc32c(crcs_.back(), bytes, part);
      written_ += part;
      bytes += part;
      size -= part;
      check_interrupt();
    }
  }

  void append_file(int source, std::uint64_t size) {
    std::vector<char> bytes(static_cast<std::size_t>(std::min(size, kBlockBytes)));
    for (std::uint64_t done = 0; done < size;) {
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(size - done, bytes.size()));
      const ssize_t got = ::pread(source, bytes.data(), part, static_cast<off_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw_errno("read the data of", path_);
      if (got == 0) throw FileFailure("the data of " + path_.string() + " are shorter than stated");
      append(bytes.data(), static_cast<std::uint64_t>(got));
      done += static_cast<std::uint64_t>(got);
    }
  }

  void pad_to(std::uint64_t offset) {
    static constexpr char kZeros[kAlignment] = {};
    append(kZeros, offset - written_);
  }

  std::vector<std::uint32_t> take_crcs() { return std::move(crcs_); }

 private:
  const FileDescriptor& file_;
  const fs::path& path_;
  std::uint64_t written_ = 0;
  std::vector<std::uint32_t> crcs_;
};

Manifest plan(std::string_view kind, std::string_view meta, std::span<const Segment> segments) {
  if (!is_container_name(kind)) throw InvalidInput("kind '" + std::string(kind) + "' is not 1 to 64 of a-z 0-9 _ . -");
  Manifest manifest;
  manifest.kind = kind;
  manifest.meta = meta;
  for (const Segment& segment : segments)
    manifest.segments.push_back({segment.name, segment.dtype, segment.shape, 0, 0});
  manifest.data_bytes = lay_out(manifest.segments);
  return manifest;
}

void write_data(const fs::path& path, Manifest& manifest, std::span<const Segment> segments) {
  const FileDescriptor file = open_file(path, O_WRONLY | O_CREAT | O_EXCL);
  BlockWriter writer(file, path);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    writer.pad_to(manifest.segments[i].offset);
    if (segments[i].file >= 0) {
      writer.append_file(segments[i].file, manifest.segments[i].bytes);
    } else {
      writer.append(segments[i].data, manifest.segments[i].bytes);
    }
  }
  manifest.block_crcs = writer.take_crcs();
  sync(file, path);
}

void swap_manifest(const fs::path& folder, const Manifest& manifest) {
  const fs::path fresh = folder / kNewManifestName;
  ::unlink(fresh.c_str());  // what a killed save left, or a link, which must not be followed
  {
    const FileDescriptor file = open_file(fresh, O_WRONLY | O_CREAT | O_EXCL);
    write_all(file, encode_manifest(manifest), fresh);
    sync(file, fresh);
  }
  sync_folder(folder);  // the data file has its name on the device before a manifest can point to it
  if (::rename(fresh.c_str(), (folder / kManifestName).c_str()) != 0) throw_errno("replace", folder / kManifestName);
}

// The folders that a save made. Those that are empty go again, unless the save was kept.
class NewFolders {
 public:
  // Makes the missing folders of an absolute path, each with its name on the device.
  void make(const fs::path& folder) {
    if (fs::is_directory(folder)) return;
    const fs::path parent = folder.parent_path();
    make(parent);
    if (!folder.has_filename() || !fs::create_directory(folder)) return;
    made_.push_back(folder);
    sync_folder(parent);
  }

  void keep() noexcept { made_.clear(); }

  NewFolders() = default;
  NewFolders(const NewFolders&) = delete;
  NewFolders& operator=(const NewFolders&) = delete;
  ~NewFolders() {
    while (!made_.empty() && ::rmdir(made_.back().c_str()) == 0) made_.pop_back();
  }

 private:
  std::vector<fs::path> made_;  // a folder after its parent
};

// Opens the folder and excludes other writers until the descriptor is closed; a killed writer's lock ends with it.
FileDescriptor lock_folder(const fs::path& folder) {
  FileDescriptor lock = open_file(folder, O_RDONLY | O_DIRECTORY);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw_errno("lock", folder);
    throw FileFailure("another process or thread is saving to " + folder.string() +
                      ": wait until it is done, or save to another folder");
  }
  return lock;
}

void write_locked(const fs::path& folder, Manifest& manifest, std::span<const Segment> segments) {
  const std::vector<std::uint64_t> old = generations_in(folder);
  const std::uint64_t last = old.empty() ? 0 : *std::max_element(old.begin(), old.end());
  if (last == std::numeric_limits<std::uint64_t>::max()) {
    throw FileFailure("cannot number a new generation in " + folder.string() + ": save to another folder");
  }
  manifest.generation = last + 1;
  const fs::path data = folder / data_file_name(manifest.generation);
  try {
    write_data(data, manifest, segments);
    swap_manifest(folder, manifest);
  } catch (...) {
    ::unlink((folder / kNewManifestName).c_str());
    ::unlink(data.c_str());
    throw;
  }
  // From here the new generation stands. The old ones go only when that is on the device.
  sync_folder(folder);
  for (const std::uint64_t generation : old) ::unlink((folder / data_file_name(generation)).c_str());
}

}  // namespace

void write_container(const fs::path& folder, std::string_view kind, std::string_view meta,
                     std::span<const Segment> segments) try {
  Manifest manifest = plan(kind, meta, segments);
  NewFolders folders;
  folders.make(fs::absolute(folder));
  const FileDescriptor lock = lock_folder(folder);
  write_locked(folder, manifest, segments);
  folders.keep();
} catch (const fs::filesystem_error& error) {
  throw FileFailure("cannot save to " + folder.string() + ": " + error.what());
}

}  // namespace twotower
