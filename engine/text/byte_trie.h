#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace attendant {

// A map from byte strings to non-negative numbers that finds all prefixes of a text in one walk.
//
// Invariants:
//  1. Node 0 is the root and nobody's child; the children of a node lie side by side, in the order of their
//  bytes.
//  2. A node with more than kMaxScanned children has a 256-byte table, so a step costs a bounded number of
//  comparisons.
//  3. Memory and build time are linear in the total length of the keys, whatever the keys are.
//
// Immutable, thread-safe. Not for keys that contain a zero byte, and not for insertion after the build.
class ByteTrie {
 public:
  using Node = uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNoNode = 0;  // What Child answers where there is none; see invariant 1.
  static constexpr int32_t kNoValue = -1;

  ByteTrie() : nodes_(1) {}

  // entries must hold distinct, non-empty keys without zero bytes, in any order; the keys may go away
  // afterwards.
  explicit ByteTrie(std::vector<std::pair<std::string_view, int32_t>> entries);

  Node Child(Node parent, char byte) const {
    const NodeData& node = nodes_[parent];
    const uint8_t label = static_cast<uint8_t>(byte);
    if (node.table >= 0) {
      const uint8_t ordinal = tables_[static_cast<size_t>(node.table) * 256 + label];
      return ordinal == 0 ? kNoNode : node.first_child + ordinal - 1;
    }
    for (Node child = node.first_child; child < node.first_child + node.num_children; ++child) {
      if (nodes_[child].label == label) return child;
    }
    return kNoNode;
  }

  // The number stored under the key that leads to node, or kNoValue.
  int32_t Value(Node node) const { return nodes_[node].value; }

  // The node that text leads to from start, or kNoNode.
  Node Walk(Node start, std::string_view text) const;

  int32_t Find(std::string_view key) const;

  // Length of the longest key that text begins with; 0 if there is none.
  size_t LongestPrefix(std::string_view text) const;

 private:
  static constexpr uint32_t kMaxScanned = 8;

  struct NodeData {
    uint32_t first_child = 0;
    int32_t value = kNoValue;
    int32_t table = -1;  // Index of the node's 256-byte table of (ordinal of the child + 1), or -1.
    uint16_t num_children = 0;
    uint8_t label = 0;
  };
  struct KeyRange;  // The keys below one node, while building.

  void AddChildren(Node parent, const std::vector<std::pair<std::string_view, int32_t>>& entries,
                   std::vector<KeyRange>* ranges);
  void AddTable(Node parent);

  std::vector<NodeData> nodes_;
  std::vector<uint8_t> tables_;
};

}  // namespace attendant
