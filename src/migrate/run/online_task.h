#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "migrate/apply/follower.h"
#include "migrate/run/migrate_tenant.h"

// What the move of a tenant whose application goes on is told, and what it tells.
namespace partywall::migrate {

// The wish that it ends, as long as this lives.
class StopWatch {
 public:
  virtual ~StopWatch() = default;
  [[nodiscard]] virtual bool has_come() const = 0;
  [[nodiscard]] virtual int descriptor() const = 0;  // can be read once it has come
};

// When a move ends by itself.
enum class OnlineEnd : uint8_t {
  kVerified,  // when both databases were equal at one place of the source's log
  kNever,     // it goes on following
};

struct OnlineSettings {
  TableNames left_out;
  OnlineEnd end = OnlineEnd::kNever;
  // While nothing is watched the process may be ended as it is: what was done is noted.
  std::function<std::unique_ptr<StopWatch>()> watch_stop;
  // How far behind the source the stream is kept while a place is looked for at which both
  // databases are compared: common_place.h.
  Duration delay = milliseconds(80);
};

// Told beside what MigrationObserver is told; by the thread that called.
class OnlineObserver : public FollowListener {
 public:
  virtual void on_prepared(const StreamPlan& plan, const Preparation& preparation) = 0;
  // These transactions of the source must end first.
  virtual void on_waiting(const std::vector<std::string>& transactions) = 0;
  // What is not copied yet is copied as the source is at this place of its log.
  virtual void on_picture(Lsn place) = 0;
  virtual void on_retry(const Error& error, Duration pause) = 0;
  // Everything that committed a moment ago is in the target.
  virtual void on_caught_up(Lsn place) = 0;
  // Both databases are compared as they are there; a change had to wait for so
  // long at most.
  virtual void on_held(Lsn place, Duration held) = 0;
};

struct OnlineParts {
  const MigrationTask& task;
  const OnlineSettings& settings;
  const Subject& subject;
  const TimeSource& time;
  MigrationObserver& observer;
  OnlineObserver& online;
};

[[nodiscard]] inline StreamSettings stream_settings(const OnlineParts& parts, CopiedRows rows) {
  return {.source = parts.task.source,
          .target = parts.task.target,
          .tenant = parts.task.tenant,
          .tenant_column = parts.task.rules.tenant_column,
          .left_out = parts.settings.left_out,
          .rows = rows};
}

}  // namespace partywall::migrate
