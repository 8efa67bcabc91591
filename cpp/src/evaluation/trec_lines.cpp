// Chunks to lines, lines to fields, fields to rows. Knows the two formats; what a row means is the tables' affair.
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "twotower/evaluation.h"
#include "twotower/interrupt.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

constexpr std::int32_t kMaxGrade = std::numeric_limits<std::int32_t>::max();

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

// Number of fields between runs of blanks; those that fit are stored.
template <std::size_t N>
std::size_t split_blanks(std::string_view line, std::array<std::string_view, N>& fields) noexcept {
  std::size_t n = 0;
  const char* at = line.data();
  const char* const end = at + line.size();
  for (;;) {
    while (at != end && is_blank(*at)) ++at;
    if (at == end) return n;
    const char* const begin = at;
    while (at != end && !is_blank(*at)) ++at;
    if (n < N) fields[n] = {begin, static_cast<std::size_t>(at - begin)};
    ++n;
  }
}

std::size_t split_tabs(std::string_view line, std::array<std::string_view, 3>& fields) noexcept {
  std::size_t n = 0;
  for (;;) {
    const std::size_t tab = line.find('\t');
    if (n < fields.size()) fields[n] = line.substr(0, tab);
    ++n;
    if (tab == std::string_view::npos) return n;
    line.remove_prefix(tab + 1);
  }
}

void check_line(std::uint64_t number, std::string_view line) {
  const std::size_t at = first_invalid_utf8(line);
  if (at == std::string_view::npos) return;
  throw BadLine(number, line, "invalid UTF-8 at byte " + std::to_string(at + 1));
}

// A decimal number as Python's float() reads it, without underscores; nothing if it is none, or not finite.
std::optional<double> parse_score(std::string_view text) {
  if (text.starts_with('+') && !text.substr(1).starts_with('-')) text.remove_prefix(1);
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range)
    value = std::strtod(std::string(text).c_str(), nullptr);  // 0 or infinity
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::int32_t> parse_grade(std::string_view text) noexcept {
  if (text.size() > (text.starts_with('-') ? 11u : 10u)) return std::nullopt;  // as the plain reader: no long zeros
  std::int32_t grade = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), grade);
  if (error != std::errc() || end != text.data() + text.size() || grade < -kMaxGrade) return std::nullopt;
  return grade;
}

bool is_beir_header(std::string_view line) noexcept {
  std::array<std::string_view, 3> fields;
  if (split_tabs(line, fields) != 3) return false;
  const std::string_view last = fields[2];
  std::size_t at = 0, end = last.size();
  while (at < end && is_blank(last[at])) ++at;
  while (end > at && is_blank(last[end - 1])) --end;
  while (at < end && last[at] == '-') ++at;
  if (at == end) return true;
  for (; at < end; ++at) {
    if (last[at] < '0' || last[at] > '9') return true;
  }
  return false;
}

}  // namespace

void ChunkedLines::feed(std::string_view chunk, const OnLine& on_line) {
  const auto hand_on = [&](std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    on_line(++number_, line);
  };
  while (!chunk.empty()) {
    const void* const found = std::memchr(chunk.data(), '\n', chunk.size());
    if (found == nullptr) {
      rest_.append(chunk);
      break;
    }
    const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - chunk.data());
    if (rest_.empty()) {
      hand_on(chunk.substr(0, length));
    } else {
      rest_.append(chunk.substr(0, length));
      hand_on(rest_);
      rest_.clear();
    }
    chunk.remove_prefix(length + 1);
  }
  check_interrupt();
}

void ChunkedLines::finish(const OnLine& on_line) {
  if (rest_.empty()) return;
  std::string_view line = rest_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  on_line(++number_, line);
  rest_.clear();
}

void RunReader::feed(std::string_view chunk) {
  lines_.feed(chunk, [this](std::uint64_t number, std::string_view line) { read(number, line); });
}

void RunReader::finish() {
  lines_.finish([this](std::uint64_t number, std::string_view line) { read(number, line); });
}

void RunReader::read(std::uint64_t number, std::string_view line) {
  check_line(number, line);
  std::array<std::string_view, 6> fields;
  const std::size_t n = split_blanks(line, fields);
  if (n == 0) return;
  if (n != 6) {
    throw BadLine(number, line, "must have 6 fields (query Q0 document rank score tag), got " + std::to_string(n));
  }
  const std::optional<double> score = parse_score(fields[4]);
  if (!score) throw BadLine(number, line, "score '" + std::string(fields[4]) + "' must be a finite number");
  on_row_(fields[0], fields[2], *score, number, line);
}

void QrelsReader::feed(std::string_view chunk) {
  lines_.feed(chunk, [this](std::uint64_t number, std::string_view line) { read(number, line); });
}

void QrelsReader::finish() {
  lines_.finish([this](std::uint64_t number, std::string_view line) { read(number, line); });
}

void QrelsReader::read(std::uint64_t number, std::string_view line) {
  check_line(number, line);
  if (number == 1 && is_beir_header(line)) {
    is_beir_ = true;
    return;
  }
  std::string_view query_id, doc_id, grade_text;
  if (is_beir_) {
    if (line.empty()) return;
    std::array<std::string_view, 3> fields;
    const std::size_t n = split_tabs(line, fields);
    if (n != 3) throw BadLine(number, line, "must have 3 fields with tabs between, got " + std::to_string(n));
    query_id = fields[0], doc_id = fields[1], grade_text = fields[2];
  } else {
    std::array<std::string_view, 4> fields;
    const std::size_t n = split_blanks(line, fields);
    if (n == 0) return;
    if (n != 4) throw BadLine(number, line, "must have 4 fields (query 0 document grade), got " + std::to_string(n));
    query_id = fields[0], doc_id = fields[2], grade_text = fields[3];
  }
  const std::optional<std::int32_t> grade = parse_grade(grade_text);
  if (!grade) throw BadLine(number, line, "grade '" + std::string(grade_text) + "' must be an integer");
  judgements_.add(query_id, doc_id, *grade, number, line);
}

}  // namespace twotower
