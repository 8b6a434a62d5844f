#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/text/byte_trie.h"
#include "engine/text/spm_file.h"

namespace attendant {

// The pieces of a SentencePiece model and the ways to look them up. Ids are 0 to size() - 1.
//
// Invariants: exactly one piece is of type kUnknown; no two pieces that text can match (normal, user-defined,
// unused) are equal, and no two others are; with byte fallback each byte has its piece ("<0x0A>").
//
// Immutable, thread-safe.
class SpmVocabulary {
 public:
  // Errors: DATA_LOSS where an invariant does not hold.
  static absl::StatusOr<SpmVocabulary> Create(std::vector<SpmPiece> pieces, bool byte_fallback);

  int32_t size() const { return static_cast<int32_t>(pieces_.size()); }
  int32_t unk_id() const { return unk_id_; }
  bool has_byte_fallback() const { return byte_fallback_; }

  const SpmPiece& piece(int32_t id) const { return pieces_[id]; }
  SpmPieceType type(int32_t id) const { return traits_[id].type; }
  float score(int32_t id) const { return traits_[id].score; }

  // The pieces that text can match.
  const ByteTrie& trie() const { return trie_; }
  // The user-defined pieces alone: never merged, split or normalised.
  const ByteTrie& user_defined() const { return user_defined_; }

  // The id of a piece of any type; unk_id() for a text that is no piece.
  int32_t IdOf(std::string_view text) const;

  // The piece of a byte; only with byte fallback.
  int32_t ByteId(uint8_t byte) const { return byte_ids_[byte]; }

  // The first symbol of text, which must not be empty: a user-defined piece or else one character.
  struct Symbol {
    size_t length_bytes;
    bool is_user_defined;
  };
  Symbol FirstSymbol(std::string_view text) const;

 private:
  SpmVocabulary() = default;

  absl::Status CheckDuplicates() const;
  absl::Status IndexSpecialPieces();
  void BuildTries();

  // What segmentation reads of a piece, close together for the sake of the cache.
  struct Traits {
    float score;
    SpmPieceType type;
  };

  std::vector<SpmPiece> pieces_;
  std::vector<Traits> traits_;
  ByteTrie trie_;
  ByteTrie reserved_;  // Control, unknown and byte pieces, which win over equal texts in IdOf.
  ByteTrie user_defined_;
  std::array<int32_t, 256> byte_ids_{};
  int32_t unk_id_ = -1;
  bool byte_fallback_ = false;
};

// The byte that a byte piece stands for ("<0x0A>" is 10), or -1 for a text of another form.
int ByteOfPiece(std::string_view piece);

}  // namespace attendant
