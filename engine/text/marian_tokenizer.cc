#include "engine/text/marian_tokenizer.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/base/file.h"
#include "engine/base/status_macros.h"
#include "engine/text/added_tokens.h"
#include "engine/text/marian_config.h"
#include "engine/text/sentencepiece.h"
#include "engine/text/token_table.h"
#include "engine/text/utf8.h"

namespace attendant {
namespace {

constexpr std::string_view kLanguageOpen = ">>";
constexpr std::string_view kLanguageClose = "<<";
constexpr char kUnknownPiece[] = "<unk>";

// One language side: a model and the ids that the model directory gives to its pieces.
class Side {
 public:
  Side(std::unique_ptr<SentencePiece> model, TokenTable table, std::string_view unk_token)
      : model_(std::move(model)), table_(std::move(table)), unk_id_(table_.Id(unk_token)) {
    const SpmVocabulary& vocabulary = model_->vocabulary();
    piece_ids_.reserve(vocabulary.size());
    for (int32_t piece = 0; piece < vocabulary.size(); ++piece) {
      piece_ids_.push_back(IdOrUnk(vocabulary.piece(piece).text));
    }
  }

  const SentencePiece& model() const { return *model_; }
  const TokenTable& table() const { return table_; }

  int32_t IdOrUnk(std::string_view token) const {
    const int32_t id = table_.Id(token);
    return id == TokenTable::kNoId ? unk_id_ : id;
  }

  void AppendIds(std::string_view text, std::vector<int32_t>* ids) const {
    const EncodedText encoded = model_->Encode(text);
    const int32_t unk_piece = model_->vocabulary().unk_id();
    for (const Segment& segment : encoded.segments) {
      // What one side's model does not know may still be a token of a shared vocabulary.
      ids->push_back(
          segment.id != unk_piece
              ? piece_ids_[segment.id]
              : IdOrUnk(
                    std::string_view(encoded.normalized).substr(segment.begin_bytes, segment.length_bytes)));
    }
  }

 private:
  std::unique_ptr<SentencePiece> model_;
  TokenTable table_;
  int32_t unk_id_;
  std::vector<int32_t> piece_ids_;  // By the model's id.
};

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  std::string result;
  size_t begin = 0;
  for (size_t at; (at = text.find(from, begin)) != std::string::npos; begin = at + from.size()) {
    result.append(text, begin, at - begin).append(to);
  }
  return result.append(text, begin);
}

std::string WithoutTokenisedSpaces(std::string text) {
  for (const char* mark : {".", "?", "!", ","})
    text = Replaced(std::move(text), absl::StrCat(" ", mark), mark);
  text = Replaced(std::move(text), " ' ", "'");
  for (const char* ending : {"n't", "'m", "'s", "'ve", "'re"}) {
    text = Replaced(std::move(text), absl::StrCat(" ", ending), ending);
  }
  return text;
}

// The punctuation normaliser of sacremoses, which transformers applies to nothing but its public normalize(),
// has no part here.
class MarianTokenizer : public Tokenizer {
 public:
  MarianTokenizer(Side source, Side target, MarianTokenizerConfig config)
      : source_(std::move(source)), target_(std::move(target)), config_(std::move(config)) {
    std::vector<AddedToken> added = config_.numbered_tokens;
    NumberSpecialTokens(&added);
    for (const AddedToken& token : added) added_by_id_.emplace(token.id, token.content);
    added_ = AddedTokens(std::move(added));
  }

  std::vector<int32_t> Encode(std::string_view text) const override { return EncodeSide(source_, text); }
  std::vector<int32_t> EncodeTarget(std::string_view text) const override {
    return EncodeSide(target_, text);
  }

  std::string Decode(absl::Span<const int32_t> ids) const override {
    const SentencePiece& model = DecodingSide().model();
    std::vector<std::string_view> pieces;
    std::string text;
    for (const int32_t id : ids) {
      const std::string_view token = special_ids_.contains(id) ? std::string_view() : TargetToken(id);
      if (token.empty()) continue;
      if (!IsSpecial(token)) {
        pieces.push_back(token);
        continue;
      }
      // With vocabularies of their own, a target id may be a special token's although the source's id is
      // another.
      text.append(model.DecodePieces(pieces)).append(token).append(" ");
      pieces.clear();
    }
    text = ReplaceSpaceSymbols(text.append(model.DecodePieces(pieces)));
    text = StripPythonSpaceLeft(StripPythonSpaceRight(text));
    return config_.clean_up_spaces ? WithoutTokenisedSpaces(std::move(text)) : text;
  }

  std::string SourcePiece(int32_t id) const override { return PieceOr(AddedOr(id, source_.table())); }
  std::string TargetPiece(int32_t id) const override { return PieceOr(TargetToken(id)); }

  int32_t vocab_size() const override { return std::max(source_.table().end_id(), target_.table().end_id()); }
  int32_t eos_id() const override { return IdOfSpecial(config_.eos_token); }
  int32_t unk_id() const override { return IdOfSpecial(config_.unk_token); }
  int32_t pad_id() const override { return IdOfSpecial(config_.pad_token); }

 private:
  // Special tokens that vocab.json does not have get new ids after its last.
  void NumberSpecialTokens(std::vector<AddedToken>* added) {
    int32_t next_id = source_.table().num_tokens();
    for (const AddedToken& token : *added)
      next_id += source_.table().Id(token.content) == TokenTable::kNoId ? 1 : 0;
    for (AddedToken& token : config_.special_tokens) {
      const auto same = std::find_if(added->begin(), added->end(), [&token](const AddedToken& other) {
        return other.content == token.content;
      });
      if (same != added->end()) {
        token.id = same->id;
      } else {
        token.id = source_.table().Id(token.content);
        if (token.id == TokenTable::kNoId) token.id = next_id++;
        added->push_back(token);
      }
      special_ids_.insert(token.id);
    }
  }

  std::vector<int32_t> EncodeSide(const Side& side, std::string_view text) const {
    std::vector<int32_t> ids;
    for (const AddedTokens::Part& part : added_.Split(text)) {
      if (part.id >= 0) {
        ids.push_back(part.id);
      } else {
        AppendPlain(side, part.text, &ids);
      }
    }
    return ids;
  }

  // A text may begin with the language to translate to: ">>deu<<" is one token.
  static void AppendPlain(const Side& side, std::string_view text, std::vector<int32_t>* ids) {
    const size_t close = text.starts_with(kLanguageOpen) ? text.find(kLanguageClose) : std::string_view::npos;
    if (close != std::string_view::npos) {
      const size_t length = close + kLanguageClose.size();
      ids->push_back(side.IdOrUnk(text.substr(0, length)));
      text.remove_prefix(length);
    }
    side.AppendIds(text, ids);
  }

  // transformers decodes with the source's model where one vocabulary serves both sides.
  const Side& DecodingSide() const { return config_.separate_vocabs ? target_ : source_; }

  std::string_view AddedOr(int32_t id, const TokenTable& table) const {
    const auto added = added_by_id_.find(id);
    return added != added_by_id_.end() ? std::string_view(added->second) : table.Token(id);
  }
  std::string_view TargetToken(int32_t id) const { return AddedOr(id, target_.table()); }
  static std::string PieceOr(std::string_view token) {
    return std::string(token.empty() ? kUnknownPiece : token);
  }

  bool IsSpecial(std::string_view token) const {
    return std::any_of(config_.special_tokens.begin(), config_.special_tokens.end(),
                       [token](const AddedToken& special) { return special.content == token; });
  }

  int32_t IdOfSpecial(std::string_view content) const {
    for (const AddedToken& token : config_.special_tokens) {
      if (token.content == content) return token.id;
    }
    return -1;
  }

  Side source_;
  Side target_;
  MarianTokenizerConfig config_;
  AddedTokens added_;
  absl::flat_hash_map<int32_t, std::string> added_by_id_;
  absl::flat_hash_set<int32_t> special_ids_;
};

struct SideFiles {
  std::string_view model;
  std::string_view vocabulary;
};

absl::StatusOr<Side> LoadSide(const std::string& model_dir, const SideFiles& files,
                              const std::string& unk_token) {
  ATTENDANT_ASSIGN_OR_RETURN(const std::string model_file, ResolveWithin(model_dir, files.model));
  ATTENDANT_ASSIGN_OR_RETURN(const std::string vocabulary_file, ResolveWithin(model_dir, files.vocabulary));
  ATTENDANT_ASSIGN_OR_RETURN(std::unique_ptr<SentencePiece> model, SentencePiece::Load(model_file));
  ATTENDANT_ASSIGN_OR_RETURN(TokenTable table, TokenTable::Load(vocabulary_file));
  if (table.Id(unk_token) == TokenTable::kNoId) {
    return absl::DataLossError(
        absl::StrCat(vocabulary_file, ": the unknown token \"", unk_token, "\" is missing"));
  }
  return Side(std::move(model), std::move(table), unk_token);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Tokenizer>> LoadMarianTokenizer(const std::filesystem::path& model_dir) {
  ATTENDANT_ASSIGN_OR_RETURN(MarianTokenizerConfig config, LoadMarianTokenizerConfig(model_dir));
  const std::string_view target_vocabulary = config.separate_vocabs ? "target_vocab.json" : "vocab.json";
  ATTENDANT_ASSIGN_OR_RETURN(Side source,
                             LoadSide(model_dir.string(), {"source.spm", "vocab.json"}, config.unk_token));
  ATTENDANT_ASSIGN_OR_RETURN(
      Side target, LoadSide(model_dir.string(), {"target.spm", target_vocabulary}, config.unk_token));
  return std::make_unique<MarianTokenizer>(std::move(source), std::move(target), std::move(config));
}

}  // namespace attendant
