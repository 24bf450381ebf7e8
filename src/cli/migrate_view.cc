#include "cli/migrate_view.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/output.h"

namespace partywall::cli {
namespace {

constexpr size_t kBarWidth = 24;

double blocks_of(const RelationView& relation) {
  // Empty ones are work too.
  return static_cast<double>(std::max<uint64_t>(relation.blocks, 1));
}

double share_of(const RelationView& relation) {
  return relation.chunks == 0 ? 1 : static_cast<double>(relation.finished) / relation.chunks;
}

std::string bar(double share) {
  const auto filled = static_cast<size_t>(std::lround(share * kBarWidth));
  return "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "]";
}

// 1234567: "1,234,567"
std::string with_commas(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t place = text.size(); place > 3;) text.insert(place -= 3, ",");
  return text;
}

// To so many bytes, not in the middle of a character.
void clip(std::string& line, size_t width) {
  if (line.size() <= width) return;
  while (width > 0 && (static_cast<uint8_t>(line[width]) & 0xc0) == 0x80) --width;
  line.resize(width);
}

// Seconds where there are few.
Duration rounded(Duration left) {
  if (left < minutes(2)) return std::chrono::ceil<seconds>(left);
  return std::chrono::ceil<minutes>(left);
}

void write_digest(JsonWriter& json, std::string_view name, const migrate::Digest& digest) {
  json.key(name).begin_object().key("rows").value(digest.rows);
  json.key("sum").value(fmt::format("{:016x}", digest.sum));
  json.key("mixed").value(fmt::format("{:016x}", digest.mixed)).end_object();
}

void write_progress(JsonWriter& json, const migrate::RelationProgress& one) {
  json.key("relation").value(one.relation).key("rows").value(one.sum.rows);
  json.key("bytes").value(one.bytes).key("chunks").value(one.chunks);
  json.key("chunks_done").value(one.chunks_done).key("format").value(one.format);
}

// The members that are known.
void write_stream(JsonWriter& json, const migrate::StreamNote& stream) {
  const auto lsn = [&](std::string_view name, const std::optional<migrate::Lsn>& place) {
    if (place) json.key(name).value(to_string(*place));
  };
  json.key("stream").begin_object();
  lsn("begins_lsn", stream.begins);
  lsn("applied_lsn", stream.applied);
  lsn("source_lsn", stream.source);
  if (stream.applied) {
    json.key("lag_bytes").value(stream.lag_bytes());
    json.key("lag_ms").value(stream.lag_ms.value_or(0)).key("noted_at").value(stream.noted_at);
  }
  lsn("verified_lsn", stream.verified);
  if (stream.verified) {
    json.key("verified_at").value(stream.verified_at);
    json.key("held_ms").value(stream.held_ms.value_or(0));
  }
  json.end_object();
}

std::string stream_text(const migrate::StreamNote& stream) {
  std::string text;
  if (stream.begins) text += fmt::format("changes: from {} on", to_string(*stream.begins));
  if (stream.applied) {
    text +=
        fmt::format(", applied {}, {} and {:.1f} ms behind at {}", to_string(*stream.applied),
                    format_size(stream.lag_bytes()), stream.lag_ms.value_or(0), stream.noted_at);
  }
  if (!text.empty()) text += "\n";
  if (stream.verified) {
    text +=
        fmt::format("verified: at {}, {}; the stream was held for {:.1f} ms\n",
                    to_string(*stream.verified), stream.verified_at, stream.held_ms.value_or(0));
  }
  return text;
}

}  // namespace

double share_done(const std::vector<RelationView>& relations) {
  double all = 0;
  double done = 0;
  for (const RelationView& relation : relations) {
    all += blocks_of(relation);
    done += blocks_of(relation) * share_of(relation);
  }
  return all == 0 ? 1 : done / all;
}

std::string summary_line(const CopyView& view) {
  const double elapsed = std::chrono::duration<double>(view.elapsed).count();
  const double share = share_done(view.relations);
  const double now = share - view.share_before;
  const double rate = elapsed > 0 ? static_cast<double>(view.rows_now) / elapsed : 0;
  std::string line = fmt::format("{} rows/s, {:.0f} %", with_commas(static_cast<uint64_t>(rate)),
                                 std::floor(share * 100));
  if (now > 0 && share < 1) {
    const auto left = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(elapsed * (1 - share) / now));
    line += fmt::format(", about {} left", format_duration(rounded(left)));
  }
  return line;
}

std::vector<std::string> progress_lines(const CopyView& view, size_t width, size_t height) {
  std::vector<std::string> lines;
  for (const RelationView& relation : view.relations) {
    if (lines.size() + 1 >= height) break;
    if (relation.finished == relation.chunks) continue;
    lines.push_back(fmt::format("{} {:>3.0f} % {:>13} {}", bar(share_of(relation)),
                                std::floor(share_of(relation) * 100), with_commas(relation.rows),
                                printable(relation.name)));
  }
  lines.push_back(summary_line(view));
  for (std::string& line : lines) clip(line, width);
  return lines;
}

std::string findings_json(const std::vector<sql::SchemaFinding>& findings) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("event").value("preflight").key("findings").begin_array();
  for (const sql::SchemaFinding& one : findings) {
    json.begin_object().key("level").value(to_string(one.level)).key("object").value(one.object);
    json.key("message").value(one.message).key("remedy").value(one.remedy).end_object();
  }
  json.end_array().end_object();
  return text;
}

std::string relation_json(std::string_view event, const migrate::RelationProgress& progress) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("event").value(event);
  write_progress(json, progress);
  json.end_object();
  return text;
}

std::string verdict_json(const migrate::RelationVerdict& verdict) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("event").value("compared").key("relation").value(verdict.relation);
  json.key("equal").value(verdict.is_equal);
  write_digest(json, "source", verdict.source);
  write_digest(json, "target", verdict.target);
  json.key("differences").begin_array();
  for (const migrate::RowDifference& one : verdict.differences)
    json.begin_object()
        .key("kind")
        .value(to_string(one.kind))
        .key("row")
        .value(one.row)
        .end_object();
  json.end_array().key("has_more").value(verdict.has_more).end_object();
  return text;
}

std::string references_json(const std::vector<migrate::BrokenReference>& references) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("event").value("references").key("broken").begin_array();
  for (const migrate::BrokenReference& one : references) {
    json.begin_object().key("constraint").value(one.constraint).key("rows").value(one.rows);
    json.end_object();
  }
  json.end_array().end_object();
  return text;
}

std::string verdict_text(const migrate::RelationVerdict& verdict) {
  if (verdict.is_equal) return "";
  std::string text = fmt::format("{} differs: {} rows in the source, {} in the target\n",
                                 printable(verdict.relation), with_commas(verdict.source.rows),
                                 with_commas(verdict.target.rows));
  for (const migrate::RowDifference& one : verdict.differences)
    text += fmt::format("  {} {}\n", to_string(one.kind), printable(one.row));
  if (verdict.has_more) text += "  … and more\n";
  return text;
}

std::string references_text(const std::vector<migrate::BrokenReference>& references) {
  std::string text;
  for (const migrate::BrokenReference& one : references) {
    text += fmt::format("foreign key {}: {} rows of the tenant refer to nothing\n",
                        printable(one.constraint), with_commas(one.rows));
  }
  return text;
}

std::string status_text(const migrate::MigrationRecord& record,
                        const std::vector<migrate::RelationProgress>& progress,
                        const std::optional<migrate::StreamNote>& stream) {
  std::string text = fmt::format("tenant {} ({}): {} since {}, begun {}\nsource: {}\n", record.slug,
                                 record.tenant.to_string(), to_string(record.state),
                                 record.changed_at, record.begun_at, printable(record.source));
  for (const migrate::RelationProgress& one : progress) {
    const RelationView view{.chunks = one.chunks, .finished = one.chunks_done};
    text += fmt::format("{} {:>13} rows, {:>9} {}\n", bar(share_of(view)),
                        with_commas(one.sum.rows), format_size(one.bytes), printable(one.relation));
  }
  if (stream) text += stream_text(*stream);
  return text;
}

std::string status_json(const migrate::MigrationRecord& record,
                        const std::vector<migrate::RelationProgress>& progress,
                        const std::optional<migrate::StreamNote>& stream) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("tenant").value(record.tenant.to_string());
  json.key("slug").value(record.slug).key("source").value(record.source);
  json.key("fingerprint").value(record.fingerprint).key("state").value(to_string(record.state));
  json.key("begun_at").value(record.begun_at).key("changed_at").value(record.changed_at);
  json.key("relations").begin_array();
  for (const migrate::RelationProgress& one : progress) {
    json.begin_object();
    write_progress(json, one);
    json.end_object();
  }
  json.end_array();
  if (stream) write_stream(json, *stream);
  json.end_object();
  return text;
}

}  // namespace partywall::cli
