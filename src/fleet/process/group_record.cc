#include "fleet/process/group_record.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace partywall::fleet {
namespace {

constexpr std::string_view kFirstLine = "partywall-process-group 1";

// Takes the text up to the separator, or all of it.
std::string_view take_until(std::string_view& rest, char separator) {
  const size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

bool parse_instance(std::string_view line, InstanceRecord& record) {
  constexpr size_t kDigestLength = 64;
  constexpr size_t kBootIdLength = 36;
  std::array<std::string_view, 7> words;
  for (std::string_view& word : words) word = take_until(line, ' ');
  record.spec_digest = words[3];
  record.process.boot_id = words[6];
  return line.empty() && words[0] == "instance" && parse_number(words[1], record.ordinal) &&
         record.ordinal > 0 && parse_number(words[2], record.port) &&
         record.spec_digest.size() == kDigestLength && parse_number(words[4], record.process.pid) &&
         record.process.pid > 0 && parse_number(words[5], record.process.start_ticks) &&
         record.process.boot_id.size() == kBootIdLength;
}

}  // namespace

std::string write_group_record(const GroupRecord& record) {
  std::string out = fmt::format("{}\ngroup {}\nleader {}\n", kFirstLine, record.group.value(),
                                record.leader.value());
  for (const InstanceRecord& instance : record.instances) {
    out += fmt::format("instance {} {} {} {} {} {}\n", instance.ordinal, instance.port,
                       instance.spec_digest, instance.process.pid, instance.process.start_ticks,
                       instance.process.boot_id);
  }
  return out;
}

Result<GroupRecord> parse_group_record(std::string_view text) {
  const auto broken = [](std::string_view what) {
    return fail(ErrorKind::kInvalid, "not a record of a process group: {}", what);
  };
  if (!text.ends_with('\n')) return broken("it is cut off");
  if (take_until(text, '\n') != kFirstLine) return broken("unknown format");
  GroupRecord record;
  std::string_view line = take_until(text, '\n');
  if (take_until(line, ' ') != "group" || !check_group_name(line)) return broken("its group");
  record.group = GroupName(std::string(line));
  line = take_until(text, '\n');
  uint64_t leader = 0;
  if (take_until(line, ' ') != "leader" || !parse_number(line, leader)) return broken("its leader");
  record.leader = FencingNumber(leader);
  while (!text.empty()) {
    if (!parse_instance(take_until(text, '\n'), record.instances.emplace_back()))
      return broken("an instance");
  }
  return record;
}

}  // namespace partywall::fleet
