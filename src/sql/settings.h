#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The session settings that the door keeps for each client and puts on whatever server connection
// the client gets: those that PostgreSQL reports (so that a change by the client is noticed), and
// those that a client may name at start-up.
namespace partywall::sql {

struct TrackedSetting {
  std::string_view name;  // as PostgreSQL reports it
  bool reported;          // by ParameterStatus (PostgreSQL 15)
};

// nullptr: not a setting that the door keeps. Upper and lower case are the same.
[[nodiscard]] const TrackedSetting* find_tracked_setting(std::string_view name);

// A small map, ordered by name; a value once shared: changing one makes another.
class Settings {
 public:
  using Entry = std::pair<std::string, std::string>;

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] const std::string* find(std::string_view name) const;
  void set(std::string_view name, std::string_view value);
  bool operator==(const Settings&) const = default;

 private:
  std::vector<Entry> entries_;
};

// nullptr: as the server connection had them when it logged in.
using SettingsRef = std::shared_ptr<const Settings>;

[[nodiscard]] bool same_settings(const SettingsRef& a, const SettingsRef& b);
[[nodiscard]] SettingsRef with_setting(const SettingsRef& settings, std::string_view name,
                                       std::string_view value);

// The statements that lead from one to the other. Every name is a tracked one.
[[nodiscard]] std::string settings_statement(const SettingsRef& from, const SettingsRef& to);

// Only printable ASCII: it means the same in every encoding that a server connection may be in.
[[nodiscard]] bool is_plain_value(std::string_view value);
// E'…', whatever standard_conforming_strings says.
[[nodiscard]] std::string quote_literal(std::string_view plain_value);

// As the server will report it: "utf-8" → "UTF8".
[[nodiscard]] std::string canonical_encoding(std::string_view name);

}  // namespace partywall::sql
