#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/tokenizer.h"

namespace attendant {

// A tokenizer of whole words split at spaces, for what the shipped vocabulary does not have: 0 is the end
// token, 1 the unknown one, words follow. Every word begins with the space mark.
class WordTokenizer : public Tokenizer {
 public:
  explicit WordTokenizer(std::vector<std::string> words) : words_(std::move(words)) {}

  std::vector<int32_t> Encode(std::string_view text) const override {
    std::vector<int32_t> ids;
    size_t begin = 0;
    while ((begin = text.find_first_not_of(" \n", begin)) != std::string_view::npos) {
      const size_t end = std::min(text.find_first_of(" \n", begin), text.size());
      const auto word = std::find(words_.begin(), words_.end(), text.substr(begin, end - begin));
      ids.push_back(word == words_.end() ? 1 : static_cast<int32_t>(word - words_.begin()) + 2);
      begin = end;
    }
    return ids;
  }
  std::vector<int32_t> EncodeTarget(std::string_view text) const override { return Encode(text); }
  std::string Decode(absl::Span<const int32_t> ids) const override {
    std::string text;
    for (const int32_t id : ids) {
      if (id < 2) continue;
      text += (text.empty() ? "" : " ") + words_[static_cast<size_t>(id - 2)];
    }
    return text;
  }
  std::string SourcePiece(int32_t id) const override {
    if (id == 0) return "</s>";
    return id == 1 ? "<unk>" : "\u2581" + words_[static_cast<size_t>(id - 2)];
  }
  std::string TargetPiece(int32_t id) const override { return SourcePiece(id); }
  int32_t vocab_size() const override { return static_cast<int32_t>(words_.size()) + 2; }
  int32_t eos_id() const override { return 0; }
  int32_t unk_id() const override { return 1; }
  int32_t pad_id() const override { return 0; }

 private:
  std::vector<std::string> words_;
};

}  // namespace attendant
