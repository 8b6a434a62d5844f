#pragma once

#include <map>
#include <string>

#include "attendant/v1/translation_service.pb.h"

namespace attendant::client {

// Puts the events of a translation stream, whose sentences grow side by side, into the order of the text.
// Not thread-safe. For one content.
class GrowingText {
 public:
  void Handle(const v1::StreamGrowingText& event);
  void Handle(const v1::StreamSentence& event);

  // Text that no later event changes, from the beginning.
  const std::string& settled() const { return settled_; }
  // settled() and the growing part of the sentence after it.
  std::string current() const;

 private:
  std::string settled_;
  int next_sentence_ = 0;                // The first that is not in settled_.
  std::map<int, std::string> growing_;   // By sentence, from next_sentence_ on.
  std::map<int, std::string> finished_;  // With the white space around; waiting for an earlier one.
};

// Shows a text that grows, and changes now and then, on a terminal: what to write to get from one state to
// the next. Only the last line can change.
class LiveLine {
 public:
  explicit LiveLine(int columns) : columns_(columns) {}

  // Escape sequences and text that make `text`, which begins with all settled lines, appear.
  std::string Show(const std::string& text);

 private:
  int columns_;
  std::string shown_;
};

}  // namespace attendant::client
