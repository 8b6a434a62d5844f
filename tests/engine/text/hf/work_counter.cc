#include "tests/engine/text/hf/work_counter.h"

#include <cstddef>

namespace {

uint64_t work = 0;

void CountBytes(size_t bytes) {
  work += bytes / 16;
}

}  // namespace

// The compiler calls the first at each basic block (-fsanitize-coverage=trace-pc), the linker the others in
// the place of the functions that they are named after (--wrap).
extern "C" {

void __sanitizer_cov_trace_pc() {
  ++work;
}

void* __real_memchr(const void* text, int byte, size_t size);
int __real_memcmp(const void* a, const void* b, size_t size);
void* __real_memcpy(void* dst, const void* src, size_t size);
void* __real_memmove(void* dst, const void* src, size_t size);
void* __real_memset(void* dst, int byte, size_t size);

void* __wrap_memchr(const void* text, int byte, size_t size) {
  void* const found = __real_memchr(text, byte, size);
  CountBytes(found == nullptr
                 ? size
                 : static_cast<size_t>(static_cast<const char*>(found) - static_cast<const char*>(text)));
  return found;
}

int __wrap_memcmp(const void* a, const void* b, size_t size) {
  CountBytes(size);
  return __real_memcmp(a, b, size);
}

void* __wrap_memcpy(void* dst, const void* src, size_t size) {
  CountBytes(size);
  return __real_memcpy(dst, src, size);
}

void* __wrap_memmove(void* dst, const void* src, size_t size) {
  CountBytes(size);
  return __real_memmove(dst, src, size);
}

void* __wrap_memset(void* dst, int byte, size_t size) {
  CountBytes(size);
  return __real_memset(dst, byte, size);
}

}  // extern "C"

namespace attendant {

uint64_t WorkSoFar() {
  return work;
}

}  // namespace attendant
