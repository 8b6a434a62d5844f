#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/text/byte_trie.h"

namespace attendant {

// vocab.json of a Hugging Face model: one flat object of token -> id. Where two tokens have the same id, the
// later one is its text. Immutable, thread-safe.
class TokenTable {
 public:
  static constexpr int32_t kNoId = -1;
  static constexpr int32_t kMaxId = (1 << 21) - 1;

  // Errors: NOT_FOUND; DATA_LOSS for what is not such an object, a token that comes twice, or an id outside
  // 0..kMaxId.
  static absl::StatusOr<TokenTable> Load(const std::filesystem::path& file);
  static absl::StatusOr<TokenTable> Parse(std::string_view json);

  // kNoId for a token that is not in the table.
  int32_t Id(std::string_view token) const { return ids_.Find(token); }

  // Empty for an id that no token has.
  std::string_view Token(int32_t id) const {
    return id >= 0 && id < static_cast<int32_t>(tokens_.size()) ? std::string_view(tokens_[id])
                                                                : std::string_view();
  }

  // How many tokens there are; and the largest id plus one.
  int32_t num_tokens() const { return num_tokens_; }
  int32_t end_id() const { return static_cast<int32_t>(tokens_.size()); }

 private:
  std::vector<std::string> tokens_;  // By id.
  ByteTrie ids_;
  int32_t num_tokens_ = 0;
};

}  // namespace attendant
