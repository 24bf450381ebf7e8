// Clients of two tenants, which have two databases each, in random interleavings, with connections
// that break and clients that leave at any byte: whatever happens, a client reads the answers to
// its own requests, in order, or the news that one was lost. Never a byte of anybody else.
#include <cstdlib>
#include <iostream>
#include <random>
#include <ranges>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "cache/prefix/key_prefix.h"
#include "cache/resp/reply_scanner.h"
#include "cache/session_world.h"
#include "support/sanitizers.h"

namespace partywall::cache {
namespace {

constexpr std::string_view kLost = "-ERR the connection to the cache was lost";
constexpr const char* kLoginAnswer = "+OK\r\n (to AUTH)";
constexpr std::string_view kUnreachable = "-ERR the cache ";

// What a tenant's key "who" says in each of its databases, and whatever was copied from it.
std::string who(int tenant, int database) {
  return fmt::format("{} {}", tenant == 1 ? "acme" : "globex", database);
}

class RandomClient {
 public:
  RandomClient(SessionWorld& world, std::mt19937_64& random, int number, CacheMode mode)
      : world_(world), random_(random), number_(number), mode_(mode), client_(world.connect()) {}

  // Writes some more requests, reads some answers.
  void act() {
    if (unsent_.empty() && expected_.size() < 40) make_requests();
    const std::string part = unsent_.substr(0, pick(80));
    unsent_.erase(0, part.size());
    if (!part.empty() && client_->session->wants_input()) {
      client_->send(part);
    } else {
      unsent_ = part + unsent_;
    }
    client_->turn();
    read();
  }

  void read() {
    const std::string_view output = client_->session->output();
    const std::string part(output.substr(0, pick(100)));
    client_->session->sent(part.size());
    received_ += part;
    check();
  }

  void check() {
    while (!received_.empty()) {
      ReplyScanner scanner;
      const auto step = scanner.scan(received_);
      ASSERT_NE(step.status, ReplyScanner::Status::kInvalid) << received_;
      if (step.status == ReplyScanner::Status::kIncomplete) return;
      ASSERT_FALSE(expected_.empty()) << "an answer to nothing: " << received_;
      const std::string reply = received_.substr(0, step.bytes);
      received_.erase(0, step.bytes);
      std::string wanted = expected_.front();
      expected_.erase(expected_.begin());
      // What failed before a login has no bearing on what comes behind its answer.
      if (wanted == kLoginAnswer) {
        wanted = "+OK\r\n";
        failed_ = false;
      }
      const bool failed = reply.starts_with(kLost) || reply.starts_with(kUnreachable) ||
                          reply.starts_with("-LIMIT");
      // When one part of a transaction was lost, the others say that there is none.
      const bool follows =
          reply.starts_with("-ERR EXEC without MULTI") || reply.starts_with("-EXECABORT");
      if (failed) {
        ++lost;
        failed_ = true;
      } else if (!(follows && failed_) && !(failed_ && wanted == "+QUEUED\r\n")) {
        ASSERT_EQ(reply, wanted) << "client " << number_;
        ++answered;
      }
    }
  }

  [[nodiscard]] bool over() const {
    return client_->session->finished() && client_->session->output().empty();
  }
  [[nodiscard]] bool quiet() const { return expected_.empty() && unsent_.empty(); }
  void stop_asking() { asking_ = false; }
  [[nodiscard]] FakeClient& client() { return *client_; }

  size_t answered = 0;
  size_t lost = 0;

 private:
  size_t pick(size_t bound) { return random_() % (bound + 1); }

  void make_requests() {
    if (!asking_) return;
    if (tenant_ == 0 || pick(10) == 0) {
      tenant_ = static_cast<int>(1 + random_() % 2);
      request("AUTH app " +
                  world_.context(tenant_ == 1 ? SessionWorld::acme() : SessionWorld::globex()),
              kLoginAnswer);
    }
    switch (pick(9)) {
      case 0:
        database_ = static_cast<int>(pick(1));
        return request(fmt::format("SELECT {}", database_), "+OK\r\n");
      case 1:
        return request("SELECT 7", "-ERR DB index is out of range\r\n");
      case 2:
        return request("GET who", bulk(who(tenant_, database_)));
      case 3:
        return transaction();
      case 4: {
        const std::string token = next_token();
        return request("WATCH x" + std::string(pick(1), 'x'), "+OK\r\n"),
               request("UNWATCH", "+OK\r\n"), request("ECHO " + token, bulk(token));
      }
      case 5:
        if (mode_ == CacheMode::kPrefix) return with_steps();
        [[fallthrough]];
      default:
        for (size_t i = pick(5); i > 0; --i) {
          const std::string token = next_token();
          request("ECHO " + token, bulk(token));
        }
    }
  }

  void transaction() {
    request("MULTI", "+OK\r\n");
    std::string replies = "*2\r\n";
    for (int i = 0; i < 2; ++i) {
      const std::string token = next_token();
      request("ECHO " + token, "+QUEUED\r\n");
      replies += bulk(token);
    }
    request("EXEC", replies);
  }

  // On another connection, and in several steps. The copy is there already, in case one gets lost.
  void with_steps() {
    request("COPY who copy REPLACE", ":1\r\n");
    request("KEYS w*", "*1\r\n$3\r\nwho\r\n");
    request("GET copy", bulk(who(tenant_, database_)));
  }

  // Long ones too, so that replies come in parts.
  std::string next_token() {
    return fmt::format("{}.{}.{}.{}", number_, tenant_, ++sequence_,
                       std::string(random_() % 50 == 0 ? 300 : 3, 'x'));
  }

  static std::string bulk(const std::string& text) {
    return fmt::format("${}\r\n{}\r\n", text.size(), text);
  }

  void request(const std::string& line, const std::string& reply) {
    unsent_ += pick(1) == 0 ? line + "\r\n" : as_array(line);
    expected_.push_back(reply);
  }

  static std::string as_array(std::string_view line) {
    std::string words;
    size_t count = 0;
    for (const auto word : std::views::split(line, ' ')) {
      append_bulk(words, std::string_view(word));
      ++count;
    }
    std::string out;
    append_array_header(out, count);
    return out + words;
  }

  SessionWorld& world_;
  std::mt19937_64& random_;
  int number_;
  CacheMode mode_;
  std::unique_ptr<FakeClient> client_;
  int tenant_ = 0;
  int database_ = 0;  // stays when another tenant logs in
  int sequence_ = 0;
  bool asking_ = true;
  bool failed_ = false;
  std::string unsent_;
  std::string received_;
  std::vector<std::string> expected_;
};

class RandomRun {
 public:
  RandomRun(uint64_t seed, CacheMode mode) : random_(seed), mode_(mode) {
    world_.publish([&](DirectoryData& data) {
      data.cells[0].cache.mode = mode;
      for (size_t i = 0; i < 2; ++i) {
        data.tenants[i].cache_database = static_cast<uint32_t>(1 + 2 * i);
        data.tenants[i].limits.cache_databases = 2;
      }
    });
    for (int tenant = 1; tenant <= 2; ++tenant) {
      for (int database = 0; database < 2; ++database) {
        const Tenant& owner = *world_.directory->find_tenant(tenant == 1 ? SessionWorld::acme()
                                                                         : SessionWorld::globex());
        const CacheBackend& backend = world_.directory->find_cell(owner.cell)->cache;
        const bool apart = mode == CacheMode::kDatabase;
        auto& data = world_.redis.databases[apart ? 2 * tenant - 1 + database : 0];
        const std::string prefix = key_prefix(backend, owner, static_cast<uint32_t>(database));
        data[prefix + "who"] = data[prefix + "copy"] = who(tenant, database);
      }
    }
    world_.limits.max_outstanding = 30;
    world_.limits.output_pause_bytes = 500;
    world_.limits.upstream_pause_bytes = 300;
    world_.limits.stream_above_bytes = 60;
  }

  void run(int steps, bool with_failures) {
    for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) {
      if (clients_.size() < 6 && random_() % 20 == 0)
        clients_.push_back(std::make_unique<RandomClient>(world_, random_, ++count_, mode_));
      for (auto& connection : world_.redis.connections) {
        connection->take_requests(random_() % 200);
        connection->deliver(random_() % 200);
        connection->close_if_wanted();
        if (with_failures && random_() % 3000 == 0) connection->break_connection();
      }
      std::erase_if(world_.redis.connections, [](const auto& c) { return c->broken(); });
      for (auto& client : clients_) client->act();
      std::erase_if(clients_, [&](const auto& client) {
        const bool leaves = client->over() || (with_failures && random_() % 500 == 0);
        if (leaves) account(*client);
        return leaves;
      });
      if (i % 50 == 0) world_.time.advance(milliseconds(100));
      if (i % 500 == 0) world_.registry.sweep(world_.time.monotonic());
    }
    finish();
  }

  size_t answered = 0;
  size_t lost = 0;

 private:
  void account(const RandomClient& client) {
    answered += client.answered;
    lost += client.lost;
  }

  // Everybody who is still there gets all answers.
  void finish() {
    for (auto& client : clients_) client->stop_asking();
    for (int i = 0; i < 20'000 && !testing::Test::HasFatalFailure(); ++i) {
      world_.redis.run();
      bool quiet = true;
      for (auto& client : clients_) {
        client->act();
        quiet = quiet && (client->quiet() || client->over());
      }
      if (quiet) break;
    }
    for (auto& client : clients_) {
      EXPECT_TRUE(client->quiet() || client->over()) << "an answer is missing";
      account(*client);
    }
  }

  std::mt19937_64 random_;
  CacheMode mode_;
  SessionWorld world_;
  std::vector<std::unique_ptr<RandomClient>> clients_;
  int count_ = 0;
};

// More of them in the long test run.
uint64_t seeds() {
  const char* const text = std::getenv("PARTYWALL_SIMULATION_SEEDS");
  return text == nullptr ? rounds(30) : parse_unsigned(text).value_or(30);
}

// One mode after the other.
CacheMode mode_of(uint64_t seed) {
  return seed % 2 == 0 ? CacheMode::kDatabase : CacheMode::kPrefix;
}

TEST(SessionRandom, GivesEverybodyTheirOwnAnswersInOrder) {
  size_t answered = 0;
  for (uint64_t seed = 1; seed <= 5 && !testing::Test::HasFatalFailure(); ++seed) {
    SCOPED_TRACE(seed);
    RandomRun run(seed, mode_of(seed));
    run.run(2000, false);
    EXPECT_EQ(run.lost, 0u);
    answered += run.answered;
  }
  EXPECT_GT(answered, 10'000u);
}

TEST(SessionRandom, GivesNobodyAForeignByteWhenConnectionsBreakAndClientsLeave) {
  size_t answered = 0;
  size_t lost = 0;
  for (uint64_t seed = 1; seed <= seeds() && !testing::Test::HasFatalFailure(); ++seed) {
    SCOPED_TRACE(seed);
    RandomRun run(seed, mode_of(seed));
    run.run(2000, true);
    answered += run.answered;
    lost += run.lost;
  }
  std::cout << answered << " requests answered, " << lost << " lost, " << seeds() << " seeds\n";
  EXPECT_GT(answered, seeds() * 5'000 / 3);
  EXPECT_GT(lost, seeds() * 5 / 3);
}

}  // namespace
}  // namespace partywall::cache
