#include "text/byte_alphabet.h"

#include <array>

#include "twotower/utf8.h"

namespace twotower {
namespace {

constexpr char32_t kFirstStandIn = 0x100, kEnd = 0x144;  // 68 bytes have no printable character of their own

constexpr bool is_printable(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
}

struct Alphabet {
  std::array<char32_t, 256> char_of{};
  std::array<std::int16_t, kEnd> byte_of{};

  constexpr Alphabet() {
    byte_of.fill(-1);
    char32_t next = kFirstStandIn;
    for (int byte = 0; byte < 256; ++byte) {
      const char32_t c = is_printable(byte) ? static_cast<char32_t>(byte) : next++;
      char_of[static_cast<std::size_t>(byte)] = c;
      byte_of[c] = static_cast<std::int16_t>(byte);
    }
  }
};
constexpr Alphabet kAlphabet;

}  // namespace

char32_t alphabet_char(unsigned char byte) noexcept { return kAlphabet.char_of[byte]; }

bool bytes_of_token(std::string_view token, std::string& bytes) {
  bytes.clear();
  for (const char* p = token.data(); p != token.data() + token.size();) {
    const char32_t c = decode_utf8(p);
    if (c >= kEnd || kAlphabet.byte_of[c] < 0) return false;
    const auto byte = static_cast<unsigned char>(kAlphabet.byte_of[c]);
    if (byte == kWordNul) return false;
    bytes.push_back(static_cast<char>(byte == 0 ? kWordNul : byte));
  }
  return true;
}

}  // namespace twotower
