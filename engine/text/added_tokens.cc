#include "engine/text/added_tokens.h"

#include <utility>

#include "engine/text/utf8.h"

namespace attendant {
namespace {

ByteTrie IndexOf(const std::vector<AddedToken>& tokens) {
  std::vector<std::pair<std::string_view, int32_t>> entries;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string& content = tokens[i].content;
    if (!content.empty() && content.find('\0') == std::string::npos) entries.emplace_back(content, i);
  }
  return ByteTrie(std::move(entries));
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens)
    : tokens_(std::move(tokens)), trie_(IndexOf(tokens_)) {}

std::vector<AddedTokens::Part> AddedTokens::Split(std::string_view text) const {
  std::vector<Part> parts;
  bool strip_next = false;
  const auto append_text = [&](std::string_view between, bool strip_right) {
    if (strip_next) between = StripPythonSpaceLeft(between);
    if (strip_right) between = StripPythonSpaceRight(between);
    if (!between.empty()) parts.push_back({between, -1});
  };
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    const size_t length = trie_.LongestPrefix(text.substr(i));
    if (length == 0) {
      ++i;
      continue;
    }
    const AddedToken& token = tokens_[trie_.Find(text.substr(i, length))];
    append_text(text.substr(begin, i - begin), token.strips_left);
    parts.push_back({text.substr(i, length), token.id});
    strip_next = token.strips_right;
    begin = i += length;
  }
  append_text(text.substr(begin), /*strip_right=*/false);
  return parts;
}

}  // namespace attendant
