#include "engine/tasks/decode_executor.h"

namespace attendant {
namespace {

TranslationJob& Cast(Job* job) {
  return static_cast<TranslationJob&>(*job);
}

}  // namespace

void DecodeExecutor::CollectSequences(absl::Span<Job* const> jobs) {
  sequences_.clear();
  for (Job* job : jobs) sequences_.push_back(Cast(job).sequence_.get());
}

void DecodeExecutor::Start(absl::Span<Job* const> jobs) {
  const TimePoint begin = clock_.Now();
  for (Job* job : jobs) Cast(job).NoteStart(decoder_.pool(), begin);
  CollectSequences(jobs);
  decoder_.Start(sequences_);
  const TimePoint end = clock_.Now();
  for (Job* job : jobs) Cast(job).NoteEncoded(end);
}

void DecodeExecutor::Step(absl::Span<Job* const> jobs) {
  CollectSequences(jobs);
  decoder_.Step(sequences_);
  const TimePoint end = clock_.Now();
  for (Job* job : jobs) Cast(job).NoteStep(end);
}

void DecodeExecutor::Release(Job& job) {
  decoder_.Release(*Cast(&job).sequence_);
}

}  // namespace attendant
