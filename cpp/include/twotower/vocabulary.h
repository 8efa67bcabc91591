// The terms of an index or a tower, and their numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "twotower/term_table.h"

namespace twotower {

/// Which ids the terms of a word cache have. Private to the core.
class TermLinks;

/// A TermTable that threads may share: every function holds its lock. Terms are well-formed UTF-8, each once, ids are
/// dense from 0 in order of first appearance. While one thread adds, others see a moment of it.
class Vocabulary {
 public:
  static constexpr std::int32_t kUnknown = TermTable::kUnknown;

  Vocabulary() = default;

  /// Reads the stored form (see bytes and offsets). THROWS InvalidInput unless the offsets begin with 0, never fall and
  /// end with the number of bytes, and the terms are well-formed UTF-8 and all different. O(bytes).
  Vocabulary(std::string_view bytes, std::span<const std::int64_t> offsets);

  std::size_t size() const;
  std::int32_t find(std::string_view term) const;

  /// From now on no term is added: what would add one throws InvalidInput.
  void freeze();

  /// Adds one term, or finds it. THROWS InvalidInput if it is malformed UTF-8, or new to a frozen vocabulary.
  std::int32_t add(std::string_view term);

  /// The term of an id. THROWS InvalidInput if there is none.
  std::string term(std::int32_t id) const;

  std::vector<std::string> terms() const;

  /// Appends the id of each of `terms`: an unknown one is added if `grow`, else its id is kUnknown.
  /// REQUIRES well-formed UTF-8. One lock for all. THROWS InvalidInput if one must be added to a frozen vocabulary.
  void append_ids(std::span<const std::string_view> terms, bool grow, std::vector<std::int32_t>& ids);

  /// The ids that are known for the terms of the word cache with this number; if there are none yet, they are begun if
  /// `begin`, else there is no answer. Kept for the last four caches: at most 4 bytes for each of their terms.
  std::shared_ptr<TermLinks> links_to(std::uint64_t cache, bool begin);

  /// Copies of the stored form: all terms one behind the other, and size() + 1 offsets.
  std::pair<std::vector<std::uint8_t>, std::vector<std::int64_t>> stored() const;

 private:
  mutable std::mutex mutex_;
  TermTable table_;
  bool frozen_ = false;
  std::vector<std::shared_ptr<TermLinks>> links_;  // the newest last
};

}  // namespace twotower
