#include "client/growing_text.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/utf8.h"

namespace attendant::client {

void GrowingText::Handle(const v1::StreamGrowingText& event) {
  if (event.sentence_index() >= next_sentence_) growing_[event.sentence_index()] = event.text();
}

void GrowingText::Handle(const v1::StreamSentence& event) {
  const v1::SentenceTranslation& sentence = event.sentence();
  const std::string best = sentence.hypotheses().empty() ? "" : sentence.hypotheses(0).text();
  finished_[event.sentence_index()] = absl::StrCat(sentence.leading_space(), best, sentence.trailing_space());
  for (auto it = finished_.find(next_sentence_); it != finished_.end(); it = finished_.find(next_sentence_)) {
    settled_ += it->second;
    finished_.erase(it);
    growing_.erase(next_sentence_++);
  }
}

std::string GrowingText::current() const {
  const auto found = growing_.find(next_sentence_);
  return found == growing_.end() ? settled_ : settled_ + found->second;
}

std::string LiveLine::Show(const std::string& text) {
  if (absl::StartsWith(text, shown_)) {
    std::string added = text.substr(shown_.size());
    shown_ = text;
    return added;
  }
  // Back to the beginning of the last line, which may be wrapped over several rows, and once more from there.
  const size_t last_break = shown_.rfind('\n');
  const size_t line_begin = last_break == std::string::npos ? 0 : last_break + 1;
  const int width = DisplayWidth(std::string_view(shown_).substr(line_begin));
  const int rows_up = std::max(0, width - 1) / columns_;
  std::string output = "\r";
  if (rows_up > 0) absl::StrAppend(&output, "\x1b[", rows_up, "A");
  absl::StrAppend(&output, "\x1b[J", text.substr(std::min(line_begin, text.size())));
  shown_ = text;
  return output;
}

}  // namespace attendant::client
