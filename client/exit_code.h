#pragma once

namespace attendant::client {

// What the process tells its caller. `attendant --help` documents them; scripts rely on them.
enum class ExitCode {
  kOk = 0,
  kFailed = 1,       // Some text failed, or the service is not SERVING.
  kUsage = 2,        // The command line is wrong.
  kUnreachable = 3,  // No server there, or it is loading or draining.
  kDeadline = 4,     // Nothing went wrong but time: every failure was a deadline.
  kInterrupted = 130,
};

}  // namespace attendant::client
