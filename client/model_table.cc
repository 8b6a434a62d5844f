#include "client/model_table.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/output_file.h"
#include "client/table.h"

namespace attendant::client {
namespace {

std::string StateName(const v1::Model& model) {
  return absl::AsciiStrToLower(v1::Model::State_Name(model.state()));
}

// "3", "3 (stable, canary)"; "" of a model without versions.
std::string Version(const v1::Model& model) {
  if (model.version() == 0) return "";
  if (model.version_labels().empty()) return absl::StrCat(model.version());
  return absl::StrCat(model.version(), " (", absl::StrJoin(model.version_labels(), ", "), ")");
}

// Below the table: why it is not ready, or why its last reload was refused.
void AddReason(const v1::Model& model, std::string& reasons) {
  if (model.state_message().empty()) return;
  const bool is_ready = model.state() == v1::Model::READY;
  absl::StrAppend(&reasons, model.name(), model.version() == 0 ? "" : absl::StrCat("@", model.version()),
                  is_ready ? ": serves on; its reload was refused: " : ": ", model.state_message(), "\n");
}

std::string Languages(const v1::Model& model) {
  if (model.source_language_code().empty() && model.target_language_code().empty()) return "";
  return absl::StrCat(model.source_language_code(), " > ", model.target_language_code());
}

std::string LoadTime(const v1::Model& model) {
  return absl::StrFormat("%.1f s",
                         static_cast<double>(model.load_time().seconds()) + model.load_time().nanos() / 1e9);
}

std::string Count(int count) {
  return count > 0 ? absl::StrCat(count) : "";
}

// Without the columns in which no row but the header has anything.
void DropEmptyColumns(std::vector<std::vector<std::string>>& rows) {
  for (size_t column = rows[0].size(); column-- > 0;) {
    const bool is_used = std::any_of(rows.begin() + 1, rows.end(), [column](const auto& row) {
      return column < row.size() && !row[column].empty();
    });
    if (is_used) continue;
    for (auto& row : rows) {
      if (column < row.size()) row.erase(row.begin() + static_cast<ptrdiff_t>(column));
    }
  }
}

}  // namespace

std::string RenderModelTable(const std::vector<v1::Model>& models) {
  std::vector<std::vector<std::string>> rows = {{"NAME", "VERSION", "STATE", "TASKS", "LANGUAGES", "LABELS",
                                                 "DIMENSIONS", "TYPE", "PARAMETERS", "WEIGHTS", "WORKERS",
                                                 "LOADED IN"}};
  std::string reasons;
  for (const v1::Model& model : models) {
    if (model.state() != v1::Model::READY) {
      rows.push_back({model.name(), Version(model), StateName(model)});
      AddReason(model, reasons);
      continue;
    }
    AddReason(model, reasons);
    rows.push_back({model.name(), Version(model), StateName(model), absl::StrJoin(model.tasks(), ", "),
                    Languages(model), Count(model.labels_size()), Count(model.embedding_dimensions()),
                    model.architecture(), FormatCount(model.num_parameters()),
                    FormatBytes(model.weights_bytes()), absl::StrCat(model.num_workers()), LoadTime(model)});
  }
  DropEmptyColumns(rows);
  return FormatTable(rows) + reasons;
}

}  // namespace attendant::client
