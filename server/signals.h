#pragma once

namespace attendant {

// SIGTERM and SIGINT, waited for instead of handled, so that no code ever runs inside a signal handler. Make
// it before the first thread starts: threads inherit the mask.
class ShutdownSignals {
 public:
  // Blocks the signals for this thread and those that it starts; ignores SIGPIPE.
  ShutdownSignals();
  // Returns the first signal. From then on another one ends the process at once, with 128 + its number.
  int Wait();
};

}  // namespace attendant
