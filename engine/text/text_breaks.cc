#include "engine/text/text_breaks.h"

#include <unicode/filteredbrk.h>
#include <unicode/locid.h>
#include <unicode/uchar.h>

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "engine/text/utf8.h"

namespace attendant {
namespace {

icu::Locale LocaleOf(const std::string& name) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Locale locale = icu::Locale::forLanguageTag(name, error);
  return U_SUCCESS(error) && !locale.isBogus() ? locale : icu::Locale::getRoot();
}

// Abbreviations that ICU's lists lack and that hardly ever end a sentence, as "etc." and "a.m." do.
constexpr const char16_t* kAbbreviations[] = {
    u"Dr.",  u"Prof.", u"St.",  u"Mr.",   u"Mrs.", u"Ms.",   u"Gen.", u"Sen.", u"Fig.",   u"vs.",
    u"e.g.", u"i.e.",  u"z.B.", u"z. B.", u"d.h.", u"d. h.", u"bzw.", u"ca.",  u"approx."};

std::unique_ptr<icu::BreakIterator> MakeSentenceIterator(const icu::Locale& locale) {
  UErrorCode error = U_ZERO_ERROR;
  std::unique_ptr<icu::BreakIterator> plain(icu::BreakIterator::createSentenceInstance(locale, error));
  if (U_FAILURE(error)) return nullptr;
  const std::unique_ptr<icu::FilteredBreakIteratorBuilder> builder(
      icu::FilteredBreakIteratorBuilder::createInstance(locale, error));
  if (U_FAILURE(error) || builder == nullptr) return plain;
  if (locale != icu::Locale::getRoot()) {
    for (const char16_t* abbreviation : kAbbreviations) builder->suppressBreakAfter(abbreviation, error);
  }
  // The builder takes its argument over even when it fails.
  std::unique_ptr<icu::BreakIterator> filtered(builder->build(plain->clone(), error));
  return U_SUCCESS(error) && filtered != nullptr ? std::move(filtered) : std::move(plain);
}

// To make an iterator costs far more than to copy one, so the first of each locale is kept to be copied.
class SentenceIterators {
 public:
  std::unique_ptr<icu::BreakIterator> Copy(std::string_view locale) {
    const std::string name(locale);
    const std::lock_guard<std::mutex> lock(mutex_);
    auto found = prototypes_.find(name);
    if (found == prototypes_.end()) {
      std::unique_ptr<icu::BreakIterator> made = MakeSentenceIterator(LocaleOf(name));
      if (made == nullptr || prototypes_.size() >= kMaxPrototypes) return made;
      found = prototypes_.emplace(name, std::move(made)).first;
    }
    return std::unique_ptr<icu::BreakIterator>(found->second->clone());
  }

 private:
  static constexpr size_t kMaxPrototypes = 64;  // Locale names may come from outside.

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<icu::BreakIterator>> prototypes_;  // Guarded by mutex_.
};

size_t ToOffset(int32_t position) {
  return position == icu::BreakIterator::DONE ? TextBreaks::npos : static_cast<size_t>(position);
}

}  // namespace

TextBreaks TextBreaks::Sentences(std::string_view locale) {
  // Never destroyed, as threads may still split while the process ends.
  static SentenceIterators* const iterators = new SentenceIterators;
  return TextBreaks(iterators->Copy(locale));
}

TextBreaks TextBreaks::GraphemeClusters() {
  UErrorCode error = U_ZERO_ERROR;
  std::unique_ptr<icu::BreakIterator> iterator(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), error));
  return TextBreaks(U_SUCCESS(error) ? std::move(iterator) : nullptr);
}

TextBreaks::~TextBreaks() {
  utext_close(&text_);
}

void TextBreaks::SetText(std::string_view text) {
  if (iterator_ == nullptr) return;
  UErrorCode error = U_ZERO_ERROR;
  utext_openUTF8(&text_, text.data(), static_cast<int64_t>(text.size()), &error);
  iterator_->setText(&text_, error);
  if (U_FAILURE(error)) iterator_ = nullptr;
}

size_t TextBreaks::Next() {
  return iterator_ == nullptr ? npos : ToOffset(iterator_->next());
}

size_t TextBreaks::After(size_t offset_bytes) {
  return iterator_ == nullptr ? npos : ToOffset(iterator_->following(static_cast<int32_t>(offset_bytes)));
}

size_t TextBreaks::Before(size_t offset_bytes) {
  return iterator_ == nullptr ? npos : ToOffset(iterator_->preceding(static_cast<int32_t>(offset_bytes)));
}

bool IsWhiteSpace(char32_t code_point) {
  return u_isUWhiteSpace(static_cast<UChar32>(code_point)) != 0;
}

size_t LeadingSpaceBytes(std::string_view text) {
  size_t length = 0;
  while (length < text.size()) {
    const Utf8Char c = DecodeUtf8Char(text.substr(length));
    if (!IsWhiteSpace(c.code_point)) break;
    length += c.length_bytes;
  }
  return length;
}

std::string_view WithoutTrailingSpace(std::string_view text) {
  while (!text.empty()) {
    const size_t last = LastCharOffset(text);
    const Utf8Char c = DecodeUtf8Char(text.substr(last));
    if (!IsWhiteSpace(c.code_point)) break;
    text.remove_suffix(text.size() - last);
  }
  return text;
}

}  // namespace attendant
