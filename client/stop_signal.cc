#include "client/stop_signal.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <utility>

namespace attendant::client {
namespace {

std::atomic<int> signal_fd{-1};

void HandleSignal(int) {
  const int saved_errno = errno;
  const char byte = 0;
  // Nothing can be done about a failure here; the second signal ends the process anyway.
  [[maybe_unused]] const ssize_t ignored = write(signal_fd.load(), &byte, 1);
  errno = saved_errno;
}

}  // namespace

StopSignal::StopSignal() {
  // Without pipes (no descriptors left) poll() skips the -1 and the signals keep their default.
  if (pipe2(signal_pipe_, O_CLOEXEC | O_NONBLOCK) != 0 || pipe2(end_pipe_, O_CLOEXEC) != 0) return;
  signal_fd = signal_pipe_[1];
  struct sigaction action {};
  action.sa_handler = HandleSignal;
  action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  watcher_ = std::thread([this] { Watch(); });
}

StopSignal::~StopSignal() {
  if (watcher_.joinable()) {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    const char byte = 0;
    [[maybe_unused]] const ssize_t ignored = write(end_pipe_[1], &byte, 1);
    watcher_.join();
  }
  for (const int fd : {signal_pipe_[0], signal_pipe_[1], end_pipe_[0], end_pipe_[1]}) {
    if (fd >= 0) close(fd);
  }
}

void StopSignal::Watch() {
  pollfd fds[2] = {{signal_pipe_[0], POLLIN, 0}, {end_pipe_[0], POLLIN, 0}};
  while (poll(fds, 2, -1) < 0 && errno == EINTR) {
  }
  if (fds[0].revents == 0) return;
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  if (handler_) handler_();
}

bool StopSignal::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

void StopSignal::Stop() {
  const char byte = 0;
  [[maybe_unused]] const ssize_t ignored = write(signal_pipe_[1], &byte, 1);
}

void StopSignal::OnStop(std::function<void()> handler) {
  const std::lock_guard lock(mutex_);
  handler_ = std::move(handler);
  if (stopped_ && handler_) handler_();
}

}  // namespace attendant::client
