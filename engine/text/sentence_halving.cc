#include <unicode/uchar.h>

#include <array>
#include <optional>

#include "engine/text/sentence_splitter.h"
#include "engine/text/text_breaks.h"
#include "engine/text/utf8.h"

namespace attendant {
namespace {

// How sensible it is to cut behind a character; smaller is better.
enum Rank { kClause = 0, kComma = 1, kSpace = 2, kNoCut = 3 };

struct CutRule {
  Rank rank;
  bool needs_space;  // Not in "12:30", "1,5" and "f(x)": only before white space.
};

CutRule RuleFor(char32_t c) {
  switch (c) {
    case U';':
    case U':':
    case U'\u061B':  // Arabic semicolon.
      return {kClause, true};
    case U'\u2014':  // Em dash.
    case U'\uFF1A':  // Full-width colon and semicolon.
    case U'\uFF1B':
      return {kClause, false};
    case U',':
    case U'\u060C':  // Arabic comma.
      return {kComma, true};
    case U'\u3001':  // Ideographic and full-width commas.
    case U'\uFF0C':
      return {kComma, false};
    default:
      break;
  }
  constexpr char32_t kFirstIdeographic = 0x2E80;
  if (u_charType(static_cast<UChar32>(c)) == U_END_PUNCTUATION) return {kClause, c < kFirstIdeographic};
  return {kNoCut, true};
}

size_t Distance(size_t a, size_t b) {
  return a > b ? a - b : b - a;
}

// The cut nearest the middle, for each rank.
class Cuts {
 public:
  explicit Cuts(size_t text_bytes) : middle_(text_bytes / 2), reach_(text_bytes / 4) {}

  void Offer(Rank rank, size_t offset) {
    if (rank == kNoCut || (rank != kSpace && Distance(offset, middle_) > reach_)) return;
    std::optional<size_t>& best = best_[rank];
    if (!best.has_value() || Distance(offset, middle_) < Distance(*best, middle_)) best = offset;
  }

  std::optional<size_t> Best() const {
    for (const std::optional<size_t>& cut : best_) {
      if (cut.has_value()) return cut;
    }
    return std::nullopt;
  }

 private:
  const size_t middle_;
  const size_t reach_;  // Punctuation further from the middle than this is no better than a space near it.
  std::array<std::optional<size_t>, kNoCut> best_;
};

// The best cut behind punctuation (and the white space that follows it) or behind white space.
std::optional<size_t> WordCut(std::string_view text) {
  const size_t begin = LeadingSpaceBytes(text);
  const size_t end = WithoutTrailingSpace(text).size();
  Cuts cuts(text.size());
  CutRule before_space = {kNoCut, true};
  bool after_space = false;
  for (size_t i = begin; i < end;) {
    const Utf8Char c = DecodeUtf8Char(text.substr(i));
    const bool is_space = IsWhiteSpace(c.code_point);
    if (after_space && !is_space) {
      cuts.Offer(before_space.rank == kNoCut ? kSpace : before_space.rank, i);
    } else if (i > begin && !is_space && !before_space.needs_space) {
      cuts.Offer(before_space.rank, i);
    }
    if (!is_space) before_space = RuleFor(c.code_point);
    after_space = is_space;
    i += c.length_bytes;
  }
  return cuts.Best();
}

// The boundary between grapheme clusters nearest the middle; the end of text where there is none.
size_t ClusterCut(std::string_view text) {
  TextBreaks breaks = TextBreaks::GraphemeClusters();
  breaks.SetText(text);
  const size_t middle = text.size() / 2;
  const size_t after = breaks.After(middle);
  const size_t before = breaks.Before(middle + 1);
  const bool has_after = after != TextBreaks::npos && after < text.size();
  const bool has_before = before != TextBreaks::npos && before > 0;
  if (has_before && has_after) return Distance(before, middle) <= Distance(after, middle) ? before : after;
  if (has_before) return before;
  return has_after ? after : text.size();
}

}  // namespace

Halves HalveSentence(std::string_view text) {
  if (text.empty()) return {};
  const std::optional<size_t> word_cut = WordCut(text);
  const size_t cut = word_cut.has_value() ? *word_cut : ClusterCut(text);
  return {std::string(text.substr(0, cut)), std::string(text.substr(cut))};
}

}  // namespace attendant
