#include "http/door_fixture.h"

#include <array>

#include "net/scope.h"
#include "tenancy/shipped_tiers.h"

namespace partywall::http::test {

bool ByHand::poll() {
  bool moved = false;
  while (stream && !ended && !broken) {
    std::array<char, 4096> bytes;
    const net::IoResult read = stream->read(bytes);
    if (read.would_block()) break;
    moved = true;
    if (read.ok()) received.append(bytes.data(), read.bytes);
    ended = read.status == net::IoStatus::kEnd;
    broken = read.status == net::IoStatus::kError;
  }
  return moved;
}

void ByHand::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const net::IoResult written = stream->write(bytes);
    if (!written.ok()) break;
    bytes.remove_prefix(written.bytes);
  }
}

std::string SeenRequest::field(std::string_view name) const {
  std::string found = "(none)";
  for (const auto& [field_name, value] : fields) {
    if (field_name == name) found = found == "(none)" ? value : "(many)";
  }
  return found;
}

FakeApplication::FakeApplication(SimulatedLoop& loop, Endpoint endpoint)
    : loop_(loop), endpoint_(std::move(endpoint)) {
  listen();
}

void FakeApplication::listen() {
  loop_.listen(endpoint_, [this](std::unique_ptr<net::Stream> stream) {
    connections.push_back({.stream = std::move(stream)});
  });
}

void FakeApplication::stop_listening() { loop_.listen(endpoint_, {}); }

bool FakeApplication::take_request(ByHand& connection) {
  RequestHead head;
  if (parse_request_head(connection.received, {.max_bytes = 1 << 20}, head).status !=
      ParseStatus::kComplete) {
    return false;
  }
  RequestControl control;
  if (read_request_control(head, {}, control).status != ParseStatus::kComplete) {
    ADD_FAILURE() << "the door sent a bad request: " << connection.received;
    connection.received.clear();
    return false;
  }
  SeenRequest seen;
  seen.line = std::string(head.method) + " " + std::string(head.target);
  for (const Field& field : head.fields) seen.fields.emplace_back(field.name, field.value);
  BodyReader body(control.framing);
  std::string_view rest = std::string_view(connection.received).substr(head.size_bytes);
  while (!body.complete()) {
    const BodyStep step = body.read(rest);
    if (step.consumed == 0) return false;
    seen.body += step.data;
    rest.remove_prefix(step.consumed);
  }
  connection.received = std::string(rest);
  requests.push_back(std::move(seen));
  return true;
}

bool FakeApplication::poll() {
  bool moved = false;
  for (ByHand& connection : connections) {
    moved |= connection.poll();
    while (answer && connection.stream && take_request(connection)) {
      moved = true;
      connection.send(answer(requests.back()));
      if (close_after_answer) connection.stream.reset();
    }
    if (answer && connection.stream && connection.ended) connection.stream.reset();
  }
  return moved;
}

DoorFixture::DoorFixture() {
  data.tiers = shipped_tiers();
  Cell cell{.name = "shared"};
  Pool pool{.name = "web"};
  pool.instances = {{.id = "web-1", .endpoint = {"10.1.0.1", 80}},
                    {.id = "web-2", .endpoint = {"10.1.0.2", 80}}};
  cell.pools.push_back(pool);
  data.cells.push_back(std::move(cell));
  for (const auto& [slug, tier] : {std::pair("acme", 0), std::pair("globex", 2)}) {
    const Tier& its_tier = data.tiers[static_cast<size_t>(tier)];
    data.tenants.push_back({.id = TenantId(Uuid::from_halves(1, static_cast<uint64_t>(tier) + 1)),
                            .slug = slug,
                            .tier = its_tier.name,
                            .cell = "shared",
                            .limits = its_tier.limits,
                            .alarms = its_tier.alarms});
  }
  data.routes = {{.path_prefix = "/api", .pool = "web"},
                 {.path_prefix = "/public", .pool = "web", .authenticated = false}};
  data.issuers = {issuer.trusted()};
  data.context_keys = {{.id = 1, .key = Secret(std::string(32, 'k'))}};
  const auto answer = [](const SeenRequest&) -> std::string {
    return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  };
  app1.answer = answer;
  app2.answer = answer;
  log = std::make_unique<LineLog>(std::move(*LineLog::open("")));
  restart_door();
}

DoorFixture::~DoorFixture() { stop_door(); }

void DoorFixture::stop_door() {
  if (!door) return;
  door->begin_drain();
  door->close_all();
  net::TaskScope scope(loop);
  scope.spawn(door->stop());
  loop.advance(seconds(3));  // longer than any time-out that is not cut short
  EXPECT_EQ(scope.running(), 0U) << "the door does not stop";
  door.reset();
}

void DoorFixture::restart_door() {
  stop_door();
  door = std::make_unique<DoorWorker>(loop, DoorWorker::Parts{.settings = settings,
                                                              .desk = make_desk(),
                                                              .health = health,
                                                              .access_log = *log,
                                                              .random_seed = 1});
  publish();
  set_health(Health::kUp);
}

void DoorFixture::publish() {
  ++data.version;
  numbers.assign(data.tenants);
  auto directory = Directory::build(data);
  ASSERT_TRUE(directory) << directory.error().message;
  auto made = directories_.make(*directory);
  ASSERT_TRUE(made) << made.error().message;
  door->update(*made);
}

void DoorFixture::set_health(Health value) {
  instance_health_.clear();
  for (const Cell& cell : data.cells) {
    for (const Pool& pool : cell.pools) {
      for (const Instance& instance : pool.instances) {
        instance_health_.push_back(health.of(key_of(cell, pool, instance)));
        instance_health_.back()->set(value);
      }
    }
  }
}

std::string DoorFixture::token(std::string_view tenant) {
  const WallTime now = loop.time().wall();
  return issuer.sign({.tenant = std::string(tenant),
                      .subject = "user",
                      .issued_at = now,
                      .expires_at = now + hours(1)});
}

std::string DoorFixture::get(std::string_view path, std::string_view tenant,
                             std::string_view fields) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: shop.test\r\n{}{}\r\n", path, bearer(tenant),
                     fields);
}

ByHand& DoorFixture::connect() {
  auto [ours, theirs] =
      partywall::test::make_stream_pair(loop.network(), {"192.0.2.7", 40000}, {"10.0.0.1", 8080});
  clients.push_back({.stream = std::move(ours)});
  door->accept(std::move(theirs));
  return clients.back();
}

void DoorFixture::settle() {
  bool moved = true;
  while (moved) {
    loop.run_ready();
    moved = app1.poll();
    moved |= app2.poll();
    for (ByHand& client : clients) moved |= client.poll();
  }
}

void DoorFixture::advance(Duration by) {
  settle();
  loop.advance(by);
  settle();
}

std::string DoorFixture::exchange(const std::string& bytes) {
  ByHand& client = connect();
  client.send(bytes);
  settle();
  return client.take();
}

}  // namespace partywall::http::test
