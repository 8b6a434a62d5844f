#include "engine/tasks/serial_queue.h"

#include <utility>

namespace attendant {

std::shared_ptr<SerialQueue> SerialQueue::Create(ThreadPool& pool) {
  return std::shared_ptr<SerialQueue>(new SerialQueue(pool));
}

void SerialQueue::Post(absl::AnyInvocable<void()> task) {
  {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    if (is_scheduled_) return;
    is_scheduled_ = true;
  }
  pool_.Post([self = shared_from_this()] { self->RunNext(); });
}

void SerialQueue::RunNext() {
  std::unique_lock lock(mutex_);
  absl::AnyInvocable<void()> task = std::move(tasks_.front());
  tasks_.pop_front();
  lock.unlock();
  std::move(task)();
  task = nullptr;
  lock.lock();
  is_scheduled_ = !tasks_.empty();
  // One at a time through the pool: a long text does not keep the others' tasks waiting.
  if (is_scheduled_) pool_.Post([self = shared_from_this()] { self->RunNext(); });
}

}  // namespace attendant
