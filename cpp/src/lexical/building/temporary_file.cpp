#include "lexical/building/temporary_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "twotower/error.h"

namespace twotower::build {
namespace {

FileDescriptor make_nameless(const std::filesystem::path& folder) {
  std::string name = (folder / ".twotower-build-XXXXXX").string();
  FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (file.get() < 0) throw_errno("create a temporary file in", folder);
  ::unlink(name.c_str());
  return file;
}

}  // namespace

TemporaryFile::TemporaryFile(const std::filesystem::path& folder) : folder_(folder), file_(make_nameless(folder)) {}

std::uint64_t TemporaryFile::append(const void* bytes, std::size_t n) {
  const std::uint64_t offset = size_;
  write_all(file_, {static_cast<const char*>(bytes), n}, folder_ / "(temporary file)");
  size_ += n;
  return offset;
}

void TemporaryFile::read(std::uint64_t offset, void* bytes, std::size_t n) const {
  auto* to = static_cast<char*>(bytes);
  while (n > 0) {
    const ssize_t got = ::pread(file_.get(), to, n, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("read", folder_ / "(temporary file)");
    if (got == 0) throw FileFailure("the temporary file in " + folder_.string() + " became shorter: build again");
    to += got;
    offset += static_cast<std::uint64_t>(got);
    n -= static_cast<std::size_t>(got);
  }
}

}  // namespace twotower::build
