#include "engine/tasks/unknown_words.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/text/utf8.h"

namespace attendant {
namespace {

bool BeginsWord(std::string_view piece) {
  return piece.substr(0, kSpaceSymbol.size()) == kSpaceSymbol;
}

// What a known piece looks like in the text, without the space before it.
std::string Needle(const std::string& piece) {
  const std::string text = ReplaceSpaceSymbols(piece);
  return std::string(StripPythonSpaceLeft(text));
}

// The words of a gap as a piece: with the mark if a space comes before.
std::string AsPiece(std::string_view gap) {
  const std::string_view word = StripPythonSpaceLeft(gap);
  const bool after_space = word.size() != gap.size();
  return absl::StrCat(after_space ? std::string(kSpaceSymbol) : "", std::string(StripPythonSpaceRight(word)));
}

// Appends text that begins a word or goes on with the one before.
void AppendWord(std::string_view text, bool begins_word, std::string& out) {
  if (text.empty()) return;
  if (begins_word && !out.empty()) out += ' ';
  out += text;
}

}  // namespace

std::vector<std::string> SourceSurfaces(std::string_view source, absl::Span<const int32_t> ids,
                                        const Tokenizer& tokenizer) {
  std::vector<std::string> surfaces(ids.size());
  size_t begin = 0;          // Of the text that no piece has taken yet.
  std::vector<size_t> open;  // Unknown tokens since the last known one.
  const auto close = [&](size_t end) {
    if (!open.empty()) surfaces[open.front()] = AsPiece(source.substr(begin, end - begin));
    open.clear();
  };
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] == tokenizer.unk_id()) {
      open.push_back(i);
      continue;
    }
    surfaces[i] = tokenizer.SourcePiece(ids[i]);
    const std::string needle = Needle(surfaces[i]);
    if (needle.empty() || ids[i] == tokenizer.eos_id()) continue;
    const size_t place = source.find(needle, begin);
    if (place == std::string_view::npos) {  // Normalised away: what is open stays unknown.
      open.clear();
      continue;
    }
    close(place);
    begin = place + needle.size();
  }
  close(source.size());
  return surfaces;
}

std::vector<std::string> ReplaceUnknowns(const Hypothesis& hypothesis, absl::Span<const std::string> surfaces,
                                         const Tokenizer& tokenizer) {
  std::vector<std::string> pieces;
  for (size_t t = 0; t < hypothesis.tokens.size(); ++t) {
    pieces.push_back(tokenizer.TargetPiece(hypothesis.tokens[t]));
    if (hypothesis.tokens[t] != tokenizer.unk_id() || surfaces.size() < 2) continue;
    const std::vector<float>& attention = hypothesis.attention[t];
    const auto best = std::max_element(attention.begin(), attention.end() - 1);
    pieces.back() = surfaces[static_cast<size_t>(best - attention.begin())];
  }
  return pieces;
}

std::string DecodeWithPieces(absl::Span<const int32_t> ids, absl::Span<const std::string> pieces,
                             const Tokenizer& tokenizer) {
  std::string text;
  bool begins_word = false;
  size_t i = 0;
  while (i < ids.size()) {
    begins_word |= BeginsWord(pieces[i]);
    if (ids[i] == tokenizer.unk_id()) {
      const std::string word = ReplaceSpaceSymbols(pieces[i]);
      AppendWord(StripPythonSpaceLeft(word), begins_word, text);
      begins_word = false;
      ++i;
      continue;
    }
    const size_t first = i;
    while (i < ids.size() && ids[i] != tokenizer.unk_id()) ++i;
    AppendWord(tokenizer.Decode(ids.subspan(first, i - first)), begins_word, text);
    begins_word = pieces[i - 1] == kSpaceSymbol;  // Decode has no space at its end.
  }
  return text;
}

}  // namespace attendant
