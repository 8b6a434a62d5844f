#include <queue>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "engine/text/segmenter.h"

namespace attendant {
namespace {

// One run over one text.
class BpeRun {
 public:
  BpeRun(const SpmVocabulary& vocabulary, std::string_view normalized)
      : vocabulary_(vocabulary), normalized_(normalized) {}

  std::vector<Segment> Run() {
    SplitIntoSymbols();
    for (int32_t i = 1; i < static_cast<int32_t>(symbols_.size()); ++i) ProposeMerge(i - 1, i);
    while (!agenda_.empty()) {
      const Merge merge = agenda_.top();
      agenda_.pop();
      if (IsCurrent(merge)) Apply(merge);
    }
    std::vector<Segment> segments;
    for (int32_t i = symbols_.empty() ? -1 : 0; i != -1; i = symbols_[i].next)
      AppendResegmented(symbols_[i], &segments);
    return segments;
  }

 private:
  struct Symbol {
    uint32_t begin;
    uint32_t length;  // 0 after the symbol was merged into its left neighbour.
    int32_t prev;     // Index of the neighbours; -1 at the ends.
    int32_t next;
    ByteTrie::Node node;  // Where the symbol's text leads to in the trie; kNoNode where nowhere.
    bool is_frozen;       // User-defined: never merged.
  };
  struct Merge {
    float score;
    int32_t left;
    int32_t right;
    uint32_t length;
    ByteTrie::Node node;

    bool operator<(const Merge& other) const {
      return score < other.score || (score == other.score && left > other.left);
    }
  };
  struct Split {
    uint32_t left_length;
    uint32_t right_length;
  };

  std::string_view TextOf(uint32_t begin, uint32_t length) const { return normalized_.substr(begin, length); }

  void SplitIntoSymbols() {
    symbols_.reserve(normalized_.size());
    for (size_t begin = 0; begin < normalized_.size();) {
      const auto [length, is_user_defined] = vocabulary_.FirstSymbol(normalized_.substr(begin));
      const int32_t index = static_cast<int32_t>(symbols_.size());
      const bool is_last = begin + length == normalized_.size();
      symbols_.push_back(
          {static_cast<uint32_t>(begin), static_cast<uint32_t>(length), index - 1, is_last ? -1 : index + 1,
           vocabulary_.trie().Walk(ByteTrie::kRoot, normalized_.substr(begin, length)), is_user_defined});
      begin += length;
    }
  }

  void ProposeMerge(int32_t left, int32_t right) {
    if (left == -1 || right == -1) return;
    const Symbol& a = symbols_[left];
    const Symbol& b = symbols_[right];
    if (a.is_frozen || b.is_frozen || a.node == ByteTrie::kNoNode) return;
    const ByteTrie::Node node = vocabulary_.trie().Walk(a.node, TextOf(b.begin, b.length));
    const int32_t id = node == ByteTrie::kNoNode ? ByteTrie::kNoValue : vocabulary_.trie().Value(node);
    if (id == ByteTrie::kNoValue) return;
    agenda_.push({vocabulary_.score(id), left, right, a.length + b.length, node});
    if (vocabulary_.type(id) == SpmPieceType::kUnused) splits_[id] = {a.length, b.length};
  }

  // Either symbol may have changed since the merge was proposed.
  bool IsCurrent(const Merge& merge) const {
    const Symbol& left = symbols_[merge.left];
    const Symbol& right = symbols_[merge.right];
    return left.length > 0 && right.length > 0 && left.length + right.length == merge.length;
  }

  void Apply(const Merge& merge) {
    Symbol& left = symbols_[merge.left];
    Symbol& right = symbols_[merge.right];
    left.length = merge.length;
    left.node = merge.node;
    left.next = right.next;
    if (right.next >= 0) symbols_[right.next].prev = merge.left;
    right.length = 0;
    ProposeMerge(left.prev, merge.left);
    ProposeMerge(merge.left, left.next);
  }

  // Appends the symbol, or, where it is an unused piece, the parts that the last proposal made it of.
  void AppendResegmented(const Symbol& symbol, std::vector<Segment>* segments) const {
    std::vector<std::pair<uint32_t, uint32_t>> pending = {{symbol.begin, symbol.length}};
    while (!pending.empty()) {
      const auto [begin, length] = pending.back();
      pending.pop_back();
      const int32_t id = vocabulary_.IdOf(TextOf(begin, length));
      const auto split = vocabulary_.type(id) == SpmPieceType::kUnused ? splits_.find(id) : splits_.end();
      if (split == splits_.end()) {
        segments->push_back({begin, length, id});
        continue;
      }
      pending.push_back({begin + split->second.left_length, split->second.right_length});
      pending.push_back({begin, split->second.left_length});
    }
  }

  const SpmVocabulary& vocabulary_;
  const std::string_view normalized_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Merge> agenda_;
  absl::flat_hash_map<int32_t, Split> splits_;  // By id of an unused piece.
};

class BpeSegmenter : public Segmenter {
 public:
  explicit BpeSegmenter(const SpmVocabulary* vocabulary) : vocabulary_(*vocabulary) {}

  std::vector<Segment> Segments(std::string_view normalized) const override {
    return BpeRun(vocabulary_, normalized).Run();
  }

 private:
  const SpmVocabulary& vocabulary_;
};

}  // namespace

std::unique_ptr<Segmenter> MakeBpeSegmenter(const SpmVocabulary* vocabulary) {
  return std::make_unique<BpeSegmenter>(vocabulary);
}

}  // namespace attendant
