#pragma once

#include <memory>

#include "base/endpoint.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "store/control_file.h"

namespace partywall::daemon {

// The admin API of the control plane, with /healthz, /readyz and /metrics beside it.
class ControlServer {
 public:
  // Listens when it returns. `time` and `random` outlive it.
  static Result<std::unique_ptr<ControlServer>> start(const store::ControlFile& settings,
                                                      const TimeSource& time, Random& random);
  ~ControlServer();

  [[nodiscard]] Endpoint endpoint() const;

 private:
  struct Impl;
  explicit ControlServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace partywall::daemon
