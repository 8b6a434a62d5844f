#include "engine/text/spm_normalizer.h"

#include <utility>

#include "engine/base/status_macros.h"
#include "engine/text/utf8.h"

namespace attendant {

absl::StatusOr<SpmNormalizer> SpmNormalizer::Create(Options options) {
  ATTENDANT_ASSIGN_OR_RETURN(Charsmap charsmap, Charsmap::Parse(options.spec.charsmap));
  options.spec.charsmap.clear();
  return SpmNormalizer(std::move(options), std::move(charsmap));
}

SpmNormalizer::SpmNormalizer(Options options, Charsmap charsmap)
    : options_(std::move(options)),
      charsmap_(std::move(charsmap)),
      space_(options_.spec.escape_whitespaces ? kSpaceSymbol : " ") {}

SpmNormalizer::Step SpmNormalizer::NextStep(std::string_view text) const {
  if (const size_t kept = options_.kept.LongestPrefix(text); kept > 0) return {kept, text.substr(0, kept)};
  if (const Charsmap::Match match = charsmap_.LongestMatch(text); match.length_bytes > 0) {
    return {match.length_bytes, match.replacement};
  }
  const Utf8Char c = DecodeUtf8Char(text);
  return {c.length_bytes, c.is_valid ? text.substr(0, c.length_bytes) : kReplacementCharacter};
}

std::string_view SpmNormalizer::SkipLeadingSpaces(std::string_view text) const {
  while (!text.empty()) {
    const Step step = NextStep(text);
    if (step.output != " ") break;
    text.remove_prefix(step.consumed_bytes);
  }
  return text;
}

void SpmNormalizer::AppendEscaped(std::string_view piece, std::string* normalized) const {
  for (const char byte : piece) {
    if (byte == ' ') {
      normalized->append(space_);
    } else {
      normalized->push_back(byte);
    }
  }
}

void SpmNormalizer::AppendBody(std::string_view text, std::string* normalized) const {
  const bool remove_spaces = options_.spec.remove_extra_whitespaces;
  bool after_space = remove_spaces;
  while (!text.empty()) {
    const Step step = NextStep(text);
    text.remove_prefix(step.consumed_bytes);
    std::string_view piece = step.output;
    while (after_space && piece.starts_with(' ')) piece.remove_prefix(1);
    if (piece.empty()) continue;
    AppendEscaped(piece, normalized);
    after_space = remove_spaces && piece.back() == ' ';
  }
}

std::string SpmNormalizer::Normalize(std::string_view text) const {
  std::string normalized;
  const bool remove_spaces = options_.spec.remove_extra_whitespaces;
  if (remove_spaces) text = SkipLeadingSpaces(text);
  if (text.empty()) return normalized;
  normalized.reserve(text.size() + text.size() / 2 + 8);
  const bool add_mark = options_.spec.add_dummy_prefix;
  if (add_mark && !options_.treat_whitespace_as_suffix) normalized.append(space_);
  AppendBody(text, &normalized);
  if (remove_spaces) {
    while (normalized.ends_with(space_)) normalized.resize(normalized.size() - space_.size());
  }
  if (add_mark && options_.treat_whitespace_as_suffix) normalized.append(space_);
  return normalized;
}

}  // namespace attendant
