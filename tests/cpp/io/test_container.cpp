// Containers on disk, without Python: save, open, replace, refuse.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "twotower/container.h"
#include "twotower/error.h"
#include "twotower/file.h"

using namespace twotower;
namespace fs = std::filesystem;

namespace {

struct TemporaryFolder {
  TemporaryFolder() {
    char name[] = "/tmp/twotower-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~TemporaryFolder() { fs::remove_all(path); }
  fs::path path;
};

std::vector<float> save(const fs::path& folder, std::size_t n, float first) {
  std::vector<float> values(n);
  std::iota(values.begin(), values.end(), first);
  const Segment segments[] = {{"values", DType::kFloat32, {n}, values.data()}, {"none", DType::kInt64, {0}, nullptr}};
  write_container(folder, "test", "meta", segments);
  return values;
}

bool holds(const Container& container, const std::vector<float>& values) {
  const Segment& segment = container.segments().at(0);
  return segment.shape == std::vector<std::uint64_t>{values.size()} &&
         std::memcmp(segment.data, values.data(), values.size() * sizeof(float)) == 0;
}

std::size_t n_files(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

void flip_byte(const fs::path& path, std::uint64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const char byte = static_cast<char>(file.get() ^ 1);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(byte);
}

}  // namespace

TEST_CASE("container: sizes around a block come back, aligned, and a second save leaves one generation") {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path / "deep" / "index";
  constexpr std::size_t kBlockFloats = (1 << 20) / sizeof(float);
  for (const std::size_t n : {std::size_t{1}, std::size_t{15}, kBlockFloats - 1, kBlockFloats, 2 * kBlockFloats + 17}) {
    const auto values = save(folder, n, static_cast<float>(n));
    const auto container = Container::open(folder, "test");
    CHECK(container->meta() == "meta");
    CHECK(holds(*container, values));
    CHECK(reinterpret_cast<std::uintptr_t>(container->segments()[0].data) % 64 == 0);
    CHECK(container->segments()[1].data == nullptr);
    CHECK(n_files(folder) == 2);
  }
}

TEST_CASE("container: a reader keeps the generation that it opened") {
  const TemporaryFolder temporary;
  const auto before = save(temporary.path, 1000, 1.0f);
  const auto container = Container::open(temporary.path, "test");
  const auto after = save(temporary.path, 2000, 5.0f);
  CHECK(holds(*container, before));
  CHECK(holds(*Container::open(temporary.path, "test"), after));
}

TEST_CASE("container: damage, foreign kinds and missing files are named") {
  const TemporaryFolder temporary;
  CHECK_THROWS_AS(Container::open(temporary.path, "test"), FileFailure);
  CHECK_THROWS_AS(Container::open(temporary.path / "none", "test"), FileFailure);
  save(temporary.path, 600000, 1.0f);
  CHECK_THROWS_AS(Container::open(temporary.path, "other"), CorruptFile);
  const fs::path data = temporary.path / "twotower-0000000000000001.data";
  for (const std::uint64_t at : {0u, 1u << 20, 2399999u}) {
    flip_byte(data, at);
    CHECK_THROWS_AS(Container::open(temporary.path, "test"), CorruptFile);
    flip_byte(data, at);
    CHECK_NOTHROW(Container::open(temporary.path, "test"));
  }
  fs::resize_file(data, 2399999);
  CHECK_THROWS_AS(Container::open(temporary.path, "test"), CorruptFile);
  fs::remove(data);
  CHECK_THROWS_AS(Container::open(temporary.path, "test"), CorruptFile);
}

TEST_CASE("container: a second writer is refused, and nothing is touched") {
  const TemporaryFolder temporary;
  const auto values = save(temporary.path, 10, 1.0f);
  const int lock = ::open(temporary.path.c_str(), O_RDONLY);
  REQUIRE(::flock(lock, LOCK_EX) == 0);
  CHECK_THROWS_AS(save(temporary.path, 20, 2.0f), FileFailure);
  ::close(lock);
  CHECK(holds(*Container::open(temporary.path, "test"), values));
  CHECK(n_files(temporary.path) == 2);
}

TEST_CASE("container: a segment name that comes twice is refused before anything is written") {
  const TemporaryFolder temporary;
  const char byte = 1;
  const Segment twice[] = {{"a", DType::kUint8, {1}, &byte}, {"a", DType::kUint8, {1}, &byte}};
  CHECK_THROWS_AS(write_container(temporary.path, "test", "", twice), InvalidInput);
  CHECK(n_files(temporary.path) == 0);
}

TEST_CASE("write_file_atomically and replace_folder") {
  const TemporaryFolder temporary;
  const fs::path file = temporary.path / "a.json";
  write_file_atomically(file, "one");
  write_file_atomically(file, "two");
  std::string text;
  std::ifstream(file) >> text;
  CHECK(text == "two");
  CHECK(n_files(temporary.path) == 1);
  CHECK_THROWS_AS(write_file_atomically(temporary.path / "no" / "a", "x"), FileFailure);

  const fs::path target = temporary.path / "model", fresh = temporary.path / "model.new";
  for (const char* content : {"first", "second"}) {
    fs::create_directories(fresh / "inner");
    write_file_atomically(fresh / "inner" / "f", content);
    replace_folder(fresh, target / "");
    std::ifstream(target / "inner" / "f") >> text;
    CHECK(text == content);
    CHECK(!fs::exists(fresh));
  }
  CHECK_THROWS_AS(replace_folder(fresh, target), FileFailure);
  fs::create_directory(fresh);
  CHECK_THROWS_AS(replace_folder(fresh, file), FileFailure);
}

TEST_CASE("container: a pipe in place of a file is refused, not waited for") {
  const TemporaryFolder temporary;
  save(temporary.path, 5, 0.0f);
  for (const char* name : {"twotower-0000000000000001.data", "twotower.manifest"}) {
    fs::remove(temporary.path / name);
    REQUIRE(::mkfifo((temporary.path / name).c_str(), 0600) == 0);
    CHECK_THROWS_WITH_AS(Container::open(temporary.path, "test"), doctest::Contains("is not a regular file"),
                         CorruptFile);
  }
}

TEST_CASE("container: a save follows no link that lies in its way") {
  const TemporaryFolder temporary, other;
  save(temporary.path, 5, 0.0f);
  std::ofstream(other.path / "theirs") << "precious";
  fs::create_symlink(other.path / "theirs", temporary.path / "twotower.manifest.new");
  const std::vector<float> values = save(temporary.path, 7, 1.0f);
  CHECK(holds(*Container::open(temporary.path, "test"), values));
  CHECK(n_files(temporary.path) == 2);
  CHECK(fs::file_size(other.path / "theirs") == 8);
  CHECK_FALSE(fs::is_symlink(temporary.path / "twotower.manifest"));
}
