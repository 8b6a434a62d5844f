#include "engine/tasks/shared_executor.h"

namespace attendant {
namespace {

bool IsEncodeJob(Job* job) {
  return dynamic_cast<EncodeJob*>(job) != nullptr;
}

}  // namespace

void SharedExecutor::Start(absl::Span<Job* const> jobs) {
  to_decode_.clear();
  to_encode_.clear();
  for (Job* job : jobs) (IsEncodeJob(job) ? to_encode_ : to_decode_).push_back(job);
  if (!to_encode_.empty()) encode_->Start(to_encode_);
  if (!to_decode_.empty()) decode_->Start(to_decode_);
}

void SharedExecutor::Release(Job& job) {
  (IsEncodeJob(&job) ? *encode_ : *decode_).Release(job);
}

}  // namespace attendant
