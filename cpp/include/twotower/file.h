// Atomic replacement of files and folders. Knows nothing of what they hold.
#pragma once

#include <filesystem>
#include <string_view>

namespace twotower {

/// Makes `path` hold exactly `bytes`: a kill at any moment leaves the old file or the new one.
///
/// Writes a temporary file beside it, syncs it, renames it over `path` and syncs the folder. Two writers of one path:
/// the last rename wins, whole. THROWS FileFailure; the old file is then untouched.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Makes the folder `temporary` take the place and name of `target`, in one step; what `target` held is then removed.
///
/// Syncs every file of `temporary` first. An existing target is exchanged (renameat2 with RENAME_EXCHANGE), so that no
/// moment exists at which `target` is missing or half new; after a kill the old content may stay under the name
/// `temporary`. REQUIRES both on one file system. THROWS FileFailure; `target` is then untouched.
void replace_folder(const std::filesystem::path& temporary, const std::filesystem::path& target);

}  // namespace twotower
