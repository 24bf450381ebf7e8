#include "cache/sentinel_watch.h"

#include "base/log.h"
#include "base/text.h"
#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {

constexpr uint32_t kMaxUselessAnswers = 10;

// An address that Sentinel may announce as a name is of no use: no name is ever looked up.
std::optional<Endpoint> endpoint_of(std::string_view address, std::string_view port) {
  const auto number = parse_integer<uint16_t>(port, 1);
  if (!number || !check_ip_address(address)) return std::nullopt;
  return Endpoint{std::string(address), *number};
}

}  // namespace

// In RESP3 questions may be asked on a connection that has subscribed to something.
std::string SentinelWatch::opening() const {
  const CacheBackend& backend = route().backend();
  const std::string_view user =
      backend.sentinel_user.empty() ? std::string_view("default") : backend.sentinel_user;
  std::string requests =
      backend.sentinel_password.empty()
          ? make_request({"HELLO", "3"})
          : make_request({"HELLO", "3", "AUTH", user, backend.sentinel_password.reveal()});
  return requests + make_request({"SUBSCRIBE", "+switch-master"});
}

std::string SentinelWatch::question() const {
  return make_request({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", route().instance().primary_name});
}

SentinelWatch::Taken SentinelWatch::take(const ReplyTree& reply) {
  if (reply.type == '>') {
    take_message(reply);
    return Taken::kOther;
  }
  if (reply.type == '%') return Taken::kOther;  // HELLO
  if (reply.is_error()) {
    complain(reply.text);
    return Taken::kUnusable;
  }
  if (!reply.is_list() || reply.items.size() != 2) {
    complain("it does not know that primary");
    return Taken::kUnusable;
  }
  const auto primary = endpoint_of(reply.items[0].text, reply.items[1].text);
  if (!primary) {
    complain("it announces the primary by a name, not by a numeric address");
    return Taken::kUnusable;
  }
  // A Sentinel that is cut off from the others goes on naming the old one.
  const bool useless = route().suspected() && route().primary() == primary;
  useless_answers_ = useless ? useless_answers_ + 1 : 0;
  route().set_primary(*primary);
  if (useless_answers_ < kMaxUselessAnswers) return Taken::kAnswer;
  useless_answers_ = 0;
  return Taken::kUnusable;
}

// "<name> <old address> <old port> <new address> <new port>"
void SentinelWatch::take_message(const ReplyTree& message) {
  if (message.items.size() != 3 || message.items[0].text != "message") return;
  const auto words = split(message.items[2].text, ' ');
  if (words.size() != 5 || words[0] != route().instance().primary_name) return;
  if (const auto primary = endpoint_of(words[3], words[4])) route().set_primary(*primary);
}

void SentinelWatch::complain(std::string_view reason) const {
  log_warning("a Sentinel is of no use to the cache door",
              {{"route", route().name()},
               {"sentinel", server().to_string()},
               {"primary", route().instance().primary_name},
               {"reason", std::string(reason)}});
}

}  // namespace partywall::cache
