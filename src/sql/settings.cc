#include "sql/settings.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/ascii.h"

namespace partywall::sql {
namespace {

constexpr std::array kTracked = {
    TrackedSetting{"application_name", true},
    TrackedSetting{"client_encoding", true},
    TrackedSetting{"DateStyle", true},
    TrackedSetting{"IntervalStyle", true},
    TrackedSetting{"TimeZone", true},
    TrackedSetting{"standard_conforming_strings", true},
    TrackedSetting{"default_transaction_read_only", true},
    TrackedSetting{"bytea_output", false},
    TrackedSetting{"default_transaction_isolation", false},
    TrackedSetting{"extra_float_digits", false},
    TrackedSetting{"idle_in_transaction_session_timeout", false},
    TrackedSetting{"jit", false},
    TrackedSetting{"lock_timeout", false},
    TrackedSetting{"search_path", false},
    TrackedSetting{"statement_timeout", false},
};

auto position(const std::vector<Settings::Entry>& entries, std::string_view name) {
  return std::ranges::lower_bound(entries, name, {}, [](const Settings::Entry& entry) {
    return std::string_view(entry.first);
  });
}

}  // namespace

const TrackedSetting* find_tracked_setting(std::string_view name) {
  const auto found = std::ranges::find_if(kTracked, [&](const TrackedSetting& setting) {
    return equal_ignoring_case(setting.name, name);
  });
  return found == kTracked.end() ? nullptr : &*found;
}

const std::string* Settings::find(std::string_view name) const {
  const auto found = position(entries_, name);
  return found != entries_.end() && found->first == name ? &found->second : nullptr;
}

void Settings::set(std::string_view name, std::string_view value) {
  const auto at = entries_.begin() + (position(entries_, name) - entries_.cbegin());
  if (at != entries_.end() && at->first == name) {
    at->second = value;
  } else {
    entries_.emplace(at, name, value);
  }
}

bool same_settings(const SettingsRef& a, const SettingsRef& b) {
  if (a == b) return true;
  return a && b && *a == *b;
}

SettingsRef with_setting(const SettingsRef& settings, std::string_view name,
                         std::string_view value) {
  auto changed = settings ? std::make_shared<Settings>(*settings) : std::make_shared<Settings>();
  changed->set(name, value);
  return changed;
}

std::string settings_statement(const SettingsRef& from, const SettingsRef& to) {
  static const Settings kNone;
  const Settings& old_ones = from ? *from : kNone;
  const Settings& new_ones = to ? *to : kNone;
  std::string assignments;
  for (const auto& [name, value] : new_ones.entries()) {
    const std::string* old_value = old_ones.find(name);
    if (old_value && *old_value == value) continue;
    assignments += assignments.empty() ? "SELECT " : ", ";
    assignments += "pg_catalog.set_config('" + name + "', " + quote_literal(value) + ", false)";
  }
  std::string statement;
  for (const auto& [name, value] : old_ones.entries()) {
    if (!new_ones.find(name)) statement += "RESET " + name + "; ";
  }
  return statement + assignments;
}

bool is_plain_value(std::string_view value) {
  return value.size() <= 1024 &&
         std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
}

std::string quote_literal(std::string_view plain_value) {
  std::string quoted = "E'";
  for (const char c : plain_value) {
    if (c == '\'' || c == '\\') quoted.push_back(c);
    quoted.push_back(c);
  }
  return quoted + "'";
}

std::string canonical_encoding(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      letters.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  }
  if (letters == "UTF8" || letters == "UNICODE") return "UTF8";
  if (letters == "SQLASCII") return "SQL_ASCII";
  return std::string(name);
}

}  // namespace partywall::sql
