#include "engine/text/segmenter.h"
#include "engine/text/utf8.h"

namespace attendant {
namespace {

class CharSegmenter : public Segmenter {
 public:
  explicit CharSegmenter(const SpmVocabulary* vocabulary) : vocabulary_(*vocabulary) {}

  std::vector<Segment> Segments(std::string_view normalized) const override {
    std::vector<Segment> segments;
    for (size_t begin = 0; begin < normalized.size();) {
      const size_t length = vocabulary_.FirstSymbol(normalized.substr(begin)).length_bytes;
      segments.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(length),
                          vocabulary_.IdOf(normalized.substr(begin, length))});
      begin += length;
    }
    return segments;
  }

 private:
  const SpmVocabulary& vocabulary_;
};

class WordSegmenter : public Segmenter {
 public:
  explicit WordSegmenter(const SpmVocabulary* vocabulary) : vocabulary_(*vocabulary) {}

  std::vector<Segment> Segments(std::string_view normalized) const override {
    std::vector<Segment> segments;
    for (size_t begin = 0; begin < normalized.size();) {
      size_t end = normalized.find(kSpaceSymbol, begin + 1);
      if (end == std::string_view::npos) end = normalized.size();
      segments.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end - begin),
                          vocabulary_.IdOf(normalized.substr(begin, end - begin))});
      begin = end;
    }
    return segments;
  }

 private:
  const SpmVocabulary& vocabulary_;
};

}  // namespace

std::unique_ptr<Segmenter> MakeCharSegmenter(const SpmVocabulary* vocabulary) {
  return std::make_unique<CharSegmenter>(vocabulary);
}

std::unique_ptr<Segmenter> MakeWordSegmenter(const SpmVocabulary* vocabulary) {
  return std::make_unique<WordSegmenter>(vocabulary);
}

}  // namespace attendant
