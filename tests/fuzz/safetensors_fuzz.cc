// Weights files that nobody has checked: whatever the bytes, an error or tensors that can be read to their
// last element.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/weights/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int fd = memfd_create("fuzz.safetensors", MFD_CLOEXEC);
  if (fd < 0 || write(fd, data, size) != static_cast<ssize_t>(size)) std::abort();
  auto weights = attendant::LoadSafetensors(absl::StrCat("/proc/self/fd/", fd));
  close(fd);
  if (!weights.ok()) return 0;
  size_t bytes = 0;
  for (const std::string& name : weights->names()) {
    const attendant::TensorView view = weights->Get(name).value();
    attendant::FirstNonFinite(view);
    bytes += view.size_bytes();
  }
  if (bytes > size || !weights->CheckAllUsed({}).ok()) std::abort();
  return 0;
}
