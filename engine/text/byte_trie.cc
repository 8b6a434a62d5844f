#include "engine/text/byte_trie.h"

#include <algorithm>

namespace attendant {

struct ByteTrie::KeyRange {
  uint32_t begin;
  uint32_t end;
  uint32_t depth;
};

ByteTrie::ByteTrie(std::vector<std::pair<std::string_view, int32_t>> entries) : nodes_(1) {
  std::sort(entries.begin(), entries.end());
  std::vector<KeyRange> ranges = {{0, static_cast<uint32_t>(entries.size()), 0}};
  for (Node node = 0; node < nodes_.size(); ++node) AddChildren(node, entries, &ranges);
  nodes_.shrink_to_fit();
}

void ByteTrie::AddChildren(Node parent, const std::vector<std::pair<std::string_view, int32_t>>& entries,
                           std::vector<KeyRange>* ranges) {
  KeyRange range = (*ranges)[parent];
  if (range.begin < range.end && entries[range.begin].first.size() == range.depth) {
    nodes_[parent].value = entries[range.begin].second;
    ++range.begin;
  }
  nodes_[parent].first_child = static_cast<uint32_t>(nodes_.size());
  for (uint32_t begin = range.begin; begin < range.end;) {
    const char label = entries[begin].first[range.depth];
    uint32_t end = begin + 1;
    while (end < range.end && entries[end].first[range.depth] == label) ++end;
    NodeData child;
    child.label = static_cast<uint8_t>(label);
    nodes_.push_back(child);
    ranges->push_back({begin, end, range.depth + 1});
    ++nodes_[parent].num_children;
    begin = end;
  }
  if (nodes_[parent].num_children > kMaxScanned) AddTable(parent);
}

void ByteTrie::AddTable(Node parent) {
  nodes_[parent].table = static_cast<int32_t>(tables_.size() / 256);
  tables_.resize(tables_.size() + 256);
  uint8_t* table = &tables_[tables_.size() - 256];
  for (uint16_t i = 0; i < nodes_[parent].num_children; ++i) {
    table[nodes_[nodes_[parent].first_child + i].label] = static_cast<uint8_t>(i + 1);
  }
}

ByteTrie::Node ByteTrie::Walk(Node start, std::string_view text) const {
  Node node = start;
  for (const char byte : text) {
    node = Child(node, byte);
    if (node == kNoNode) return kNoNode;
  }
  return node;
}

int32_t ByteTrie::Find(std::string_view key) const {
  if (key.empty()) return kNoValue;
  const Node node = Walk(kRoot, key);
  return node == kNoNode ? kNoValue : Value(node);
}

size_t ByteTrie::LongestPrefix(std::string_view text) const {
  size_t longest = 0;
  Node node = kRoot;
  for (size_t i = 0; i < text.size(); ++i) {
    node = Child(node, text[i]);
    if (node == kNoNode) break;
    if (Value(node) != kNoValue) longest = i + 1;
  }
  return longest;
}

}  // namespace attendant
