// A file without a name: gone with the process, however it ends. Knows nothing of what it holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "io/posix_file.h"

namespace twotower::build {

/// Written at the end, read anywhere. Reading is safe from several threads while nothing is written.
class TemporaryFile {
 public:
  /// THROWS FileFailure if no file can be made in `folder`.
  explicit TemporaryFile(const std::filesystem::path& folder);

  std::uint64_t size() const noexcept { return size_; }
  int descriptor() const noexcept { return file_.get(); }

  /// Appends and returns where the bytes begin. THROWS FileFailure.
  std::uint64_t append(const void* bytes, std::size_t n);

  /// THROWS FileFailure.
  void read(std::uint64_t offset, void* bytes, std::size_t n) const;

 private:
  std::filesystem::path folder_;
  FileDescriptor file_;
  std::uint64_t size_ = 0;
};

}  // namespace twotower::build
