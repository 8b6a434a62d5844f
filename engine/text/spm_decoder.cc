#include "engine/text/spm_decoder.h"

#include <utility>

#include "engine/text/utf8.h"

namespace attendant {

void SpmDecoder::Append(std::string_view piece) {
  const int32_t id = vocabulary_.IdOf(piece);
  if (vocabulary_.type(id) == SpmPieceType::kByte) {
    bytes_.push_back(static_cast<char>(ByteOfPiece(piece)));
    return;
  }
  FlushBytes();
  if (took_space_ || !text_.empty()) expects_space_ = false;
  text_ += Surface(piece, id, &took_space_);
}

std::string SpmDecoder::Finish() && {
  FlushBytes();
  return std::move(text_);
}

void SpmDecoder::FlushBytes() {
  if (bytes_.empty()) return;
  text_ += ReplaceInvalidUtf8(bytes_);
  bytes_.clear();
}

std::string SpmDecoder::Surface(std::string_view piece, int32_t id, bool* took_space) const {
  *took_space = false;
  if (vocabulary_.type(id) == SpmPieceType::kControl) return "";
  if (vocabulary_.type(id) == SpmPieceType::kUnknown) {
    return std::string(piece == vocabulary_.piece(id).text ? options_.unk_surface : piece);
  }
  if (expects_space_ && (options_.strip_leading_space || options_.strip_leading_spaces)) {
    const bool has_space = piece.starts_with(kSpaceSymbol);
    if (has_space) piece.remove_prefix(kSpaceSymbol.size());
    *took_space = has_space && !options_.strip_leading_spaces;
  }
  return ReplaceSpaceSymbols(piece);
}

}  // namespace attendant
