#pragma once

namespace attendant {

// SIGTERM and SIGINT, waited for instead of handled, so that no code ever runs inside a signal handler. Make
// it before the first thread starts: threads inherit the mask.
class ShutdownSignals {
 public:
  // Blocks the signals for this thread and those that it starts; ignores SIGPIPE, and the ends of children:
  // as PID 1 of a container it inherits strangers, and none stays as a zombie.
  ShutdownSignals();
  // Whether one has come that nobody has waited for.
  static bool IsPending();
  // Returns the first signal. From then on another one ends the process at once, with 128 + its number.
  int Wait();
};

}  // namespace attendant
