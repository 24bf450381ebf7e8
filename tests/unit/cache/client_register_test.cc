#include "cache/clients/client_register.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/clients/client_filter.h"
#include "cache/session_world.h"

namespace partywall::cache {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

ClientRecord record(uint64_t id, TenantId tenant) {
  ClientRecord record;
  record.id = id;
  record.tenant = tenant;
  return record;
}

TEST(ClientRegister, KnowsEachTenantsClientsOnAllWorkers) {
  ClientRegister clients(3);
  for (const uint64_t id : {7, 2, 4}) clients.enter(record(id, SessionWorld::acme()));
  clients.enter(record(5, SessionWorld::globex()));
  std::vector<uint64_t> ids;
  for (const ClientRecord& client : clients.of(SessionWorld::acme())) ids.push_back(client.id);
  EXPECT_THAT(ids, ElementsAre(2, 4, 7));
  EXPECT_FALSE(clients.find(SessionWorld::acme(), 5));
  EXPECT_TRUE(clients.find(SessionWorld::globex(), 5));
  clients.leave(5);
  EXPECT_THAT(clients.of(SessionWorld::globex()), IsEmpty());
}

TEST(ClientRegister, HandsOrdersToTheWorkerOfTheClient) {
  ClientRegister clients(2);
  std::vector<uint64_t> first, second;
  clients.set_deliver(0,
                      [&](uint64_t id, ClientOrder, const std::string&) { first.push_back(id); });
  clients.set_deliver(1,
                      [&](uint64_t id, ClientOrder, const std::string&) { second.push_back(id); });
  for (const uint64_t id : {4, 5, 6}) clients.order(id, ClientOrder::kKill);
  EXPECT_THAT(first, ElementsAre(4, 6));
  EXPECT_THAT(second, ElementsAre(5));
}

// Two clients of acme, one of globex.
class Clients : public testing::Test {
 protected:
  Clients() {
    world_.clients = {one_.get(), two_.get(), other_.get()};
    ask(*one_, "AUTH acme 'acme secret'\r\nCLIENT SETNAME one\r\n");
    ask(*two_, "AUTH acme 'acme secret'\r\nCLIENT SETNAME two\r\n");
    ask(*other_, "AUTH globex 'globex secret'\r\nCLIENT SETNAME other\r\n");
  }
  std::string ask(FakeClient& client, const std::string& bytes) {
    return world_.ask(client, bytes);
  }
  static std::string id_of(const FakeClient& client) { return std::to_string(client.id); }

  SessionWorld world_;
  std::unique_ptr<FakeClient> one_ = world_.connect();
  std::unique_ptr<FakeClient> two_ = world_.connect();
  std::unique_ptr<FakeClient> other_ = world_.connect();
};

TEST_F(Clients, ListShowsTheTenantsOwn) {
  const std::string list = ask(*one_, "CLIENT LIST\r\n");
  EXPECT_THAT(list, testing::AllOf(HasSubstr(" name=one "), HasSubstr(" name=two "),
                                   Not(HasSubstr("other")), Not(HasSubstr("globex"))));
  EXPECT_THAT(
      ask(*one_, "CLIENT LIST ID " + id_of(*two_) + " " + id_of(*other_) + "\r\n"),
      testing::AllOf(HasSubstr(" name=two "), Not(HasSubstr("one")), Not(HasSubstr("other"))));
  EXPECT_EQ(ask(*one_, "CLIENT LIST TYPE pubsub\r\n"), "$0\r\n\r\n");
  EXPECT_THAT(ask(*one_, "CLIENT LIST TYPE x\r\n"), StartsWith("-ERR Unknown client type"));
  two_.reset();
  EXPECT_THAT(ask(*one_, "CLIENT LIST\r\n"), Not(HasSubstr("two")));
}

TEST_F(Clients, ATenantsOldClientIsNotTheNewTenants) {
  ask(*one_, "AUTH app " + world_.context(SessionWorld::globex()) + "\r\n");
  EXPECT_THAT(ask(*two_, "CLIENT LIST\r\n"), Not(HasSubstr("name=one")));
  EXPECT_THAT(ask(*other_, "CLIENT LIST\r\n"), HasSubstr("name=one"));
  ask(*one_, "RESET\r\n");
  EXPECT_THAT(ask(*other_, "CLIENT LIST\r\n"), Not(HasSubstr("name=one")));
}

TEST_F(Clients, KillEndsTheTenantsOwnAndNoOther) {
  EXPECT_EQ(ask(*one_, "CLIENT KILL ID " + id_of(*other_) + "\r\n"), ":0\r\n");
  EXPECT_EQ(ask(*one_, "CLIENT KILL USER globex\r\n"), ":0\r\n");
  EXPECT_FALSE(other_->session->finished());
  EXPECT_EQ(ask(*one_, "CLIENT KILL ID " + id_of(*two_) + "\r\n"), ":1\r\n");
  EXPECT_TRUE(two_->session->finished());
  EXPECT_EQ(ask(*one_, "CLIENT KILL TYPE normal SKIPME yes\r\n"), ":1\r\n");
  EXPECT_EQ(ask(*one_, "CLIENT KILL 1.2.3.4:5\r\n"), "-ERR No such client\r\n");
  EXPECT_EQ(ask(*one_, "CLIENT KILL 127.0.0.1:1\r\n"), "+OK\r\n");
  EXPECT_TRUE(one_->session->finished());
  EXPECT_FALSE(other_->session->finished());
}

TEST_F(Clients, KillUnderWayLeavesNoReplyBehind) {
  two_->send("GET a\r\nMULTI\r\n");
  ask(*one_, "CLIENT KILL ID " + id_of(*two_) + "\r\n");
  world_.settle(*two_);
  EXPECT_TRUE(two_->session->finished());
  EXPECT_EQ(two_->take(), "");
  EXPECT_EQ(ask(*one_, "GET a\r\n"), "$-1\r\n");
}

TEST_F(Clients, UnblockAsksRedisForTheTenantsOwn) {
  two_->send("BLPOP q 0\r\n");
  world_.settle(*two_);
  EXPECT_THAT(ask(*one_, "CLIENT LIST\r\n"), HasSubstr(" flags=b "));
  EXPECT_EQ(ask(*other_, "CLIENT UNBLOCK " + id_of(*two_) + "\r\n"), ":0\r\n");
  EXPECT_EQ(ask(*one_, "CLIENT UNBLOCK " + id_of(*one_) + "\r\n"), ":0\r\n");
  EXPECT_EQ(ask(*one_, "CLIENT UNBLOCK " + id_of(*two_) + " ERROR\r\n"), ":1\r\n");
  world_.settle(*two_);
  EXPECT_THAT(two_->take(), StartsWith("-UNBLOCKED"));
  EXPECT_EQ(ask(*two_, "GET a\r\n"), "$-1\r\n");
  EXPECT_THAT(ask(*one_, "CLIENT LIST\r\n"), Not(HasSubstr(" flags=b ")));
  EXPECT_THAT(ask(*one_, "CLIENT UNBLOCK x\r\n"), StartsWith("-ERR value is not"));
}

TEST_F(Clients, RepliesCanBeLeftOut) {
  EXPECT_EQ(ask(*one_,
                "CLIENT REPLY OFF\r\nSET a 1\r\nGET a\r\nCLIENT ID\r\nFOO\r\nCLIENT REPLY "
                "ON\r\nGET a\r\n"),
            "+OK\r\n$1\r\n1\r\n");
  EXPECT_EQ(ask(*one_, "GET a\r\nCLIENT REPLY SKIP\r\nGET a\r\nECHO x\r\n"),
            "$1\r\n1\r\n$1\r\nx\r\n");
  EXPECT_EQ(ask(*one_, "CLIENT REPLY SKIP\r\nCLIENT ID\r\nECHO x\r\n"), "$1\r\nx\r\n");
  EXPECT_THAT(ask(*one_, "CLIENT REPLY\r\nCLIENT REPLY x\r\n"), StartsWith("-ERR wrong number"));
}

}  // namespace
}  // namespace partywall::cache
