#include "engine/text/sentence_splitter.h"

#include "engine/text/text_breaks.h"
#include "engine/text/utf8.h"

namespace attendant {
namespace {

bool IsLineBreak(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

// Calls visit(begin, end) for each line, the line break itself left out.
template <typename Visit>
void ForEachLine(std::string_view text, Visit visit) {
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = DecodeUtf8Char(text.substr(i));
    if (IsLineBreak(c.code_point)) {
      visit(begin, i);
      begin = i + c.length_bytes;
    }
    i += c.length_bytes;
  }
  visit(begin, text.size());
}

// Offsets where a sentence, or white space before one, begins; the first is 0, the last the end of text. The
// rules see one line at a time, so that no abbreviation at the end of a line joins it to the next.
std::vector<size_t> SentenceBounds(std::string_view text, std::string_view locale) {
  TextBreaks breaks = TextBreaks::Sentences(locale);
  std::vector<size_t> bounds;
  ForEachLine(text, [&](size_t begin, size_t end) {
    bounds.push_back(begin);
    if (begin == end) return;
    breaks.SetText(text.substr(begin, end - begin));
    for (size_t at = breaks.Next(); at < end - begin; at = breaks.Next()) bounds.push_back(begin + at);
  });
  bounds.push_back(text.size());
  return bounds;
}

// The last of sentences is the one that span continues; its text is empty until the first that is not white
// space.
void AppendSpan(std::string_view span, std::vector<Sentence>* sentences) {
  Sentence& last = sentences->back();
  const size_t leading = LeadingSpaceBytes(span);
  (last.text.empty() ? last.leading : last.trailing).append(span.substr(0, leading));
  span.remove_prefix(leading);
  if (span.empty()) return;
  Sentence& sentence = last.text.empty() ? last : sentences->emplace_back();
  sentence.text = WithoutTrailingSpace(span);
  sentence.trailing = span.substr(sentence.text.size());
}

}  // namespace

std::vector<Sentence> SplitSentences(std::string_view text, std::string_view locale) {
  if (text.empty()) return {};
  std::string repaired;
  if (!IsValidUtf8(text)) text = repaired = ReplaceInvalidUtf8(text);
  const std::vector<size_t> bounds = SentenceBounds(text, locale);
  std::vector<Sentence> sentences(1);
  for (size_t i = 0; i + 1 < bounds.size(); ++i) {
    AppendSpan(text.substr(bounds[i], bounds[i + 1] - bounds[i]), &sentences);
  }
  return sentences;
}

}  // namespace attendant
