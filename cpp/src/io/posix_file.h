// POSIX files with errors as exceptions. Knows no format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace twotower {

/// Owns one file descriptor.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor();

  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

/// Throws FileFailure "cannot <action> <path>: <text of errno>".
[[noreturn]] void throw_errno(const char* action, const std::filesystem::path& path);

/// open(2) with O_CLOEXEC, retried on EINTR. Never waits for the other end of a pipe that lies in place of a file: what
/// file_size() refuses. THROWS FileFailure.
FileDescriptor open_file(const std::filesystem::path& path, int flags);

/// Writes all bytes at the file position. THROWS FileFailure.
void write_all(const FileDescriptor& file, std::string_view bytes, const std::filesystem::path& path);

/// fsync(2): returns when the bytes are on the device. THROWS FileFailure.
void sync(const FileDescriptor& file, const std::filesystem::path& path);

/// Opens and syncs a folder, so that the names in it are on the device. THROWS FileFailure.
void sync_folder(const std::filesystem::path& folder);

/// Size in bytes. THROWS FileFailure; CorruptFile if it is not a regular file.
std::uint64_t file_size(const FileDescriptor& file, const std::filesystem::path& path);

/// The first `size` bytes. THROWS FileFailure, or CorruptFile if there are fewer.
std::string read_exactly(const FileDescriptor& file, std::size_t size, const std::filesystem::path& path);

}  // namespace twotower
