#include "text/training/byte_level_cutter.h"

#include "twotower/interrupt.h"

namespace twotower {
namespace {

constexpr std::size_t kPartBytes = std::size_t{1} << 15;  // text that is cut at once; its buffers stay in L2

}  // namespace

ByteLevelCutter::ByteLevelCutter(const BpeOptions& options, const AddedTokens& added)
    : options_(options), added_(added), splitter_(options.rule) {}

void ByteLevelCutter::count(std::string_view text) {
  std::size_t at = 0;
  for (AddedTokens::Match match; added_.find(text, at, match); at = match.end) {
    count_stretch(text.substr(at, match.begin - at));
  }
  count_stretch(text.substr(at));
}

void ByteLevelCutter::count_stretch(std::string_view stretch) {
  if (stretch.empty()) return;
  if (options_.nfc) stretch = nfc_.normalize(stretch, false);
  if (options_.add_prefix_space && stretch.front() != ' ') {
    prefixed_.assign(1, ' ').append(stretch);
    stretch = prefixed_;
  }
  while (!stretch.empty()) {
    const bool whole = options_.rule == SplitRule::kNone;
    const std::size_t size = whole ? stretch.size() : ByteLevelSplitter::leading_part(stretch, kPartBytes);
    const auto starts = splitter_.split(stretch.substr(0, size));
    for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
      words_.add_padded(splitter_.folded() + starts[i], starts[i + 1] - starts[i]);
    }
    stretch.remove_prefix(size);
    if (!stretch.empty()) check_interrupt();
  }
}

void ByteLevelCutter::move_to(WordTable& words) {
  words_.for_each([&](std::string_view word, std::uint64_t count) { words.add(word, count); });
  words_ = WordTable();
}

}  // namespace twotower
