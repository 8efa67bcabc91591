// write_file_atomically and replace_folder: see twotower/file.h.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "io/posix_file.h"
#include "twotower/error.h"
#include "twotower/file.h"

namespace twotower {
namespace {

namespace fs = std::filesystem;

fs::path parent_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

void sync_tree(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory() && !entry.is_symlink()) {
      sync_tree(entry.path());
    } else if (entry.is_regular_file()) {
      sync(open_file(entry.path(), O_RDONLY), entry.path());
    }
  }
  sync_folder(folder);
}

// Drops a trailing slash, which would make parent_path() the folder itself.
fs::path without_slash(const fs::path& path) { return path.has_filename() ? path : path.parent_path(); }

}  // namespace

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  std::string name = path.string() + ".XXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) throw_errno("create a temporary file for", path);
  try {
    const FileDescriptor file(fd);
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (::fchmod(fd, 0666 & ~mask) != 0) throw_errno("set the mode of", name);
    write_all(file, bytes, name);
    sync(file, name);
    if (::rename(name.c_str(), path.c_str()) != 0) throw_errno("replace", path);
  } catch (...) {
    ::unlink(name.c_str());
    throw;
  }
  sync_folder(parent_of(path));
}

void replace_folder(const fs::path& temporary, const fs::path& target) try {
  const fs::path from = without_slash(temporary), to = without_slash(target);
  if (!fs::is_directory(from)) throw FileFailure("cannot replace " + to.string() + ": no folder " + from.string());
  sync_tree(from);
  const bool exchange = fs::exists(fs::symlink_status(to));
  if (exchange && !fs::is_directory(to)) {
    throw FileFailure("cannot replace " + to.string() + ": it is not a folder; remove it or choose another name");
  }
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), exchange ? RENAME_EXCHANGE : RENAME_NOREPLACE) != 0) {
    if (errno == EINVAL || errno == ENOSYS) {
      throw FileFailure("cannot replace " + to.string() +
                        ": this file system cannot exchange two folders in one step; save under a new name");
    }
    throw_errno("replace", to);
  }
  sync_folder(parent_of(to));
  if (exchange) fs::remove_all(from);
} catch (const fs::filesystem_error& error) {
  throw FileFailure("cannot replace " + target.string() + ": " + error.what());
}

}  // namespace twotower
