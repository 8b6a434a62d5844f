#include "engine/text/wire_reader.h"

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace attendant {

absl::Status WireReader::Corrupt(std::string_view what) const {
  return absl::DataLossError(absl::StrCat(std::string(what), " at byte ", position_, " of a message of ",
                                          message_.size(), " bytes"));
}

absl::Status WireReader::ReadVarint(uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (AtEnd()) return Corrupt("a number is cut off");
    const uint8_t byte = static_cast<uint8_t>(message_[position_++]);
    *value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return absl::OkStatus();
  }
  return Corrupt("a number is longer than ten bytes");
}

absl::Status WireReader::ReadFixed(size_t size_bytes, uint64_t* value) {
  if (message_.size() - position_ < size_bytes) return Corrupt("a fixed-size number is cut off");
  *value = 0;
  for (size_t i = 0; i < size_bytes; ++i) {
    *value |= static_cast<uint64_t>(static_cast<uint8_t>(message_[position_ + i])) << (8 * i);
  }
  position_ += size_bytes;
  return absl::OkStatus();
}

absl::Status WireReader::ReadBytes(std::string_view* bytes) {
  uint64_t length = 0;
  ATTENDANT_RETURN_IF_ERROR(ReadVarint(&length));
  if (length > message_.size() - position_) {
    return Corrupt(absl::StrCat("a field claims ", length, " bytes, more than are left,"));
  }
  *bytes = message_.substr(position_, length);
  position_ += length;
  return absl::OkStatus();
}

absl::Status WireReader::Next(WireField* field) {
  uint64_t tag = 0;
  ATTENDANT_RETURN_IF_ERROR(ReadVarint(&tag));
  const uint64_t number = tag >> 3;
  if (number == 0 || number > 0x1FFFFFFF) return Corrupt("a field number is out of range");
  field->number = static_cast<uint32_t>(number);
  field->type = static_cast<WireField::Type>(tag & 7);
  switch (field->type) {
    case WireField::Type::kVarint:
      return ReadVarint(&field->scalar);
    case WireField::Type::kFixed64:
      return ReadFixed(8, &field->scalar);
    case WireField::Type::kBytes:
      return ReadBytes(&field->bytes);
    case WireField::Type::kFixed32:
      return ReadFixed(4, &field->scalar);
  }
  return Corrupt("an unknown field type");
}

}  // namespace attendant
