#pragma once

#include <grpcpp/channel.h>

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "client/output_file.h"
#include "client/stop_signal.h"
#include "client/text_source.h"
#include "client/translate_options.h"

namespace attendant::client {

// Translates the texts one after the other and shows each as it grows: on a terminal word by word, otherwise
// sentence by sentence. `report` hears of each text's end. The first error of the source, the output or
// `report` ends it; CANCELLED after a stop.
absl::Status StreamTexts(const std::shared_ptr<grpc::Channel>& channel, const TranslateOptions& options,
                         TextSource& source, OutputFile& output, StopSignal& stop,
                         const std::function<absl::Status(const SourceText&, const absl::Status&)>& report);

}  // namespace attendant::client
