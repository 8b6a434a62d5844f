#pragma once

#include <cstdint>

namespace attendant {

// Lines that this process's Loggers could not write (a full disk behind standard error), at least one for
// each run of them. Thread-safe.
int64_t LogLinesDropped();

}  // namespace attendant
