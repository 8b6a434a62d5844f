// Loads the input as a SentencePiece model; if it loads, encodes and decodes fixed texts with it.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/text/sentencepiece.h"
#include "engine/text/utf8.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void RoundTrip(const attendant::SentencePiece& model, std::string_view text) {
  const attendant::EncodedText encoded = model.Encode(text);
  uint32_t end = 0;
  std::vector<int32_t> ids;
  for (const attendant::Segment& segment : encoded.segments) {
    Check(segment.begin_bytes == end && segment.length_bytes > 0);
    end += segment.length_bytes;
    Check(segment.id >= 0 && segment.id < model.vocabulary().size());
    ids.push_back(segment.id);
  }
  Check(end == encoded.normalized.size());
  Check(attendant::IsValidUtf8(model.DecodeIds(ids)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto model = attendant::SentencePiece::Parse({reinterpret_cast<const char*>(data), size});
  if (!model.ok()) return 0;
  RoundTrip(
      **model,
      "Hello, world! aaaa ab abc \xE4\xBD\xA0\xE5\xA5\xBD e\xCC\x81 \xFF\xC3 <s> <0x41> \xE2\x96\x81 tab\t ");
  RoundTrip(**model, std::string_view("\0\r\n ", 4));
  std::vector<int32_t> every_id;
  for (int32_t id = -1; id <= model.value()->vocabulary().size() && id < 1000; ++id) every_id.push_back(id);
  Check(attendant::IsValidUtf8(model.value()->DecodeIds(every_id)));
  return 0;
}
