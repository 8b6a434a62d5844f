#include "engine/tasks/text_job.h"

namespace attendant {

void TextExecutor::Encode(absl::Span<EncodeJob* const> jobs, const ThreadTeam& team) {
  Workspace& workspace = team.workspace();
  items_.clear();
  const bool has_types = encoder_.info().num_types > 0;
  for (EncodeJob* job : jobs) {
    const Encoding& encoding = static_cast<TextJob*>(job)->encoding();
    const size_t floats = encoding.size() * static_cast<size_t>(encoder_.info().hidden_dim);
    items_.push_back({encoding.ids, has_types ? encoding.type_ids : absl::Span<const int32_t>(),
                      workspace.Alloc<float>(floats).data()});
  }
  encoder_.Encode(items_, team);
  for (size_t i = 0; i < jobs.size(); ++i) jobs[i]->TakeHidden(items_[i].hidden, workspace);
}

}  // namespace attendant
