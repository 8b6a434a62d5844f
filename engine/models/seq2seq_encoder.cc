#include "engine/models/seq2seq_encoder.h"

#include <utility>

namespace attendant {
namespace {

class Seq2SeqEncoder final : public TextEncoder {
 public:
  Seq2SeqEncoder(std::shared_ptr<const Seq2Seq> model, std::string architecture) : model_(std::move(model)) {
    const Seq2Seq::Info& whole = model_->info();
    info_.architecture = std::move(architecture);
    info_.vocab_size = whole.source_vocab_size;
    info_.hidden_dim = whole.hidden_dim;
    info_.max_tokens = whole.max_source_tokens;
    info_.weights_bytes = whole.weights_bytes;
    info_.num_parameters = whole.num_parameters;
  }

  const Info& info() const override { return info_; }
  void Encode(absl::Span<const TextItem> items, const ThreadTeam& team) const override {
    model_->EncodeStates(items, team);
  }
  void Classify(const float*, int32_t, float*, Workspace&) const override {}  // It has no head.

 private:
  const std::shared_ptr<const Seq2Seq> model_;
  Info info_;
};

}  // namespace

std::unique_ptr<TextEncoder> EncoderOf(std::shared_ptr<const Seq2Seq> model, std::string architecture) {
  return std::make_unique<Seq2SeqEncoder>(std::move(model), std::move(architecture));
}

}  // namespace attendant
