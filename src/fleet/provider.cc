#include "fleet/provider.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/hex.h"

namespace partywall::fleet {
namespace {

constexpr size_t kMaxGroupNameLength = 40;

// Length first, so that no two lists of texts have the same bytes.
void append_field(std::string& out, std::string_view text) {
  out += fmt::format("{}:", text.size());
  out += text;
}

}  // namespace

std::string InstanceSpec::digest() const {
  std::string text;
  append_field(text, version);
  append_field(text, working_directory);
  append_field(text, std::to_string(port));
  append_field(text, stop_signal);
  append_field(text, std::to_string(command.size()));
  for (const std::string& word : command) append_field(text, word);
  for (const auto& [name, value] : environment) {
    append_field(text, name);
    append_field(text, value.reveal());
  }
  return to_hex(as_bytes(sha256(text)));
}

std::string_view to_string(InstanceState state) {
  switch (state) {
    case InstanceState::kRunning:
      return "running";
    case InstanceState::kWaiting:
      return "waiting";
    case InstanceState::kStopping:
      return "stopping";
  }
  return "unknown";
}

Result<> check_spec(const InstanceSpec& spec, uint32_t count) {
  if (spec.command.empty()) return fail(ErrorKind::kInvalid, "there is no command to start");
  if (spec.port != 0 && count > 1)
    return fail(ErrorKind::kInvalid, "{} instances cannot share port {}", count, spec.port);
  if (spec.stop_signal != "TERM" && spec.stop_signal != "INT" && spec.stop_signal != "QUIT") {
    return fail(ErrorKind::kInvalid,
                "SIG{} is not among the signals that ask to end: TERM, INT, QUIT",
                spec.stop_signal);
  }
  return {};
}

Result<> check_group_name(std::string_view name) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto valid = [&](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '-'; };
  if (name.empty() || name.size() > kMaxGroupNameLength || !is_lower(name.front()) ||
      !std::ranges::all_of(name, valid)) {
    return fail(ErrorKind::kInvalid,
                "'{}' is no group name: use 1 to {} of a-z, 0-9 and '-', starting with a letter",
                name, kMaxGroupNameLength);
  }
  return {};
}

}  // namespace partywall::fleet
