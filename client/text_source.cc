#include "client/text_source.h"

#include <utility>

#include "client/utf8.h"

namespace attendant::client {
namespace {

class ArgumentSource final : public TextSource {
 public:
  explicit ArgumentSource(std::vector<std::string> texts) : texts_(std::move(texts)) {}

  absl::StatusOr<std::optional<SourceText>> Next() override {
    if (next_ == texts_.size()) return std::nullopt;
    std::string& text = texts_[next_++];
    const size_t bytes = text.size();
    return Make(std::move(text), bytes);
  }
  bool HasNext() override { return true; }

 private:
  std::vector<std::string> texts_;
  size_t next_ = 0;
};

class LineSource final : public TextSource {
 public:
  LineSource(int fd, const LineReaderOptions& options) : reader_(fd, options) {}

  absl::StatusOr<std::optional<SourceText>> Next() override {
    absl::StatusOr<std::optional<Line>> line = reader_.Next();
    if (!line.ok()) return line.status();
    if (!line->has_value()) return std::nullopt;
    return Make(std::move((*line)->text), (*line)->input_bytes);
  }
  bool HasNext() override { return reader_.HasLine(); }

 private:
  LineReader reader_;
};

class WholeSource final : public TextSource {
 public:
  WholeSource(int fd, const LineReaderOptions& options) : reader_(fd, options) {}

  absl::StatusOr<std::optional<SourceText>> Next() override {
    if (std::exchange(done_, true)) return std::nullopt;
    absl::StatusOr<std::string> text = reader_.ReadAll();
    if (!text.ok()) return text.status();
    const size_t bytes = text->size();
    return Make(*std::move(text), bytes);
  }
  bool HasNext() override { return done_; }

 private:
  LineReader reader_;
  bool done_ = false;
};

}  // namespace

SourceText TextSource::Make(std::string text, uint64_t input_bytes) {
  CleanUtf8 clean = ReplaceInvalidUtf8(text);
  replaced_bytes_ += clean.replaced_bytes;
  return {.number = ++number_, .text = std::move(clean.text), .input_bytes = input_bytes};
}

std::unique_ptr<TextSource> MakeArgumentSource(std::vector<std::string> texts) {
  return std::make_unique<ArgumentSource>(std::move(texts));
}

std::unique_ptr<TextSource> MakeLineSource(int fd, const LineReaderOptions& options) {
  return std::make_unique<LineSource>(fd, options);
}

std::unique_ptr<TextSource> MakeWholeSource(int fd, const LineReaderOptions& options) {
  return std::make_unique<WholeSource>(fd, options);
}

}  // namespace attendant::client
