#pragma once

#include <cstdint>

namespace attendant {

// How much code of counted_hf_tokenizer has run so far: its basic blocks, and what memcpy and the like were
// given, 16 bytes for a block. The same work counts the same on every machine, however busy; so a test can
// compare the work on a text with that on one twice as long. Not counted: what other libraries do. Not
// thread-safe.
uint64_t WorkSoFar();

}  // namespace attendant
