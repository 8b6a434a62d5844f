#pragma once

#include <functional>
#include <mutex>
#include <thread>

namespace attendant::client {

// Turns SIGINT and SIGTERM into a clean stop; a second signal ends the process at once. SIGPIPE is ignored: a
// write to a closed pipe fails instead. One at a time in a process. Thread-safe.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // Readable from the signal on; never read from it.
  int fd() const { return signal_pipe_[0]; }
  bool stopped() const;
  // As if the signal had come.
  void Stop();

  // Calls `handler` on another thread when the signal comes, at once if it came already. Empty: none any
  // more; when this returns, no earlier handler is running.
  void OnStop(std::function<void()> handler);

 private:
  void Watch();

  int signal_pipe_[2] = {-1, -1};  // A byte: stopped.
  int end_pipe_[2] = {-1, -1};     // A byte: the watcher ends.
  mutable std::mutex mutex_;
  std::function<void()> handler_;  // Guarded by mutex_.
  bool stopped_ = false;           // Guarded by mutex_.
  std::thread watcher_;
};

}  // namespace attendant::client
