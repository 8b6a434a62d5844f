// jpeglib.h needs what the first two declare, and jerror.h comes after it.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <csetjmp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/image/decoders.h"
#include "engine/image/orientation.h"

namespace attendant {
namespace {

constexpr int kApp1 = JPEG_APP0 + 1;
constexpr std::string_view kXmpPrefix{"http://ns.adobe.com/xap/1.0/\0", 29};

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// One JPEG file. libjpeg reports an error by calling Fail, which must not return to it: it jumps back to Run.
// So what a step running under Run owns lives in members, and no frame that is jumped over has anything to
// destroy.
class JpegDecoder {
 public:
  JpegDecoder(std::string_view file_bytes, const ImageLimits& limits);
  ~JpegDecoder() { jpeg_destroy_decompress(&info_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  absl::StatusOr<StoredImage> Decode();

 private:
  using Step = void (JpegDecoder::*)();

  // Runs a step; the error that libjpeg found in it.
  absl::Status Run(Step step);
  bool RunUnlessJumped(Step step);

  // Steps.
  void Create();
  void ReadHeader();
  void ReadPixels();

  void ReadGreyRow(int y);
  void ReadCmykRow(int y);
  Orientation FindOrientationInMarkers() const;

  // What libjpeg calls.
  static JpegDecoder& Self(j_common_ptr info) { return *static_cast<JpegDecoder*>(info->client_data); }
  static void Fail(j_common_ptr info);
  static void OnMessage(j_common_ptr info, int level);
  static void OnProgress(j_common_ptr info);
  static boolean OnInputEnd(j_decompress_ptr info);
  static void SkipInput(j_decompress_ptr info, long num_bytes);

  const std::string_view file_bytes_;
  const ImageLimits& limits_;
  jpeg_decompress_struct info_ = {};
  jpeg_error_mgr errors_ = {};
  jpeg_source_mgr source_ = {};
  jpeg_progress_mgr progress_ = {};
  std::jmp_buf run_;
  char message_[JMSG_LENGTH_MAX] = "";
  Image image_;
  std::vector<uint8_t> row_;  // One row of a colour space that libjpeg does not turn into RGB.
};

JpegDecoder::JpegDecoder(std::string_view file_bytes, const ImageLimits& limits)
    : file_bytes_(file_bytes), limits_(limits) {
  info_.err = jpeg_std_error(&errors_);
  info_.client_data = this;
  errors_.error_exit = Fail;
  errors_.emit_message = OnMessage;
  errors_.output_message = [](j_common_ptr) {};
  source_.next_input_byte = reinterpret_cast<const JOCTET*>(file_bytes.data());
  source_.bytes_in_buffer = file_bytes.size();
  source_.init_source = [](j_decompress_ptr) {};
  source_.fill_input_buffer = OnInputEnd;
  source_.skip_input_data = SkipInput;
  source_.resync_to_restart = jpeg_resync_to_restart;
  source_.term_source = [](j_decompress_ptr) {};
  progress_.progress_monitor = OnProgress;
}

absl::StatusOr<StoredImage> JpegDecoder::Decode() {
  ATTENDANT_RETURN_IF_ERROR(Run(&JpegDecoder::Create));
  ATTENDANT_RETURN_IF_ERROR(Run(&JpegDecoder::ReadHeader));
  ATTENDANT_RETURN_IF_ERROR(CheckSize(info_.image_width, info_.image_height, limits_));
  const int channels = info_.num_components;
  if (channels != 1 && channels != 3 && channels != 4) {
    return absl::InvalidArgumentError(
        absl::StrCat("has ", channels, " colour components; 1, 3 or 4 are supported"));
  }
  const Orientation orientation = FindOrientationInMarkers();
  image_ = Image::OfSize({static_cast<int>(info_.image_width), static_cast<int>(info_.image_height)});
  row_.resize(channels == 3 ? 0 : size_t{info_.image_width} * channels);
  ATTENDANT_RETURN_IF_ERROR(Run(&JpegDecoder::ReadPixels));
  return StoredImage{std::move(image_), orientation};
}

absl::Status JpegDecoder::Run(Step step) {
  if (RunUnlessJumped(step)) return absl::OkStatus();
  return absl::InvalidArgumentError(message_);
}

[[gnu::noinline]] bool JpegDecoder::RunUnlessJumped(Step step) {
  if (setjmp(run_) != 0) return false;
  (this->*step)();
  return true;
}

void JpegDecoder::Create() {
  jpeg_create_decompress(&info_);
  info_.src = &source_;
  info_.progress = &progress_;
  jpeg_save_markers(&info_, kApp1, 0xffff);
}

void JpegDecoder::ReadHeader() {
  jpeg_read_header(&info_, TRUE);
}

void JpegDecoder::ReadPixels() {
  const int channels = info_.num_components;
  info_.out_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_start_decompress(&info_);
  while (info_.output_scanline < info_.output_height) {
    const int y = static_cast<int>(info_.output_scanline);
    JSAMPROW row = channels == 3 ? image_.Row(y) : row_.data();
    jpeg_read_scanlines(&info_, &row, 1);
    if (channels == 1) ReadGreyRow(y);
    if (channels == 4) ReadCmykRow(y);
  }
  jpeg_finish_decompress(&info_);
}

void JpegDecoder::ReadGreyRow(int y) {
  uint8_t* rgb = image_.Row(y);
  for (int x = 0; x < image_.width; ++x, rgb += 3) rgb[0] = rgb[1] = rgb[2] = row_[x];
}

// Adobe writes CMYK inverted, 255 for no ink; so does nearly everybody, with or without Adobe's marker.
void JpegDecoder::ReadCmykRow(int y) {
  const uint8_t* inks = row_.data();
  uint8_t* rgb = image_.Row(y);
  for (int x = 0; x < image_.width; ++x, inks += 4, rgb += 3) {
    const int white = inks[3];
    for (int i = 0; i < 3; ++i) {
      // ink * white / 255, rounded to the nearest.
      const int product = (255 - inks[i]) * white + 128;
      rgb[i] = static_cast<uint8_t>(white - ((product >> 8) + product) / 256);
    }
  }
}

// Every EXIF segment continues the one before; of XMP packets the last counts.
Orientation JpegDecoder::FindOrientationInMarkers() const {
  std::string exif;
  std::string_view xmp;
  for (const jpeg_marker_struct* marker = info_.marker_list; marker != nullptr; marker = marker->next) {
    const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (StartsWith(data, kExifPrefix)) exif.append(data.substr(kExifPrefix.size()));
    if (StartsWith(data, kXmpPrefix)) xmp = data.substr(kXmpPrefix.size());
  }
  return FindOrientation(exif, xmp);
}

void JpegDecoder::Fail(j_common_ptr info) {
  JpegDecoder& self = Self(info);
  info->err->format_message(info, self.message_);
  std::longjmp(self.run_, 1);
}

// Warnings are for data that still makes a picture, but for one: where the entropy-coded data of a scan ends
// before its last block, the rest would be grey.
void JpegDecoder::OnMessage(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code == JWRN_HIT_MARKER) Fail(info);
}

// A scan may cost a few bytes of file and a pass over every block of the image.
void JpegDecoder::OnProgress(j_common_ptr info) {
  JpegDecoder& self = Self(info);
  if (self.info_.input_scan_number <= self.limits_.max_jpeg_scans) return;
  std::snprintf(self.message_, sizeof(self.message_), "has more than %d scans", self.limits_.max_jpeg_scans);
  std::longjmp(self.run_, 1);
}

boolean JpegDecoder::OnInputEnd(j_decompress_ptr info) {
  ERREXIT(info, JERR_INPUT_EOF);
  return FALSE;
}

void JpegDecoder::SkipInput(j_decompress_ptr info, long num_bytes) {
  if (num_bytes <= 0) return;
  if (static_cast<size_t>(num_bytes) > info->src->bytes_in_buffer) ERREXIT(info, JERR_INPUT_EOF);
  info->src->next_input_byte += num_bytes;
  info->src->bytes_in_buffer -= static_cast<size_t>(num_bytes);
}

}  // namespace

absl::StatusOr<StoredImage> DecodeJpeg(std::string_view file_bytes, const ImageLimits& limits) {
  return JpegDecoder(file_bytes, limits).Decode();
}

}  // namespace attendant
