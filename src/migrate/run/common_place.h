#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "migrate/run/steady_stream.h"
#include "migrate/verify/verify.h"

namespace partywall::migrate {

// Both databases as they are at one place of the source's log.
struct CommonPlace {
  ComparedPictures pictures;
  Lsn place;
  Duration held{};  // how long a change had to wait at most
};

struct CommonPlaceTask {
  std::string source;  // connection strings
  std::string target;
  std::string slot;        // name of the one that is made for a moment
  Duration delay{};        // of the stream meanwhile
  const WakeTimer& timer;  // one of those that wake the stream
};

// These transactions of the source have written and must end first.
using OnOpenTransactions = std::function<void(const std::vector<std::string>& transactions)>;

// A slot says which place of the log its snapshot is of, but only when it is made, and it is made
// when every transaction has ended that was open: that may take long. The stream must not be beyond
// that place then. So it goes on meanwhile, a little behind the source: by more than the time from
// the place to the answer. Then it applies exactly what committed before the place, and a picture
// of the target is taken. The source's writers wait for nothing.
// Nothing: the answer took longer, or the stream was woken; this may be tried again.
Result<std::unique_ptr<CommonPlace>> find_common_place(SteadyStream& stream,
                                                       const CommonPlaceTask& task,
                                                       const TimeSource& time,
                                                       const OnOpenTransactions& on_open);

}  // namespace partywall::migrate
