#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/crypto.h"
#include "cache/fake_redis.h"
#include "cache/session_fsm.h"
#include "cache/tenant_user.h"
#include "identity/context_token.h"
#include "identity/dev_issuer.h"

namespace partywall::cache {

// A client of the door, in memory: what it sends goes straight to its session.
class FakeClient final : public Waker {
 public:
  FakeClient(SessionHost& host, uint64_t number)
      : id(number), session(std::make_unique<SessionFsm>(host, *this, number, "127.0.0.1:1")) {}
  void wake() override { woken = true; }

  void send(std::string_view bytes) { session->receive(bytes); }
  // What has been answered since the last time.
  std::string take() {
    std::string out(session->output());
    session->sent(out.size());
    return out;
  }
  // What the shell does after a wake.
  void turn() {
    if (std::exchange(woken, false)) session->resume();
  }

  const uint64_t id;
  bool woken = false;
  std::unique_ptr<SessionFsm> session;
};

// Two tenants of one cell, on databases 1 and 2 of a fake Redis.
class SessionWorld {
 public:
  SessionWorld() {
    client_register.set_deliver(0, [this](uint64_t id, ClientOrder order, const std::string& key) {
      for (FakeClient* client : clients) {
        if (client->id == id) client->session->obey(order, key);
      }
    });
    publish([](DirectoryData&) {});
  }

  void publish(const std::function<void(DirectoryData&)>& change) {
    DirectoryData data = make_directory();
    change(data);
    data.version = ++version_;
    const DirectoryRef before = std::exchange(directory, Directory::build(std::move(data)).value());
    host.directory = directory;
    host.issuers = verifiers_.of(directory->issuers()).value();
    for (const Tenant& tenant : directory->tenants()) {
      redis.passwords[tenant_user(tenant.id)] =
          tenant_user_password(Secret("cell key"), tenant.id).reveal();
    }
    redis.passwords["door"] = "door password";
    redis.passwords[std::string(kSubscriberUser)] =
        subscriber_password(Secret("cell key")).reveal();
    redis.passwords[std::string(kKeyspaceUser)] = keyspace_password(Secret("cell key")).reveal();
    redis.passwords[std::string(kIndexUser)] = index_password(Secret("cell key")).reveal();
    registry.directory_changed(*directory);
    for (FakeClient* client : clients) client->session->directory_changed();
  }

  std::unique_ptr<FakeClient> connect() { return std::make_unique<FakeClient>(host, ++last_id_); }

  // Lets everything happen that can happen without further input.
  void settle(FakeClient& client) {
    do {
      client.turn();
    } while (redis.run() || client.woken);
  }

  // Sends, lets everything happen, and gives the answer.
  std::string ask(FakeClient& client, std::string_view bytes) {
    client.send(bytes);
    settle(client);
    return client.take();
  }

  std::string context(TenantId tenant, Audience audience = Audience::kCache,
                      Duration lifetime = seconds(60)) {
    const WallTime now = std::chrono::floor<seconds>(time.wall());
    return mint_context({.tenant = tenant,
                         .audience = audience,
                         .issued_at = now,
                         .expires_at = now + std::chrono::duration_cast<seconds>(lifetime),
                         .request_id = Uuid()},
                        directory->context_keys())
        .value();
  }

  // Of the issuer that the directory trusts.
  std::string jwt(std::string tenant, Duration lifetime = seconds(60)) {
    return issuer().sign(
        {.tenant = std::move(tenant),
         .subject = "job",
         .issued_at = time.wall(),
         .expires_at = time.wall() + std::chrono::duration_cast<milliseconds>(lifetime)});
  }

  static TenantId acme() { return TenantId(Uuid::from_halves(1, 1)); }
  static TenantId globex() { return TenantId(Uuid::from_halves(2, 2)); }

  ManualTime time;
  FakeRedis redis;
  SessionLimits limits;
  UpstreamLimits upstream_limits;
  TenantStates states;
  LimitDesk desk{states};
  Meters<CacheMeter> meters;
  UpstreamRegistry registry{upstream_limits, redis};
  SeededRandom random{1};
  ClientSeats seats{200};
  ClientRegister client_register;
  ScriptRegister scripts;
  SlowLog slow_log;
  QuotaBook quotas;
  LoadBook loads;
  ScriptFlights scripts_under_way;
  SessionHost host{.limits = limits,
                   .time = time,
                   .limits_desk = desk,
                   .upstreams = registry,
                   .meters = meters,
                   .random = random,
                   .seats = seats,
                   .clients = client_register,
                   .scripts = scripts,
                   .slow_log = slow_log,
                   .quotas = quotas,
                   .loads = loads,
                   .scripts_under_way = scripts_under_way};
  DirectoryRef directory;
  std::vector<FakeClient*> clients;  // that are told of a new directory

 private:
  DirectoryData make_directory() {
    DirectoryData data;
    data.tiers = {Tier{.name = "free"}};
    Cell cell;
    cell.name = "shared";
    cell.cache = {.instances = {{.name = "main", .endpoints = {{"127.0.0.1", 6379}}}},
                  .door_user = "door",
                  .door_password = Secret("door password"),
                  .tenant_password = Secret("cell key")};
    data.cells = {cell};
    data.tenants = {make_tenant(acme(), "acme", 1), make_tenant(globex(), "globex", 2)};
    data.issuers = {issuer().trusted()};
    data.context_keys = {{.id = 1, .key = Secret(std::string(32, 'k'))}};
    data.cache_logins = {
        {.user = "acme", .secret_sha256 = sha256("acme secret"), .tenant = acme()},
        {.user = "globex", .secret_sha256 = sha256("globex secret"), .tenant = globex()},
        {.user = "app", .secret_sha256 = sha256("app secret"), .tenant = {}}};
    numbers_.assign(data.tenants);
    return data;
  }

  static Tenant make_tenant(TenantId id, const char* slug, uint32_t database) {
    Tenant tenant;
    tenant.id = id;
    tenant.slug = tenant.name = slug;
    tenant.tier = "free";
    tenant.cell = "shared";
    tenant.limits.cache_rate = {1'000'000, seconds(1), 1'000'000};
    tenant.cache_database = database;
    return tenant;
  }

  static const DevIssuer& issuer() {
    static const DevIssuer issuer = DevIssuer::generate("https://issuer.test", "cache");
    return issuer;
  }

  IssuerVerifiers verifiers_;
  TenantNumbers numbers_;
  uint64_t version_ = 0;
  uint64_t last_id_ = 0;
};

}  // namespace partywall::cache
