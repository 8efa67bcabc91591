// Names of the files of a container. Writer and reader agree here.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

namespace twotower {

inline constexpr const char* kManifestName = "twotower.manifest";
inline constexpr const char* kNewManifestName = "twotower.manifest.new";

/// "twotower-<generation as 16 hex digits>.data"
inline std::string data_file_name(std::uint64_t generation) {
  char name[48];
  std::snprintf(name, sizeof name, "twotower-%016llx.data", static_cast<unsigned long long>(generation));
  return name;
}

/// The generation that a file name states, if it is the name of a data file.
inline std::optional<std::uint64_t> generation_of(const std::string& name) {
  if (name.size() != data_file_name(0).size()) return std::nullopt;
  unsigned long long generation = 0;
  if (std::sscanf(name.c_str(), "twotower-%16llx.data", &generation) != 1) return std::nullopt;
  if (name != data_file_name(generation)) return std::nullopt;
  return generation;
}

}  // namespace twotower
