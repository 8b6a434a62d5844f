#include "engine/text/text_file.h"

#include <fstream>

#include "absl/strings/str_cat.h"

namespace attendant {

absl::StatusOr<std::string> ReadTextFile(const std::filesystem::path& file, size_t max_bytes) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    return absl::NotFoundError(absl::StrCat(file.string(), ": no such file"));
  }
  const auto size = std::filesystem::file_size(file, error);
  if (error) return absl::NotFoundError(absl::StrCat(file.string(), ": ", error.message()));
  if (size > max_bytes) {
    return absl::DataLossError(absl::StrCat(file.string(), ": ", size, " bytes; the limit is ", max_bytes));
  }
  std::string bytes(size, '\0');
  std::ifstream stream(file, std::ios::binary);
  if (!stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    return absl::NotFoundError(absl::StrCat(file.string(), ": cannot be read"));
  }
  return bytes;
}

}  // namespace attendant
