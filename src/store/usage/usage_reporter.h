#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/metrics.h"
#include "base/random.h"
#include "base/time.h"
#include "policy/usage_ledger.h"
#include "store/control/control_store.h"
#include "store/usage/usage_spool.h"
#include "tenancy/directory_feed.h"

namespace partywall::store {

struct UsageReporterSettings {
  ControlStoreSettings store;
  std::string node_name;
  std::string spool;  // folder; empty: what is not sent yet is kept in memory
  Duration interval = seconds(10);
  Duration keep = hours(24);  // that long at most, while the store is down
};

// Hands over what the tenants of a node used, every interval, on a thread of its own
// (docs/usage.md).
class UsageReporter final : public MetricSource {
 public:
  // Everything that is given outlives the reporter. Fails if the spool cannot be used; the store
  // may be down.
  static Result<std::unique_ptr<UsageReporter>> start(UsageReporterSettings settings,
                                                      const UsageRegistry& usage,
                                                      const DirectoryFeed& directory,
                                                      const TimeSource& time, Random& random);
  // Without the last interval: whoever ends in order calls finish() first.
  ~UsageReporter() override;

  // The last interval, when the doors have nothing to count any more. Tries once to send it.
  void finish();

  void write_metrics(MetricWriter& writer) const override;

 private:
  UsageReporter(UsageReporterSettings settings, UsageSpool spool, const UsageRegistry& usage,
                const DirectoryFeed& directory, const TimeSource& time, Random& random);

  enum class Part : uint8_t { kUsual, kLast };
  void run();
  void take(Part part);
  Result<> send();
  void stop();

  UsageReporterSettings settings_;
  UsageSpool spool_;
  const UsageRegistry& usage_;
  const DirectoryFeed& directory_;
  const TimeSource& time_;
  ControlStore store_;
  UsageLedger ledger_;
  bool is_failing_ = false;

  std::atomic<uint64_t> sent_{0};
  std::atomic<uint64_t> waiting_{0};
  std::atomic<uint64_t> lost_{0};

  std::mutex mutex_;
  std::condition_variable woken_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace partywall::store
