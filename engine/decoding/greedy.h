#pragma once

#include <memory>
#include <utility>

#include "engine/decoding/row_search.h"

namespace attendant {

// The most likely token after the rules; of equal ones the lowest.
class GreedyChooser : public TokenChooser {
 public:
  explicit GreedyChooser(std::shared_ptr<const Rules> rules) : rules_(std::move(rules)) {}

  void Ask(const RowConstraint& constraint, RowQuery& query) const override;
  Choice Choose(const RowConstraint& constraint, const RowAnswer& answer, Place place) override;

 private:
  std::shared_ptr<const Rules> rules_;
};

}  // namespace attendant
