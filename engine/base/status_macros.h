#pragma once

// Early return on errors, for functions that return absl::Status or absl::StatusOr.
//
//   ATTENDANT_RETURN_IF_ERROR(Check(x));
//   ATTENDANT_ASSIGN_OR_RETURN(const Config config, ReadConfig(path));

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define ATTENDANT_RETURN_IF_ERROR(expr)                        \
  do {                                                         \
    if (absl::Status status_ = (expr); !status_.ok()) {        \
      return status_;                                          \
    }                                                          \
  } while (false)

#define ATTENDANT_CONCAT_INNER_(a, b) a##b
#define ATTENDANT_CONCAT_(a, b) ATTENDANT_CONCAT_INNER_(a, b)
#define ATTENDANT_ASSIGN_OR_RETURN(lhs, expr) \
  ATTENDANT_ASSIGN_OR_RETURN_IMPL_(ATTENDANT_CONCAT_(status_or_, __LINE__), lhs, expr)
#define ATTENDANT_ASSIGN_OR_RETURN_IMPL_(temp, lhs, expr) \
  auto temp = (expr);                                     \
  if (!temp.ok()) return std::move(temp).status();        \
  lhs = std::move(temp).value()
