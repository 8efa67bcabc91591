#include "io/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "twotower/error.h"

namespace twotower {

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

void throw_errno(const char* action, const std::filesystem::path& path) {
  const int code = errno;
  throw FileFailure("cannot " + std::string(action) + " " + path.string() + ": " + std::strerror(code));
}

FileDescriptor open_file(const std::filesystem::path& path, int flags) {
  for (;;) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK, 0666);
    if (fd >= 0) return FileDescriptor(fd);
    if (errno != EINTR) throw_errno((flags & O_CREAT) != 0 ? "create" : "open", path);
  }
}

void write_all(const FileDescriptor& file, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw_errno("write", path);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void sync(const FileDescriptor& file, const std::filesystem::path& path) {
  if (::fsync(file.get()) != 0) throw_errno("sync", path);
}

void sync_folder(const std::filesystem::path& folder) { sync(open_file(folder, O_RDONLY | O_DIRECTORY), folder); }

std::uint64_t file_size(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) throw_errno("stat", path);
  if (!S_ISREG(status.st_mode)) throw CorruptFile(path.string() + " is not a regular file: save the index again");
  return static_cast<std::uint64_t>(status.st_size);
}

std::string read_exactly(const FileDescriptor& file, std::size_t size, const std::filesystem::path& path) {
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(file.get(), bytes.data() + done, size - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("read", path);
    if (got == 0) throw CorruptFile(path.string() + " became shorter while it was read: save the index again");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace twotower
