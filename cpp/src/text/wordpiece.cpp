#include "twotower/wordpiece.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <unordered_set>

#include "text/piece_reader.h"
#include "twotower/error.h"
#include "twotower/utf8.h"
#include "util/parallel_for.h"

namespace twotower {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 18;  // text between two looks at the clock and at the cache
constexpr std::size_t kMaxTextBytes = std::size_t{1} << 31;
constexpr std::size_t kMaxTokenBytes = 1000;

std::string quoted(const std::string& token) { return "'" + token + "'"; }

const std::vector<VocabularyEntry>& checked(const std::vector<VocabularyEntry>& vocabulary) {
  std::unordered_set<std::string_view> tokens;
  std::unordered_set<std::int32_t> ids;
  for (const auto& [token, id] : vocabulary) {
    if (first_invalid_utf8(token) != std::string_view::npos) {
      throw InvalidInput("the token of id " + std::to_string(id) + " is not valid UTF-8");
    }
    if (token.size() > kMaxTokenBytes) {
      throw InvalidInput("the token of id " + std::to_string(id) + " has " + std::to_string(token.size()) +
                         " bytes: a token may have " + std::to_string(kMaxTokenBytes));
    }
    if (id < 0) throw InvalidInput("the token " + quoted(token) + " has id " + std::to_string(id) + ", below 0");
    if (!tokens.insert(token).second) throw InvalidInput("the token " + quoted(token) + " comes twice");
    if (!ids.insert(id).second) throw InvalidInput("the id " + std::to_string(id) + " comes twice");
  }
  return vocabulary;
}

const std::vector<AddedToken>& checked(const std::vector<AddedToken>& added) {
  for (const AddedToken& token : added) {
    if (token.content.empty()) throw InvalidInput("an added token is empty");
    if (first_invalid_utf8(token.content) != std::string_view::npos) {
      throw InvalidInput("the added token of id " + std::to_string(token.id) + " is not valid UTF-8");
    }
  }
  return added;
}

std::int32_t id_of(const std::vector<VocabularyEntry>& vocabulary, const std::string& token) {
  for (const auto& entry : vocabulary) {
    if (entry.token == token) return entry.id;
  }
  throw InvalidInput("unk_token " + quoted(token) + " is not in the vocabulary: add it, or name another unk_token");
}

// Texts [begin, end) of a batch.
struct Chunk {
  std::size_t begin, end;
};

std::vector<Chunk> chunks_of(const EncodeRequest& request) {
  std::vector<Chunk> chunks;
  std::size_t bytes = kChunkBytes;
  for (std::size_t i = 0; i < request.texts.size(); ++i) {
    if (bytes >= kChunkBytes) {
      chunks.push_back({i, i});
      bytes = 0;
    }
    chunks.back().end = i + 1;
    bytes += request.texts[i].size() + (request.pairs.empty() ? 0 : request.pairs[i].size());
  }
  return chunks;
}

// Tokens that are kept of a text and of its pair, where there is room for `room`: the rule of "longest first".
struct Kept {
  std::size_t first, second;
};

Kept longest_first(Kept tokens, std::size_t room) {
  if (tokens.first + tokens.second <= room) return tokens;
  const auto [shorter, longer] = std::minmax(tokens.first, tokens.second);
  const std::size_t half = room / 2, other_half = room - half;
  if (shorter > half) return tokens.first > tokens.second ? Kept{other_half, half} : Kept{half, other_half};
  return tokens.first > tokens.second ? Kept{room - shorter, shorter} : Kept{shorter, room - shorter};
}

// What one thread has read: the tokens of its chunks, one behind the other.
struct Lane {
  explicit Lane(const PieceRules& rules) : reader(rules) {}

  PieceReader reader;
  IdBuffer ids;
  std::vector<std::int32_t> spans;
};

// Where the tokens of a chunk are.
struct Place {
  std::size_t lane, begin, size;
};

// One call of WordPiece::encode.
class BatchEncoder {
 public:
  BatchEncoder(const PieceRules& rules, const EncodeRequest& request) : rules_(rules), request_(request) {
    if (request.around != nullptr) around_ = *request.around;
    if (request.pairs.empty()) around_.between.clear();
    if (request.max_length < around_.size()) {
      throw InvalidInput("max_length is " + std::to_string(request.max_length) + ": the special tokens alone are " +
                         std::to_string(around_.size()));
    }
    room_ = request.max_length == EncodeRequest::kNoLimit ? request.max_length : request.max_length - around_.size();
  }

  EncodedBatch run();

 private:
  void read_chunks(std::size_t lane);
  void read_text(Lane& lane, std::size_t number);
  void read_side(Lane& lane, std::string_view text, std::size_t number);
  void close_gap(Lane& lane, std::size_t gap, std::size_t begin, std::size_t size, std::size_t room_before);
  void put(Lane& lane, std::span<const std::int32_t> ids);
  void join();

  const PieceRules& rules_;
  const EncodeRequest& request_;
  TokenTemplate around_;
  std::size_t room_ = 0;  // for tokens of the texts
  std::vector<Chunk> chunks_;
  std::vector<Place> places_;  // by chunk
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<std::size_t> next_chunk_{0};
  EncodedBatch out_;
};

EncodedBatch BatchEncoder::run() {
  const std::size_t n = request_.texts.size();
  chunks_ = chunks_of(request_);
  places_.resize(chunks_.size());
  out_.offsets.resize(n + 1);
  if (!request_.pairs.empty()) out_.n_first.resize(n);
  const std::size_t n_lanes = std::min<std::size_t>(resolve_threads(request_.threads), chunks_.size());
  for (std::size_t i = 0; i < n_lanes; ++i) lanes_.push_back(std::make_unique<Lane>(rules_));
  parallel_for(n_lanes, request_.threads, [this](std::size_t lane) { read_chunks(lane); });
  for (std::size_t i = 0; i < n; ++i) out_.offsets[i + 1] += out_.offsets[i];
  join();
  return std::move(out_);
}

// A lane takes the next chunk until there is none; where one lane fails, the others find none.
void BatchEncoder::read_chunks(std::size_t number) {
  Lane& lane = *lanes_[number];
  try {
    for (std::size_t chunk; (chunk = next_chunk_.fetch_add(1)) < chunks_.size();) {
      lane.reader.refresh();
      const std::size_t begin = lane.ids.size();
      for (std::size_t i = chunks_[chunk].begin; i < chunks_[chunk].end; ++i) {
        const std::size_t before = lane.ids.size();
        read_text(lane, i);
        out_.offsets[i + 1] = static_cast<std::int64_t>(lane.ids.size() - before);
      }
      places_[chunk] = {number, begin, lane.ids.size() - begin};
      check_interrupt();
    }
  } catch (...) {
    next_chunk_.store(chunks_.size());
    throw;
  }
}

void BatchEncoder::read_text(Lane& lane, std::size_t number) {
  put(lane, around_.before);
  const std::size_t first = lane.ids.size();
  read_side(lane, request_.texts[number], number);
  if (request_.pairs.empty()) {
    lane.ids.set_size(std::min(lane.ids.size(), first + std::min(room_, lane.ids.size() - first)));
  } else {
    const std::size_t second = lane.ids.size();
    read_side(lane, request_.pairs[number], number);
    const Kept kept = longest_first({second - first, lane.ids.size() - second}, room_);
    close_gap(lane, first + kept.first, second, kept.second, around_.between.size());
    out_.n_first[number] = static_cast<std::int64_t>(kept.first);
  }
  if (request_.spans) lane.spans.resize(2 * lane.ids.size());
  put(lane, around_.after);
}

void BatchEncoder::read_side(Lane& lane, std::string_view text, std::size_t number) {
  if (text.size() >= kMaxTextBytes) {
    throw InvalidInput("text " + std::to_string(number) + " has " + std::to_string(text.size()) +
                       " bytes: a text may have 2^31 - 1, so cut it");
  }
  if (request_.check_utf8) check_utf8(text, number);
  // "Longest first" asks how long both texts of a pair are.
  const std::size_t limit = request_.pairs.empty() ? room_ : EncodeRequest::kNoLimit;
  if (request_.spans) {
    lane.reader.append_with_spans(text, limit, lane.ids, lane.spans);
  } else {
    lane.reader.append(text, limit, lane.ids);
  }
}

// Moves the `size` tokens of a pair's second text from `begin` to behind `gap`, and puts what goes between before them.
void BatchEncoder::close_gap(Lane& lane, std::size_t gap, std::size_t begin, std::size_t size,
                             std::size_t room_before) {
  lane.ids.room(room_before);
  std::int32_t* const ids = lane.ids.data();
  std::memmove(ids + gap + room_before, ids + begin, size * sizeof *ids);
  std::copy(around_.between.begin(), around_.between.end(), ids + gap);
  lane.ids.set_size(gap + room_before + size);
  if (!request_.spans) return;
  auto& spans = lane.spans;
  spans.resize(2 * std::max(spans.size() / 2, gap + room_before + size) + 2 * room_before);
  std::memmove(spans.data() + 2 * (gap + room_before), spans.data() + 2 * begin, 2 * size * sizeof spans[0]);
  std::fill_n(spans.begin() + static_cast<std::ptrdiff_t>(2 * gap), 2 * room_before, 0);
}

void BatchEncoder::put(Lane& lane, std::span<const std::int32_t> ids) {
  std::copy(ids.begin(), ids.end(), lane.ids.room(ids.size()));
  lane.ids.set_size(lane.ids.size() + ids.size());
  if (request_.spans) lane.spans.resize(2 * lane.ids.size());
}

// One lane has everything in order; several are copied to their places.
void BatchEncoder::join() {
  if (lanes_.empty()) return;
  if (lanes_.size() == 1) {
    out_.ids = std::move(lanes_[0]->ids);
    out_.ids.shrink();
    out_.spans = std::move(lanes_[0]->spans);
    return;
  }
  const auto n_ids = static_cast<std::size_t>(out_.offsets.back());
  std::int32_t* const ids = out_.ids.room(n_ids);
  out_.ids.set_size(n_ids);
  if (request_.spans) out_.spans.resize(2 * n_ids);
  parallel_for(chunks_.size(), request_.threads, [&](std::size_t chunk) {
    const auto& [lane, begin, size] = places_[chunk];
    const auto to = static_cast<std::size_t>(out_.offsets[chunks_[chunk].begin]);
    if (size > 0) std::memcpy(ids + to, lanes_[lane]->ids.data() + begin, size * sizeof *ids);
    if (request_.spans) std::copy_n(lanes_[lane]->spans.data() + 2 * begin, 2 * size, out_.spans.data() + 2 * to);
  });
}

}  // namespace

struct WordPiece::Parts {
  Parts(std::vector<VocabularyEntry> vocabulary, std::vector<AddedToken> added_tokens, WordPieceOptions given)
      : options(std::move(given)),
        matcher(checked(vocabulary), options.continuing_subword_prefix),
        added(checked(added_tokens)),
        rules{matcher, added, options, id_of(vocabulary, options.unk_token), cache} {
    PieceReader reader(rules);
    for (const auto& [token, id] : vocabulary) reader.preload(token);
  }

  const WordPieceOptions options;
  const PieceMatcher matcher;
  const AddedTokens added;
  mutable PieceCache cache;
  const PieceRules rules;
};

WordPiece::WordPiece(std::vector<VocabularyEntry> vocabulary, std::vector<AddedToken> added, WordPieceOptions options)
    : parts_(std::make_unique<const Parts>(std::move(vocabulary), std::move(added), std::move(options))) {}

WordPiece::~WordPiece() = default;

EncodedBatch WordPiece::encode(const EncodeRequest& request) const { return BatchEncoder(parts_->rules, request).run(); }

}  // namespace twotower
