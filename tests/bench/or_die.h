#pragma once

#include <cstdlib>
#include <iostream>
#include <utility>

#include "absl/status/statusor.h"

namespace attendant {

// The value, or the end of the program with the reason: a benchmark has no user.
template <typename T>
T OrDie(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::cerr << "bench: " << value.status().ToString() << "\n";
  std::exit(1);
}

}  // namespace attendant
