#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/byte_trie.h"

namespace attendant {

// A token that is found in the text itself, before any segmentation: "</s>", "<pad>".
struct AddedToken {
  std::string content;
  int32_t id = -1;
  bool strips_left = false;  // White space before it goes away ("lstrip"), or after it ("rstrip").
  bool strips_right = false;
};

// Cuts texts at added tokens: the leftmost first, the longest among those that begin at the same place.
// Immutable, thread-safe. Source: transformers, tokenization_python.py, Trie.split and tokenize.
class AddedTokens {
 public:
  AddedTokens() = default;
  // The contents must be distinct; an empty one, or one with a zero byte, is never found.
  explicit AddedTokens(std::vector<AddedToken> tokens);

  struct Part {
    std::string_view text;
    int32_t id;  // Of the added token; -1 for text between them.
  };
  // Without empty parts. The views are into text.
  std::vector<Part> Split(std::string_view text) const;

  const std::vector<AddedToken>& tokens() const { return tokens_; }

 private:
  std::vector<AddedToken> tokens_;
  ByteTrie trie_;  // Content -> index in tokens_.
};

}  // namespace attendant
