#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/ranges.h>
#include <sys/un.h>

namespace partywall {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

constexpr std::array<Unit, 5> kDurationUnits = {{
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
    {"d", 86'400'000'000'000},
}};

constexpr std::array<Unit, 5> kSizeUnits = {{
    {"B", 1},
    {"KiB", 1ULL << 10},
    {"MiB", 1ULL << 20},
    {"GiB", 1ULL << 30},
    {"TiB", 1ULL << 40},
}};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <class Integer>
Result<Integer> parse_whole(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || !std::ranges::all_of(digits, is_digit)) {
    return fail(ErrorKind::kInvalid, "'{}' is not a whole number", text);
  }
  if (digits.size() > 1 && digits.front() == '0') {
    return fail(ErrorKind::kInvalid,
                "'{}' has a leading zero, which some read as octal; write it without", text);
  }
  Integer value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status == std::errc::result_out_of_range)
    return fail(ErrorKind::kInvalid, "{} is too large", text);
  if (status != std::errc() || end != text.data() + text.size()) {
    return fail(ErrorKind::kInvalid, "'{}' is not a whole number of 0 or more", text);
  }
  return value;
}

// "300ms" with kDurationUnits gives 300 × 1,000,000; fails above `most`.
Result<uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units, uint64_t most,
                                 std::string_view how) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_whole<uint64_t>(text.substr(0, digits));
  const auto unit = std::ranges::find(units, text.substr(digits), &Unit::name);
  if (digits == 0 || unit == units.end())
    return fail(ErrorKind::kInvalid, "'{}' is not {}", text, how);
  if (!number) return std::unexpected(number.error());
  if (*number > most / unit->factor) return fail(ErrorKind::kInvalid, "{} is too large", text);
  return *number * unit->factor;
}

std::string format_with_unit(uint64_t value, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (value % unit.factor == 0 && value >= unit.factor) best = &unit;
  }
  return fmt::format("{}{}", value / best->factor, best->name);
}

// Optimal string alignment distance: insertions, deletions, changes, swaps of neighbours.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

constexpr size_t kMostLettersCompared = 64;  // keeps a hostile file from costing quadratic time
constexpr size_t kMostCandidatesListed = 12;

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t end = text.find(separator); end != text.npos; end = text.find(separator)) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

Result<int64_t> parse_signed(std::string_view text) { return parse_whole<int64_t>(text); }

Result<uint64_t> parse_unsigned(std::string_view text) { return parse_whole<uint64_t>(text); }

Result<Duration> parse_duration(std::string_view text) {
  constexpr uint64_t kMost = 36'500 * kDurationUnits.back().factor;  // a century fits an int64_t
  const auto nanoseconds =
      parse_with_unit(text, kDurationUnits, kMost,
                      "a duration: write a whole number and one of ms, s, m, h, d, such as 500ms");
  if (!nanoseconds) return std::unexpected(nanoseconds.error());
  return Duration(static_cast<Duration::rep>(*nanoseconds));
}

std::string format_duration(Duration duration) {
  const auto nanoseconds = duration.count();
  if (nanoseconds == 0) return "0s";
  if (nanoseconds < 0) return "-" + format_duration(-duration);
  if (nanoseconds % 1'000'000 != 0) return fmt::format("{}ns", nanoseconds);
  return format_with_unit(static_cast<uint64_t>(nanoseconds), kDurationUnits);
}

Result<uint64_t> parse_size(std::string_view text) {
  if (text.ends_with("KB") || text.ends_with("kB") || text.ends_with("MB") ||
      text.ends_with("GB")) {
    return fail(ErrorKind::kInvalid,
                "'{}' is ambiguous (1,000s or 1,024s); write {}{}iB, which counts in 1,024s", text,
                text.substr(0, text.size() - 2),
                text[text.size() - 2] == 'k' ? 'K' : text[text.size() - 2]);
  }
  return parse_with_unit(
      text, kSizeUnits, std::numeric_limits<uint64_t>::max(),
      "a size: write a whole number and one of B, KiB, MiB, GiB, TiB, such as 64MiB");
}

std::string format_size(uint64_t bytes) { return format_with_unit(bytes, kSizeUnits); }

Result<> check_ip_address(std::string_view text) {
  const std::string terminated(text);
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  if (inet_pton(AF_INET, terminated.c_str(), ignored.data()) == 1 ||
      inet_pton(AF_INET6, terminated.c_str(), ignored.data()) == 1) {
    if (!text.contains('\0')) return {};
  }
  return fail(ErrorKind::kInvalid,
              "'{}' is not a numeric IP address such as 127.0.0.1 or ::1 (names are not looked up)",
              text);
}

Result<> check_unix_path(std::string_view path) {
  constexpr size_t kMost = sizeof(sockaddr_un::sun_path) - 1;
  if (!path.starts_with('/') || path.size() > kMost || path.contains('\0')) {
    return fail(
        ErrorKind::kInvalid,
        "'{}' is not the path of a unix socket: it must be absolute and at most {} bytes long",
        path, kMost);
  }
  return {};
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  if (text.starts_with('/')) {
    if (auto valid = check_unix_path(text); !valid) return std::unexpected(valid.error());
    return Endpoint{std::string(text), 0};
  }
  const size_t colon = text.rfind(':');
  std::string_view address = text.substr(0, colon);
  const bool bracketed = address.starts_with('[') && address.ends_with(']');
  if (colon == text.npos || (!bracketed && address.contains(':'))) {
    return fail(ErrorKind::kInvalid,
                "'{}' is not an address: write 127.0.0.1:80, [::1]:80 or the path of a unix socket",
                text);
  }
  if (bracketed) address = address.substr(1, address.size() - 2);
  if (auto valid = check_ip_address(address); !valid) return std::unexpected(valid.error());
  if (bracketed != address.contains(':')) {
    return fail(ErrorKind::kInvalid, "'{}': brackets belong around an IPv6 address only", text);
  }
  const auto port = parse_integer<uint16_t>(text.substr(colon + 1));
  if (!port) return fail_with_context("port", port.error());
  return Endpoint{std::string(address), *port};
}

std::string_view closest_match(std::string_view word,
                               std::span<const std::string_view> candidates) {
  if (word.size() > kMostLettersCompared) return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kMostLettersCompared) continue;
    const size_t distance = edit_distance(word, candidate);
    if (distance >= best_distance || distance >= candidate.size()) continue;
    best_distance = distance;
    best = candidate;
  }
  return best;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
  if (const auto match = closest_match(word, candidates); !match.empty()) {
    return fmt::format("; did you mean '{}'?", match);
  }
  if (candidates.empty() || candidates.size() > kMostCandidatesListed) return {};
  return fmt::format("; known here: {}", fmt::join(candidates, ", "));
}

}  // namespace partywall
