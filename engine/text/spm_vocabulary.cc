#include "engine/text/spm_vocabulary.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/text/utf8.h"

namespace attendant {
namespace {

bool CanMatchText(SpmPieceType type) {
  return type == SpmPieceType::kNormal || type == SpmPieceType::kUserDefined || type == SpmPieceType::kUnused;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

int ByteOfPiece(std::string_view piece) {
  if (piece.size() != 6 || piece.substr(0, 3) != "<0x" || piece[5] != '>') return -1;
  const int high = HexDigit(piece[3]);
  const int low = HexDigit(piece[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

absl::StatusOr<SpmVocabulary> SpmVocabulary::Create(std::vector<SpmPiece> pieces, bool byte_fallback) {
  SpmVocabulary vocabulary;
  vocabulary.pieces_ = std::move(pieces);
  vocabulary.traits_.reserve(vocabulary.pieces_.size());
  for (const SpmPiece& piece : vocabulary.pieces_) vocabulary.traits_.push_back({piece.score, piece.type});
  vocabulary.byte_fallback_ = byte_fallback;
  ATTENDANT_RETURN_IF_ERROR(vocabulary.CheckDuplicates());
  ATTENDANT_RETURN_IF_ERROR(vocabulary.IndexSpecialPieces());
  vocabulary.BuildTries();
  return vocabulary;
}

absl::Status SpmVocabulary::CheckDuplicates() const {
  std::vector<std::pair<bool, std::string_view>> keys;
  keys.reserve(pieces_.size());
  for (const SpmPiece& piece : pieces_) keys.emplace_back(CanMatchText(piece.type), piece.text);
  std::sort(keys.begin(), keys.end());
  const auto duplicate = std::adjacent_find(keys.begin(), keys.end());
  if (duplicate == keys.end()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("piece \"", std::string(duplicate->second), "\" is defined twice"));
}

absl::Status SpmVocabulary::IndexSpecialPieces() {
  byte_ids_.fill(-1);
  for (int32_t id = 0; id < size(); ++id) {
    if (type(id) == SpmPieceType::kUnknown) {
      if (unk_id_ >= 0)
        return absl::DataLossError(absl::StrCat("pieces ", unk_id_, " and ", id, " are both unknown"));
      unk_id_ = id;
    } else if (type(id) == SpmPieceType::kByte) {
      const int byte = ByteOfPiece(pieces_[id].text);
      if (byte < 0 || !byte_fallback_) {
        return absl::DataLossError(absl::StrCat("byte piece \"", pieces_[id].text, "\" is ",
                                                byte < 0 ? "malformed" : "there without byte_fallback"));
      }
      byte_ids_[byte] = id;
    }
  }
  if (unk_id_ < 0) return absl::DataLossError("no piece is of the unknown type");
  if (byte_fallback_ && std::count(byte_ids_.begin(), byte_ids_.end(), -1) > 0) {
    return absl::DataLossError("byte_fallback without a piece for each of the 256 bytes");
  }
  return absl::OkStatus();
}

void SpmVocabulary::BuildTries() {
  std::vector<std::pair<std::string_view, int32_t>> matched, reserved, user_defined;
  for (int32_t id = 0; id < size(); ++id) {
    (CanMatchText(type(id)) ? matched : reserved).emplace_back(pieces_[id].text, id);
    if (type(id) == SpmPieceType::kUserDefined) user_defined.emplace_back(pieces_[id].text, id);
  }
  trie_ = ByteTrie(std::move(matched));
  reserved_ = ByteTrie(std::move(reserved));
  user_defined_ = ByteTrie(std::move(user_defined));
}

int32_t SpmVocabulary::IdOf(std::string_view text) const {
  if (const int32_t id = reserved_.Find(text); id != ByteTrie::kNoValue) return id;
  const int32_t id = trie_.Find(text);
  return id == ByteTrie::kNoValue ? unk_id_ : id;
}

SpmVocabulary::Symbol SpmVocabulary::FirstSymbol(std::string_view text) const {
  if (const size_t length = user_defined_.LongestPrefix(text); length > 0) return {length, true};
  return {AnnouncedCharLength(text), false};
}

}  // namespace attendant
