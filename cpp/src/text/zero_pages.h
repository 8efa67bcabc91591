// Memory of zeros from the system. Knows nothing of what is in it.
#pragma once

#include <cstddef>

namespace twotower {

/// Pages that read as zeros until they are written, and cost nothing before: the system clears each when it is touched.
/// From 2 MiB on they are large pages, where the system has such.
class ZeroPages {
 public:
  /// THROWS std::bad_alloc.
  explicit ZeroPages(std::size_t bytes);
  ZeroPages(const ZeroPages&) = delete;
  ZeroPages& operator=(const ZeroPages&) = delete;
  ~ZeroPages();

  void* data() const noexcept { return data_; }

 private:
  void* mapped_;
  std::size_t mapped_bytes_;
  void* data_;
};

}  // namespace twotower
