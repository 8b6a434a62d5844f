#include "engine/tasks/source_tokenizer.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace attendant {
namespace {

class SourceTokenizerImpl final : public SequenceTokenizer {
 public:
  explicit SourceTokenizerImpl(std::shared_ptr<const Tokenizer> tokenizer)
      : tokenizer_(std::move(tokenizer)) {}

  absl::StatusOr<Encoding> Encode(std::string_view text, const EncodeOptions& options) const override {
    if (text.size() > kMaxTextBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("a text of ", text.size(), " bytes; at most ", kMaxTextBytes, " are taken"));
    }
    const int32_t specials = options.add_special_tokens ? num_special_tokens() : 0;
    const int32_t limit = options.max_tokens > 0 ? options.max_tokens : EncodeOptions::kNoLimit;
    if (limit < specials) return absl::InvalidArgumentError("max_tokens: fewer than the special tokens");
    std::vector<int32_t> ids = tokenizer_->Encode(text);
    const auto room = static_cast<size_t>(limit - specials);
    Encoding encoding;
    encoding.truncated = ids.size() > room;
    ids.resize(std::min(ids.size(), room));
    encoding.words.resize(ids.size());
    std::iota(encoding.words.begin(), encoding.words.end(), 0);
    encoding.sequence.assign(ids.size(), 0);
    encoding.ids = std::move(ids);
    if (options.add_special_tokens) AddEnd(encoding);
    encoding.type_ids.assign(encoding.size(), 0);
    encoding.spans.resize(encoding.size());
    return encoding;
  }

  int32_t end_id() const override { return tokenizer_->vocab_size(); }
  int32_t num_special_tokens() const override { return 1; }

 private:
  void AddEnd(Encoding& encoding) const {
    encoding.ids.push_back(tokenizer_->eos_id());
    encoding.words.push_back(Encoding::kNoWord);
    encoding.sequence.push_back(-1);
  }

  const std::shared_ptr<const Tokenizer> tokenizer_;
};

}  // namespace

std::unique_ptr<SequenceTokenizer> SourceTokenizer(std::shared_ptr<const Tokenizer> tokenizer) {
  return std::make_unique<SourceTokenizerImpl>(std::move(tokenizer));
}

}  // namespace attendant
