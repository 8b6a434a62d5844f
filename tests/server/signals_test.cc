#include "server/signals.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace attendant {
namespace {

// Each in a process of its own: what it changes is the process's.

TEST(ShutdownSignalsTest, AChildThatEndsLeavesNoZombie) {
  const auto run = [] {
    const ShutdownSignals signals;
    const pid_t child = fork();
    if (child == 0) _exit(0);
    // Returns when the child has ended, and then finds none to ask.
    int status = 0;
    const bool is_gone = waitpid(child, &status, 0) == -1 && errno == ECHILD;
    std::exit(is_gone ? 0 : 1);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
}

TEST(ShutdownSignalsTest, ASignalIsPendingUntilItIsWaitedFor) {
  const auto run = [] {
    ShutdownSignals signals;
    const bool was_pending = ShutdownSignals::IsPending();
    raise(SIGTERM);
    const bool is_pending = ShutdownSignals::IsPending();
    const int signal = signals.Wait();
    std::exit(!was_pending && is_pending && signal == SIGTERM && !ShutdownSignals::IsPending() ? 0 : 1);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace attendant
