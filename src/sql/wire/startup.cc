#include "sql/wire/startup.h"

#include <algorithm>

#include <fmt/format.h>

#include "sql/wire/field_reader.h"
#include "sql/wire/message_writer.h"

namespace partywall::sql {
namespace {

constexpr uint32_t kSslRequestCode = (1234U << 16) | 5679U;
constexpr uint32_t kGssEncryptionRequestCode = (1234U << 16) | 5680U;

std::expected<StartupPacket, StartupProblem> read_parameters(uint16_t minor_version,
                                                             std::string_view body) {
  StartupRequest request{.minor_version = minor_version,
                         .user = {},
                         .database = {},
                         .parameters = {},
                         .protocol_options = {}};
  FieldReader reader(body);
  while (true) {
    const std::string_view name = reader.c_string();
    if (!reader.ok()) return std::unexpected(StartupProblem::kMalformed);
    if (name.empty()) break;
    const std::string_view value = reader.c_string();
    if (!reader.ok()) return std::unexpected(StartupProblem::kMalformed);
    const auto has_name = [&](const auto& parameter) { return parameter.first == name; };
    if (name == "user" && request.user.empty()) {
      request.user = value;
    } else if (name == "database" && request.database.empty()) {
      request.database = value;
    } else if (name.starts_with("_pq_.")) {
      request.protocol_options.emplace_back(name);
    } else if (name == "user" || name == "database" ||
               std::ranges::any_of(request.parameters, has_name)) {
      return std::unexpected(StartupProblem::kMalformed);  // twice
    } else {
      request.parameters.emplace_back(name, value);
    }
  }
  if (!reader.ok_and_at_end()) return std::unexpected(StartupProblem::kMalformed);
  if (request.user.empty()) return std::unexpected(StartupProblem::kNoUser);
  if (request.database.empty()) request.database = request.user;
  return request;
}

std::expected<StartupPacket, StartupProblem> read_packet(uint32_t code, std::string_view body) {
  switch (code) {
    case kSslRequestCode:
    case kGssEncryptionRequestCode:
      if (!body.empty()) return std::unexpected(StartupProblem::kBadLength);
      if (code == kSslRequestCode) return SslRequest{};
      return GssEncryptionRequest{};
    case kCancelRequestCode:
      if (body.size() != 8) return std::unexpected(StartupProblem::kBadLength);
      return CancelRequest{load_u32(body), load_u32(body.substr(4))};
    default:
      if (code >> 16 != kProtocolMajor) return std::unexpected(StartupProblem::kUnsupportedVersion);
      return read_parameters(static_cast<uint16_t>(code), body);
  }
}

}  // namespace

std::expected<StartupResult, StartupProblem> read_startup_packet(std::string_view bytes) {
  if (bytes.size() < 4) return std::unexpected(StartupProblem::kIncomplete);
  const uint32_t length = load_u32(bytes);
  if (length < 8 || length > kMaxStartupPacket) return std::unexpected(StartupProblem::kBadLength);
  if (bytes.size() < length) return std::unexpected(StartupProblem::kIncomplete);
  auto packet = read_packet(load_u32(bytes.substr(4)), bytes.substr(8, length - 8));
  if (!packet) return std::unexpected(packet.error());
  return StartupResult{std::move(*packet), length};
}

void append_startup_request(std::string& out,
                            const std::vector<std::pair<std::string, std::string>>& parameters) {
  size_t length = 4 + 4 + 1;
  for (const auto& [name, value] : parameters) length += name.size() + value.size() + 2;
  append_u32(out, static_cast<uint32_t>(length));
  append_u16(out, kProtocolMajor);
  append_u16(out, kProtocolMinor);
  for (const auto& [name, value] : parameters) {
    out.append(name).push_back('\0');
    out.append(value).push_back('\0');
  }
  out.push_back('\0');
}

void append_cancel_request(std::string& out, const CancelRequest& request) {
  append_u32(out, 16);
  append_u32(out, kCancelRequestCode);
  append_u32(out, request.pid);
  append_u32(out, request.secret);
}

void append_negotiate_protocol_version(std::string& out,
                                       const std::vector<std::string>& unknown_options) {
  MessageWriter message(out, 'v');
  message.u32(kProtocolMinor).u32(static_cast<uint32_t>(unknown_options.size()));
  for (const std::string& option : unknown_options) message.c_string(option);
}

namespace {

std::vector<std::string> split_options(std::string_view options) {
  std::vector<std::string> words;
  bool in_word = false;
  for (size_t i = 0; i < options.size(); ++i) {
    char c = options[i];
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      in_word = false;
      continue;
    }
    if (c == '\\' && i + 1 < options.size()) c = options[++i];
    if (!in_word) words.emplace_back();
    in_word = true;
    words.back().push_back(c);
  }
  return words;
}

}  // namespace

std::expected<std::vector<std::pair<std::string, std::string>>, std::string> parse_startup_options(
    std::string_view options) {
  std::vector<std::pair<std::string, std::string>> settings;
  const std::vector<std::string> words = split_options(options);
  for (size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word == "-c" && i + 1 < words.size()) {
      word = words[++i];
    } else if (word.starts_with("--") || (word.starts_with("-c") && word.size() > 2)) {
      word.remove_prefix(2);
    } else {
      return std::unexpected(words[i]);
    }
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos || equals == 0) return std::unexpected(words[i]);
    std::string name(word.substr(0, equals));
    std::ranges::replace(name, '-', '_');
    settings.emplace_back(std::move(name), word.substr(equals + 1));
  }
  return settings;
}

}  // namespace partywall::sql
