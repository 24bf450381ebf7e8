#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "migrate/copy/progress.h"
#include "migrate/copy/stream_progress.h"
#include "migrate/run/migrate_tenant.h"
#include "sql/schema/plan.h"

// How a migration is shown: pure, values in and text out.
namespace partywall::cli {

struct RelationView {
  std::string name;
  uint64_t rows = 0;      // that were copied
  uint32_t chunks = 0;    // there are
  uint32_t finished = 0;  // of them
  uint64_t blocks = 0;    // in the source
};

struct CopyView {
  std::vector<RelationView> relations;
  uint64_t rows_now = 0;    // copied by this process
  double share_before = 0;  // of all, when it began
  Duration elapsed{};       // since it began
};

// 0 to 1, by the blocks of what is finished.
[[nodiscard]] double share_done(const std::vector<RelationView>& relations);

// "412,000 rows/s, 63 %, about 2m left"
[[nodiscard]] std::string summary_line(const CopyView& view);

// A bar for each relation that is being copied, the largest first, and the summary; no line is
// longer than `width` characters, there are at most `height`.
[[nodiscard]] std::vector<std::string> progress_lines(const CopyView& view, size_t width,
                                                      size_t height);

// One JSON object, without a line break.
[[nodiscard]] std::string findings_json(const std::vector<sql::SchemaFinding>& findings);
[[nodiscard]] std::string relation_json(std::string_view event,
                                        const migrate::RelationProgress& progress);
[[nodiscard]] std::string verdict_json(const migrate::RelationVerdict& verdict);
[[nodiscard]] std::string references_json(const std::vector<migrate::BrokenReference>& references);

// A line or two for a relation that differs; "" for one that is equal.
[[nodiscard]] std::string verdict_text(const migrate::RelationVerdict& verdict);
[[nodiscard]] std::string references_text(const std::vector<migrate::BrokenReference>& references);
[[nodiscard]] std::string status_text(const migrate::MigrationRecord& record,
                                      const std::vector<migrate::RelationProgress>& progress,
                                      const std::optional<migrate::StreamNote>& stream);
[[nodiscard]] std::string status_json(const migrate::MigrationRecord& record,
                                      const std::vector<migrate::RelationProgress>& progress,
                                      const std::optional<migrate::StreamNote>& stream);

}  // namespace partywall::cli
