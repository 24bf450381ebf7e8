#include "cli/doctor_checks.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace partywall::cli {
namespace {

constexpr int kOldestPostgres = 150000;
constexpr Duration kClockWarning = seconds(1);
constexpr Duration kClockBad = seconds(5);  // what a context token's issue time may be ahead by
constexpr Duration kCertificateWarning = hours(24 * 14);
constexpr size_t kMostNames = 5;

std::string names_of(const std::vector<std::string>& names) {
  const size_t shown = std::min(names.size(), kMostNames);
  std::string text = fmt::format("{}", fmt::join(names.begin(), names.begin() + shown, ", "));
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

Finding judge_version(const std::string& cell, int version) {
  Finding finding{
      .what = fmt::format("cell {}: PostgreSQL {}.{}", cell, version / 10'000, version % 10'000)};
  if (version < kOldestPostgres) {
    finding.health = Health::kBad;
    finding.advice = "row-level security as we use it needs PostgreSQL 15 or newer";
  }
  return finding;
}

Finding judge_clock(const std::string& cell, Duration ahead) {
  const Duration off = ahead < Duration(0) ? -ahead : ahead;
  Finding finding{.what = fmt::format("cell {}: clocks differ by {} ms", cell,
                                      std::chrono::duration_cast<milliseconds>(off).count())};
  if (off >= kClockWarning) {
    finding.health = off >= kClockBad ? Health::kBad : Health::kWarning;
    finding.advice = "set both machines by NTP: tokens live for a minute";
  }
  return finding;
}

Finding judge_slot_roles(const std::string& cell, const DatabaseFacts& facts) {
  Finding finding{.what = fmt::format("cell {}: {} of {} slot roles", cell, facts.slot_roles,
                                      facts.slot_roles_wanted)};
  if (!facts.unsafe_roles.empty()) {
    finding.health = Health::kBad;
    finding.advice = fmt::format(
        "{} can bypass row-level security: ALTER ROLE … NOSUPERUSER "
        "NOBYPASSRLS",
        names_of(facts.unsafe_roles));
  } else if (facts.slot_roles < facts.slot_roles_wanted) {
    finding.health = Health::kBad;
    finding.advice = "run `partywall schema protect` for the cell's database";
  }
  return finding;
}

Finding judge_tables(const std::string& cell, const DatabaseFacts& facts) {
  Finding finding{.what =
                      fmt::format("cell {}: {} tables with a tenant column", cell, facts.tables)};
  if (!facts.unprotected_tables.empty()) {
    finding.health = Health::kBad;
    finding.advice = fmt::format(
        "{} have no forced row-level security: run `partywall schema "
        "protect`",
        names_of(facts.unprotected_tables));
  } else if (facts.tables == 0) {
    finding.health = Health::kWarning;
    finding.advice = "no table has a tenant column: is this the right database?";
  }
  return finding;
}

Finding judge_connections(const std::string& cell, const DatabaseFacts& facts) {
  Finding finding{.what = fmt::format("cell {}: max_connections {}", cell, facts.max_connections)};
  if (facts.max_connections < facts.slot_roles_wanted + 10) {
    finding.health = Health::kWarning;
    finding.advice = fmt::format(
        "the sql door may open {} connections; raise max_connections, or "
        "lower the cell's slot roles",
        facts.slot_roles_wanted);
  }
  return finding;
}

std::string_view sign_of(Health health) {
  switch (health) {
    case Health::kGood:
      return "ok  ";
    case Health::kWarning:
      return "warn";
    case Health::kBad:
      return "BAD ";
  }
  return "";
}

}  // namespace

Findings judge_database(const std::string& cell, const DatabaseFacts& facts) {
  return {judge_version(cell, facts.server_version), judge_clock(cell, facts.clock_ahead),
          judge_slot_roles(cell, facts), judge_tables(cell, facts), judge_connections(cell, facts)};
}

Finding judge_open_files(uint64_t limit, uint64_t wanted) {
  Finding finding{.what = fmt::format("open files: {}", limit)};
  if (limit < wanted) {
    finding.health = Health::kWarning;
    finding.advice = fmt::format(
        "the doors' max_connections need {}, and are lowered to what there is: raise LimitNOFILE "
        "(systemd) or ulimit -Hn",
        wanted);
  }
  return finding;
}

Finding judge_certificate(const std::string& file, std::optional<Duration> left) {
  if (!left) {
    return {.health = Health::kBad,
            .what = fmt::format("certificate {}", file),
            .advice = "it cannot be read"};
  }
  const auto days = std::chrono::duration_cast<hours>(*left).count() / 24;
  Finding finding{.what = fmt::format("certificate {}: {} days left", file, days)};
  if (*left <= Duration(0)) {
    finding = {.health = Health::kBad,
               .what = fmt::format("certificate {} has expired", file),
               .advice = "renew it"};
  } else if (*left < kCertificateWarning) {
    finding.health = Health::kWarning;
    finding.advice = "renew it soon";
  }
  return finding;
}

bool is_sick(const Findings& findings) {
  return std::ranges::any_of(findings,
                             [](const Finding& one) { return one.health == Health::kBad; });
}

std::string print_findings(const Findings& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += fmt::format("{}  {}\n", sign_of(finding.health), finding.what);
    if (!finding.advice.empty()) text += fmt::format("      {}\n", finding.advice);
  }
  return text;
}

}  // namespace partywall::cli
