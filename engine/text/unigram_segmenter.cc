#include <algorithm>
#include <limits>

#include "engine/text/segmenter.h"
#include "engine/text/utf8.h"

namespace attendant {
namespace {

class UnigramSegmenter : public Segmenter {
 public:
  explicit UnigramSegmenter(const SpmVocabulary* vocabulary) : vocabulary_(*vocabulary) {
    float min_score = std::numeric_limits<float>::max();
    for (int32_t id = 0; id < vocabulary->size(); ++id) {
      if (vocabulary->type(id) != SpmPieceType::kNormal) continue;
      min_score = std::min(min_score, vocabulary->score(id));
      max_score_ = std::max(max_score_, vocabulary->score(id));
    }
    unk_score_ = min_score - kUnkPenalty;
  }

  std::vector<Segment> Segments(std::string_view normalized) const override {
    std::vector<BestEnd> best(normalized.size() + 1);
    for (size_t begin = 0; begin < normalized.size();) {
      const size_t char_length = AnnouncedCharLength(normalized.substr(begin));
      if (!ExtendWithPieces({normalized, begin, char_length}, &best)) {
        // Single precision here and double below, as the reference has it: the rounding decides ties.
        const float score = unk_score_ + best[begin].score;
        best[begin + char_length].Offer({score, static_cast<int32_t>(begin), vocabulary_.unk_id()}, score);
      }
      begin += char_length;
    }
    return Backtrack(best);
  }

 private:
  static constexpr float kUnkPenalty = 10.0f;

  // The best segmentation that ends at a byte: its score, and its last segment.
  struct BestEnd {
    float score = 0.0f;
    int32_t begin = -1;  // -1: none ends here.
    int32_t id = -1;

    void Offer(const BestEnd& other, double exact_score) {
      if (begin == -1 || exact_score > score) *this = other;
    }
  };

  struct Position {
    std::string_view normalized;
    size_t begin;
    size_t char_length;
  };

  // Tries each piece that begins at the position. True if one of them is the one character there.
  bool ExtendWithPieces(const Position& position, std::vector<BestEnd>* best) const {
    const ByteTrie& trie = vocabulary_.trie();
    const float score_before = (*best)[position.begin].score;
    bool has_single_char = false;
    ByteTrie::Node node = ByteTrie::kRoot;
    for (size_t end = position.begin; end < position.normalized.size();) {
      node = trie.Child(node, position.normalized[end++]);
      if (node == ByteTrie::kNoNode) break;
      const int32_t id = trie.Value(node);
      if (id == ByteTrie::kNoValue || vocabulary_.type(id) == SpmPieceType::kUnused) continue;
      const size_t length = end - position.begin;
      const double score = PieceScore(id, length) + score_before;
      (*best)[end].Offer({static_cast<float>(score), static_cast<int32_t>(position.begin), id}, score);
      has_single_char |= length == position.char_length;
    }
    return has_single_char;
  }

  // A user-defined piece scores above any way to cut it into others.
  double PieceScore(int32_t id, size_t length_bytes) const {
    if (vocabulary_.type(id) != SpmPieceType::kUserDefined) return vocabulary_.score(id);
    return static_cast<float>(length_bytes) * max_score_ - 0.1;
  }

  static std::vector<Segment> Backtrack(const std::vector<BestEnd>& best) {
    std::vector<Segment> segments;
    for (int32_t end = static_cast<int32_t>(best.size()) - 1; end > 0; end = best[end].begin) {
      const int32_t begin = best[end].begin;
      segments.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end - begin), best[end].id});
    }
    std::reverse(segments.begin(), segments.end());
    return segments;
  }

  const SpmVocabulary& vocabulary_;
  float unk_score_ = 0.0f;
  // The reference starts from the smallest positive float, so the maximum is never negative.
  float max_score_ = std::numeric_limits<float>::min();
};

}  // namespace

std::unique_ptr<Segmenter> MakeUnigramSegmenter(const SpmVocabulary* vocabulary) {
  return std::make_unique<UnigramSegmenter>(vocabulary);
}

}  // namespace attendant
