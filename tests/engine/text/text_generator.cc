#include "tests/engine/text/text_generator.h"

#include <array>
#include <random>
#include <string_view>

namespace attendant {
namespace {

constexpr std::array<std::string_view, 36> kWords = {
    "the",        "house", "small", "river",   "don't",  "walking", "tomorrow", "Hamburg", "yesterday,",
    "\"quoted\"", "and",   "is",    "der",     "Straße", "größer",  "Mädchen",  "nicht",   "über",
    "Übung.",     "gehen", "heute", "Häuser",  "und",    "ist",     "我们",     "学生",    "今天。",
    "你好",       "漢字",  "مرحبا", "العالم،", "كتاب",   "Привет",  "3.14",     "10:45",   "e-mail"};

// Pieces of text that are hard on a normaliser or a segmenter.
constexpr std::array<std::string_view, 44> kOdd = {" ",
                                                   "  ",
                                                   "\t",
                                                   "\r",
                                                   "\x01",
                                                   "\x1F",
                                                   "\x7F",
                                                   std::string_view("\0", 1),
                                                   "\u00A0",
                                                   "\u3000",
                                                   "\u200B",
                                                   "\u200D",
                                                   "\uFEFF",
                                                   "\u2028",
                                                   "\u0085",
                                                   "\u00AD",
                                                   "\u2581",
                                                   "\u2581\u2581",
                                                   "\uFFFD",
                                                   "\u0301",
                                                   "e\u0301",
                                                   "\u1E9B\u0323",
                                                   "\uFB01",
                                                   "\uFF21",
                                                   "\u2460",
                                                   "\u33A5",
                                                   "\u01C6",
                                                   "\U0001F600",
                                                   "\U0001F468\u200D\U0001F469",
                                                   "\U0001F1E9\U0001F1EA",
                                                   "\u2764\uFE0F",
                                                   "\U0010FFFF",
                                                   "<s>",
                                                   "</s>",
                                                   "<unk>",
                                                   "<0x41>",
                                                   "<url>",
                                                   "<num>",
                                                   "\u0627\u0651",
                                                   "\u0E01\u0E33",
                                                   "\uAC00\u11A8",
                                                   "\u1112\u1161\u11AB",
                                                   "\uFDFA",
                                                   "aaaaaaaaaaaaaaaa"};

// Stray trail bytes, cut sequences, overlong forms, surrogates, bytes that never occur.
constexpr std::array<std::string_view, 14> kBroken = {"\x80",
                                                      "\xBF",
                                                      "\xC3",
                                                      "\xE4\xBD",
                                                      "\xF0\x9F\x98",
                                                      "\xC0\xAF",
                                                      "\xE0\x80\xAF",
                                                      "\xF0\x80\x80\xAF",
                                                      "\xED\xA0\x80",
                                                      "\xED\xBF\xBF",
                                                      "\xF4\x90\x80\x80",
                                                      "\xF8\x88\x80\x80\x80",
                                                      "\xFE",
                                                      "\xFF"};

struct Script {
  char32_t first;
  char32_t last;
};
constexpr std::array<Script, 9> kScripts = {{{0x61, 0x7A},
                                             {0x20, 0x7E},
                                             {0xC0, 0x17F},
                                             {0x4E00, 0x4E80},
                                             {0x621, 0x64A},
                                             {0x1F600, 0x1F640},
                                             {0x3041, 0x3096},
                                             {0x00, 0x1F},
                                             {0x300, 0x36F}}};

std::string Utf8(char32_t c) {
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3F))};
  if (c < 0x10000) {
    return {static_cast<char>(0xE0 | (c >> 12)), static_cast<char>(0x80 | ((c >> 6) & 0x3F)),
            static_cast<char>(0x80 | (c & 0x3F))};
  }
  return {static_cast<char>(0xF0 | (c >> 18)), static_cast<char>(0x80 | ((c >> 12) & 0x3F)),
          static_cast<char>(0x80 | ((c >> 6) & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
}

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  // Below limit. Not std::uniform_int_distribution, which differs between standard libraries.
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  template <size_t kSize>
  std::string_view Pick(const std::array<std::string_view, kSize>& choices) {
    return choices[Below(kSize)];
  }

  std::string Sentence(size_t max_words) {
    std::string line(Pick(kWords));
    for (size_t i = Below(max_words); i > 0; --i) line.append(" ").append(Pick(kWords));
    return line;
  }

  std::string ScriptRun() {
    const Script script = kScripts[Below(kScripts.size())];
    std::string line;
    for (size_t i = 1 + Below(30); i > 0; --i) {
      line += Below(6) == 0
                  ? " "
                  : Utf8(script.first + static_cast<char32_t>(Below(script.last - script.first + 1)));
    }
    return line;
  }

  std::string Mixture(bool may_be_broken) {
    std::string line;
    for (size_t i = 1 + Below(16); i > 0; --i) {
      const uint64_t kind = Below(may_be_broken ? 4 : 3);
      line += kind == 0 ? Pick(kWords) : kind <= 2 ? Pick(kOdd) : Pick(kBroken);
      if (Below(4) == 0) line += ' ';
    }
    return line;
  }

  std::string RandomBytes() {
    std::string line;
    for (size_t i = 1 + Below(24); i > 0; --i) line += static_cast<char>(Below(256));
    return line;
  }

  std::string Line() {
    switch (Below(6)) {
      case 0:
      case 1:
        return Sentence(24);
      case 2:
        return ScriptRun();
      case 3:
        return Mixture(/*may_be_broken=*/false);
      case 4:
        return Mixture(/*may_be_broken=*/true);
      default:
        return RandomBytes();
    }
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace

std::vector<std::string> GenerateLines(size_t count, uint64_t seed) {
  Generator generator(seed);
  std::vector<std::string> lines = {"", " ", "\r", "   \t  ", "\xE2\x96\x81"};
  while (lines.size() < count) {
    std::string line = generator.Line();
    for (char& byte : line) byte = byte == '\n' ? '\v' : byte;
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> GenerateTrainingLines(size_t count, uint64_t seed) {
  Generator generator(seed);
  std::vector<std::string> lines;
  while (lines.size() < count) lines.push_back(generator.Sentence(12));
  return lines;
}

std::string Corrupted(std::string text, uint64_t seed) {
  Generator generator(seed);
  const size_t changes = 1 + generator.Below(8);
  for (size_t i = 0; i < changes && !text.empty(); ++i) {
    text[generator.Below(text.size())] = static_cast<char>(generator.Below(256));
  }
  if (generator.Below(4) == 0) text.resize(generator.Below(text.size() + 1));
  return text;
}

}  // namespace attendant
