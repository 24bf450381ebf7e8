#include "cli/stream_events.h"

#include <cstdio>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/output.h"

namespace partywall::cli {
namespace {

using migrate::StreamStart;

double per_second(uint64_t count, Duration interval) {
  const double length = std::chrono::duration<double>(interval).count();
  return length > 0 ? static_cast<double>(count) / length : 0;
}

double milliseconds_of(int64_t microseconds) { return static_cast<double>(microseconds) / 1000; }

void write_list(JsonWriter& writer, std::string_view name, const std::vector<std::string>& items) {
  writer.key(name).begin_array();
  for (const std::string& item : items) writer.value(item);
  writer.end_array();
}

std::string event(std::string_view name, const std::function<void(JsonWriter&)>& members) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object().key("event").value(name);
  members(writer);
  writer.end_object();
  return json;
}

}  // namespace

void StreamEvents::print(const std::string& text, const std::string& json) const {
  fmt::print("{}\n", format_ == MigrateFormat::kJson ? json : text);
  std::fflush(stdout);
}

void StreamEvents::on_prepared(const migrate::StreamPlan& plan,
                               const migrate::Preparation& preparation) {
  const bool resumes = preparation.start == StreamStart::kResume;
  std::string text = fmt::format("{} {}: {} tables", resumes ? "goes on with" : "made", plan.name,
                                 plan.publication.tables.size());
  if (preparation.slot) {
    const auto& slot = preparation.slot->slot();
    text += fmt::format(", from {} on, snapshot {}", to_string(slot.consistent_lsn),
                        slot.snapshot_name);
  }
  for (const std::string& warning : plan.publication.warnings)
    text += "\nwarning: " + printable(warning);
  print(text, event("prepared", [&](JsonWriter& writer) {
          writer.key("slot").value(plan.name).key("resumes").value(resumes);
          writer.key("tables").value(uint64_t{plan.publication.tables.size()});
          if (preparation.slot) {
            const auto& slot = preparation.slot->slot();
            writer.key("consistent_lsn").value(to_string(slot.consistent_lsn));
            writer.key("snapshot").value(slot.snapshot_name);
          }
          write_list(writer, "warnings", plan.publication.warnings);
        }));
}

void StreamEvents::on_waiting(const std::vector<std::string>& transactions) {
  print(fmt::format("waiting for transactions of the source that were open to end; still open: "
                    "process {}",
                    printable(fmt::format("{}", fmt::join(transactions, "; process ")))),
        event("waiting",
              [&](JsonWriter& writer) { write_list(writer, "transactions", transactions); }));
}

void StreamEvents::on_status(const migrate::FollowStatus& status) {
  const double rate = per_second(status.changes_applied, status.interval);
  print(fmt::format("applied {}, {} behind, lag {:.1f} ms (p99 {:.1f}), {:.0f} changes/s{}",
                    to_string(status.applied), format_size(status.lag_bytes()),
                    milliseconds_of(status.lag.p50_us), milliseconds_of(status.lag.p99_us), rate,
                    status.in_transaction ? ", in a transaction" : ""),
        event("status", [&](JsonWriter& writer) {
          writer.key("applied_lsn").value(to_string(status.applied));
          writer.key("durable_lsn").value(to_string(status.durable));
          writer.key("source_lsn").value(to_string(status.source));
          writer.key("lag_bytes").value(status.lag_bytes());
          writer.key("lag_ms").begin_object();
          writer.key("p50").value(milliseconds_of(status.lag.p50_us));
          writer.key("p99").value(milliseconds_of(status.lag.p99_us));
          writer.key("max").value(milliseconds_of(status.lag.max_us)).end_object();
          writer.key("transactions").value(status.lag.transactions);
          writer.key("changes_per_second").value(rate);
          writer.key("inserts").value(status.changes.inserts);
          writer.key("updates").value(status.changes.updates);
          writer.key("deletes").value(status.changes.deletes);
          writer.key("truncates").value(status.changes.truncates);
          writer.key("foreign").value(status.changes.foreign);
          writer.key("in_transaction").value(status.in_transaction);
        }));
}

void StreamEvents::on_fence(const std::string& content, migrate::Lsn commit) {
  print(fmt::format("fence \"{}\" of {} is passed", printable(content), to_string(commit)),
        event("fence", [&](JsonWriter& writer) {
          writer.key("content").value(content).key("lsn").value(to_string(commit));
        }));
}

void StreamEvents::on_picture(migrate::Lsn place) {
  print(fmt::format("the snapshot is gone; what is not copied yet is copied as the source is at {}",
                    to_string(place)),
        event("snapshot", [&](JsonWriter& writer) { writer.key("lsn").value(to_string(place)); }));
}

void StreamEvents::on_caught_up(migrate::Lsn place) {
  print(fmt::format("caught up with {}", to_string(place)),
        event("caught_up", [&](JsonWriter& writer) { writer.key("lsn").value(to_string(place)); }));
}

void StreamEvents::on_held(migrate::Lsn place, Duration held) {
  const double held_ms = std::chrono::duration<double, std::milli>(held).count();
  print(fmt::format("held the stream for {:.1f} ms; both databases are compared as of {}", held_ms,
                    to_string(place)),
        event("held", [&](JsonWriter& writer) {
          writer.key("lsn").value(to_string(place)).key("held_ms").value(held_ms);
        }));
}

void StreamEvents::on_retry(const Error& error, Duration pause) {
  fmt::print(stderr, "partywall migrate {}: {}; again in {}\n", command_, printable(error.message),
             format_duration(std::chrono::ceil<milliseconds>(pause)));
}

void StreamEvents::on_end(std::string_view why, migrate::Lsn applied, const std::string& name) {
  print(fmt::format("{}; applied up to {}. The source keeps its log from there on for the slot {}: "
                    "follow again, or give it up with partywall migrate forget",
                    why, to_string(applied), name),
        event("ended", [&](JsonWriter& writer) {
          writer.key("why").value(why).key("applied_lsn").value(to_string(applied));
          writer.key("slot").value(name);
        }));
}

void StreamEvents::on_forgotten(const std::vector<std::string>& removed) {
  print(removed.empty() ? "there was nothing of the stream"
                        : fmt::format("removed: {}", fmt::join(removed, ", ")),
        event("forgotten", [&](JsonWriter& writer) { write_list(writer, "removed", removed); }));
}

}  // namespace partywall::cli
