#include "text/batch_encoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "twotower/error.h"
#include "twotower/interrupt.h"
#include "util/parallel_for.h"

namespace twotower {
namespace {

constexpr std::size_t kChunkUnits = std::size_t{1} << 16;  // text between two looks at the clock; its ids stay in L2
constexpr std::size_t kBytesPerId = 4;                     // of common text; a guess to begin with

// Bytes to characters, in place: spans of tokens of one text.
void to_chars(std::string_view text, std::span<std::int32_t> spans, std::vector<std::int32_t>& char_of_byte) {
  char_of_byte.assign(text.size() + 1, 0);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    char_of_byte[i + 1] = char_of_byte[i] + (begins ? 1 : 0);
  }
  for (std::int32_t& place : spans) place = char_of_byte[static_cast<std::size_t>(place)];
}

}  // namespace

KeptTokens longest_first(KeptTokens tokens, std::size_t room) noexcept {
  const auto [first, second] = tokens;
  if (first <= room && second <= room - first) return tokens;
  const std::size_t half = room / 2;
  const std::size_t shorter = std::min({first, second, half});
  return first > second ? KeptTokens{room - shorter, shorter} : KeptTokens{shorter, room - shorter};
}

struct BatchEncoder::Lane {
  Lane(std::unique_ptr<TokenReader> own, IdBuffer& ids_room, IdBuffer& spans_room)
      : reader(std::move(own)), ids(ids_room), spans(spans_room) {}

  const std::unique_ptr<TokenReader> reader;
  IdBuffer& ids;  // of the chunk at hand, or of all if there is one lane
  IdBuffer& spans;
  std::string utf8;
  std::vector<std::int32_t> char_of_byte;
};

BatchEncoder::BatchEncoder(TokenReaderFactory make_reader, const EncodeRequest& request)
    : make_reader_(std::move(make_reader)),
      request_(request),
      spans_(request.spans != SpanUnit::kNone),
      room_(request.max_length) {
  if (request.around != nullptr) around_ = *request.around;
  if (request.pairs.empty()) around_.between.clear();
  if (request.max_length < around_.size()) {
    throw InvalidInput("max_length is " + std::to_string(request.max_length) + ": the special tokens alone are " +
                       std::to_string(around_.size()));
  }
  if (room_ != EncodeRequest::kNoLimit) room_ -= around_.size();
}

void BatchEncoder::cut_chunks() {
  std::size_t units = kChunkUnits;
  for (std::size_t i = 0; i < request_.texts.size(); ++i) {
    if (units >= kChunkUnits) {
      chunks_.push_back({i, i});
      units = 0;
    }
    chunks_.back().end = i + 1;
    const std::size_t added = request_.texts[i].size + (request_.pairs.empty() ? 0 : request_.pairs[i].size);
    units += added;
    n_units_ += added;
  }
}

EncodedBatch BatchEncoder::run() {
  const std::size_t n_texts = request_.texts.size();
  cut_chunks();
  out_.offsets.resize(n_texts + 1);
  if (!request_.pairs.empty()) out_.n_first.resize(n_texts);
  const std::size_t n_lanes = std::min<std::size_t>(resolve_threads(request_.threads), chunks_.size());
  const std::size_t guess = n_units_ / kBytesPerId;
  if (n_lanes <= 1) {
    out_.ids.room(guess);
    read_chunks(true);
    out_.ids.shrink();
  } else {
    OrderedIds ids(chunks_.size(), guess), spans(chunks_.size(), 0);
    ordered_ids_ = &ids;
    ordered_spans_ = &spans;
    parallel_for(n_lanes, request_.threads, [this](std::size_t) { read_chunks(false); });
    out_.ids = ids.take();
    out_.ids.shrink();
    out_.spans = spans.take();
  }
  for (std::size_t i = 0; i < n_texts; ++i) out_.offsets[i + 1] += out_.offsets[i];
  return std::move(out_);
}

// One lane. Where it fails, the others find no chunk any more.
void BatchEncoder::read_chunks(bool alone) {
  IdBuffer own_ids, own_spans;
  Lane lane(make_reader_(), alone ? out_.ids : own_ids, alone ? out_.spans : own_spans);
  try {
    for (std::size_t number; (number = next_chunk_.fetch_add(1)) < chunks_.size();) {
      lane.reader->refresh();
      for (std::size_t i = chunks_[number].begin; i < chunks_[number].end; ++i) {
        const std::size_t before = lane.ids.size();
        read_text(lane, i);
        out_.offsets[i + 1] = static_cast<std::int64_t>(lane.ids.size() - before);
      }
      if (!alone) ordered_ids_->bring(number, lane.ids);
      if (!alone && spans_) ordered_spans_->bring(number, lane.spans);
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
  read_side(lane, request_.texts[number], "text", number);
  const std::size_t second = lane.ids.size();
  if (request_.pairs.empty()) {
    if (second - first > room_) set_size(lane, first + room_);
  } else {
    read_side(lane, request_.pairs[number], "pair", number);
    keep_of_pair(lane, first, second, number);
  }
  put(lane, around_.after);
}

void BatchEncoder::read_side(Lane& lane, const StoredText& stored, const char* name, std::size_t number) {
  const std::string_view text = utf8_of(stored, lane.utf8, name, number);
  // "Longest first" asks how long both texts of a pair are.
  const std::size_t limit = request_.pairs.empty() ? room_ : EncodeRequest::kNoLimit;
  if (!spans_) return lane.reader->append(text, limit, lane.ids, nullptr);
  const std::size_t begin = lane.spans.size();
  lane.reader->append(text, limit, lane.ids, &lane.spans);
  if (request_.spans == SpanUnit::kChar && stored.form != TextForm::kAscii) {
    to_chars(text, {lane.spans.data() + begin, lane.spans.size() - begin}, lane.char_of_byte);
  }
}

// The tokens from `first` on are those of the text, from `second` on those of its pair.
void BatchEncoder::keep_of_pair(Lane& lane, std::size_t first, std::size_t second, std::size_t number) {
  const KeptTokens kept = longest_first({second - first, lane.ids.size() - second}, room_);
  const std::size_t gap = first + kept.first, n_between = around_.between.size();
  out_.n_first[number] = static_cast<std::int64_t>(kept.first);
  lane.ids.room(n_between);
  std::int32_t* const ids = lane.ids.data();
  std::memmove(ids + gap + n_between, ids + second, kept.second * sizeof *ids);
  std::copy(around_.between.begin(), around_.between.end(), ids + gap);
  if (spans_) {
    lane.spans.room(2 * n_between);
    std::int32_t* const spans = lane.spans.data();
    std::memmove(spans + 2 * (gap + n_between), spans + 2 * second, 2 * kept.second * sizeof *spans);
    std::fill_n(spans + 2 * gap, 2 * n_between, 0);
  }
  set_size(lane, gap + n_between + kept.second);
}

void BatchEncoder::put(Lane& lane, const std::vector<std::int32_t>& ids) {
  std::int32_t* const out = lane.ids.room(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) out[i] = ids[i];
  if (spans_) std::fill_n(lane.spans.room(2 * ids.size()), 2 * ids.size(), 0);
  set_size(lane, lane.ids.size() + ids.size());
}

void BatchEncoder::set_size(Lane& lane, std::size_t n_ids) {
  lane.ids.set_size(n_ids);
  if (spans_) lane.spans.set_size(2 * n_ids);
}

}  // namespace twotower
