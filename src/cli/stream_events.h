#pragma once

#include <string>
#include <vector>

#include "cli/migrate_stream.h"
#include "migrate/run/online_task.h"

namespace partywall::cli {

// Says what a stream does on standard output: a line for people, or a JSON object a line.
class StreamEvents final : public migrate::OnlineObserver {
 public:
  explicit StreamEvents(MigrateFormat format, std::string command = "follow")
      : format_(format), command_(std::move(command)) {}

  void on_prepared(const migrate::StreamPlan& plan,
                   const migrate::Preparation& preparation) override;
  void on_waiting(const std::vector<std::string>& transactions) override;
  void on_picture(migrate::Lsn place) override;
  void on_caught_up(migrate::Lsn place) override;
  void on_held(migrate::Lsn place, Duration held) override;
  void on_status(const migrate::FollowStatus& status) override;
  void on_fence(const std::string& content, migrate::Lsn commit) override;
  void on_retry(const Error& error, Duration pause) override;
  void on_end(std::string_view why, migrate::Lsn applied, const std::string& name);
  void on_forgotten(const std::vector<std::string>& removed);

 private:
  void print(const std::string& text, const std::string& json) const;

  MigrateFormat format_;
  std::string command_;
};

}  // namespace partywall::cli
