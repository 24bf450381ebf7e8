// The PostgreSQL protocol from both sides: start-up packets, the login, a client's session with a
// fake backend behind it, and a server's answers to requests of the door. The first byte chooses.
#include <cstdint>
#include <cstdlib>

#include "sql/session_harness.h"

namespace {

using namespace partywall;
using namespace partywall::sql;
using namespace partywall::sql::testing;

void check(bool invariant) {
  if (!invariant) std::abort();
}

// A client may say anything: its tenant is the only one whose connection it ever gets.
void client_says(std::string_view bytes, size_t split) {
  auto session = SessionHarness::bound(split);
  session.exchange(bytes);
  const std::string& entered = session.postgres.register_value();
  check(entered.empty() || entered == "tenant 1");
}

void application_says(std::string_view bytes, size_t split) {
  auto session = SessionHarness::open(split);
  std::string answer = session.exchange(bytes);
  take_messages(answer);
  check(answer.empty());  // whole messages only
}

// A server may say anything: only a reset makes its connection clean.
void server_says(std::string_view bytes) {
  SeededRandom random(1);
  ServerFsm fsm({.key = {}, .enter_oid = 1, .statement_names_are_private = true, .reported = {}},
                random, 4);
  Outbox out;
  fsm.send_enter(out, tenant_id(1), "token");
  for (const Request request : {Request::kParse, Request::kBind, Request::kDescribePortal,
                                Request::kExecute, Request::kSync}) {
    fsm.expect(request);
  }
  while (true) {
    const size_t before = bytes.size();
    const auto event = fsm.next(bytes);
    check(bytes.size() <= before);
    if (event.kind == ServerFsm::EventKind::kNeedMore ||
        event.kind == ServerFsm::EventKind::kBroken)
      break;
  }
  check(fsm.tenancy().state() != TenancyState::kClean);
}

void starts_up(std::string_view bytes) {
  const auto result = read_startup_packet(bytes);
  if (!result) return;
  check(result->consumed <= bytes.size());
  if (const auto* request = std::get_if<StartupRequest>(&result->packet)) {
    check(!request->user.empty());
    for (const auto& [name, value] : request->parameters) parse_startup_options(value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 64 * 1024) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const size_t split = data[1] == 0 ? SIZE_MAX : data[1];
  switch (data[0] % 4) {
    case 0:
      client_says(bytes, split);
      break;
    case 1:
      application_says(bytes, split);
      break;
    case 2:
      server_says(bytes);
      break;
    default:
      starts_up(bytes);
      break;
  }
  return 0;
}
