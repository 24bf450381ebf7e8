#include "cache/redirection.h"

#include "base/text.h"

namespace partywall::cache {

std::optional<Redirection> parse_redirection(std::string_view reply, const Endpoint& asked) {
  const bool moved = reply.starts_with("-MOVED ");
  if (!moved && !reply.starts_with("-ASK ")) return std::nullopt;
  const auto words = split(reply.substr(0, reply.find('\r')), ' ');
  if (words.size() != 3) return std::nullopt;
  const auto slot = parse_integer<HashSlot>(words[1], 0, kHashSlots - 1);
  const size_t colon = words[2].rfind(':');  // IPv6 addresses come without brackets
  if (!slot || colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_integer<uint16_t>(words[2].substr(colon + 1), 1);
  const std::string_view address = words[2].substr(0, colon);
  if (!port || (!address.empty() && !check_ip_address(address))) return std::nullopt;
  return Redirection{moved ? Redirection::Kind::kMoved : Redirection::Kind::kAsk,
                     {address.empty() ? asked.address : std::string(address), *port}};
}

}  // namespace partywall::cache
