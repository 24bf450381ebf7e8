#include "migrate/apply/applier.h"

#include <gmock/gmock.h>

#include "migrate/apply/stream_bytes.h"

namespace partywall::migrate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kMe = "aaaaaaaa-0000-4000-8000-000000000001";
const std::string kOther = "bbbbbbbb-0000-4000-8000-000000000002";
const Uuid kTenant = *Uuid::parse(kMe);

// Writes down what is done: "BEGIN", "UPDATE of public.film 1,x", "COMMIT 140", "pass 140".
class FakeTarget final : public ApplySink {
 public:
  Result<> begin() override { return note("BEGIN"); }
  Result<> change(const ChangeStatement& statement,
                  std::span<const pgoutput::Value> values) override {
    std::string line = statement.doing;
    for (size_t i = 0; i < values.size(); ++i) {
      line += i == 0 ? " " : ",";
      line += values[i].kind == pgoutput::ValueKind::kNull ? "NULL" : values[i].text;
    }
    statements.push_back(statement);
    return note(line);
  }
  Result<> commit(TransactionEnd end) override {
    fences = end.fences;
    return note(fmt::format("COMMIT {}", end.end.value));
  }
  Result<> pass(TransactionEnd end) override {
    fences = end.fences;
    return note(fmt::format("pass {}", end.end.value));
  }

  std::vector<std::string> done;
  std::vector<ChangeStatement> statements;
  std::vector<std::string> fences;

 private:
  Result<> note(std::string line) {
    done.push_back(std::move(line));
    return {};
  }
};

StreamTables target_tables(bool has_tenant) {
  StreamTable table{.schema = "public", .name = "film", .columns = {}};
  table.columns = {{.name = "id", .type = "23", .type_id = 23, .is_primary = true},
                   {.name = "title", .type = "25", .type_id = 25, .can_be_left_out = true},
                   {.name = "blurb", .type = "25", .type_id = 25, .can_be_left_out = true}};
  if (has_tenant)
    table.columns.push_back(
        {.name = "tenant_id", .type = "uuid", .type_id = 2950, .is_primary = true});
  StreamTables tables;
  tables.emplace(std::pair("public", "film"), std::move(table));
  return tables;
}

class ApplierTest : public testing::Test {
 protected:
  void start(TenantColumns columns, size_t max_statements = 100, TableBeginnings begins = {}) {
    tables_ = target_tables(columns.target.has_value());
    applier_.emplace(
        ApplierSettings{.tenant = std::move(columns),
                        .skipped_origin = "the_way_back",
                        .begins = std::move(begins),
                        .max_statements = max_statements},
        tables_,
        [this](uint32_t type, int32_t) -> Result<std::string> {
          ++types_asked_;
          return type == 2950 ? "uuid" : std::to_string(type);
        },
        target_);
  }

  void SetUp() override {
    start({.tenant = kTenant, .source = std::nullopt, .target = "tenant_id"});
  }

  void start_shared() {
    start({.tenant = kTenant, .source = "tenant_id", .target = std::nullopt});
    feed({shared_relation_});
  }

  Result<> take(const std::string& bytes) {
    pgoutput::Message message;
    if (auto decoded = pgoutput::decode(bytes, message); !decoded) return decoded;
    return applier_->take(message);
  }

  void feed(const std::vector<std::string>& messages) {
    for (const std::string& bytes : messages) {
      const auto taken = take(bytes);
      ASSERT_TRUE(taken) << taken.error().message;
    }
  }

  // All of it within one transaction, the relation described before.
  std::vector<std::string> done_by(const std::vector<std::string>& messages) {
    target_.done.clear();
    feed({begin_bytes(100)});
    feed(messages);
    feed({commit_bytes(100, 140)});
    return target_.done;
  }

  const std::string relation_ =
      relation_bytes(7, "film", {{"id", 23, true}, {"title", 25, false}, {"blurb", 25, false}});
  const std::string shared_relation_ = relation_bytes(
      7, "film",
      {{"id", 23, true}, {"title", 25, false}, {"blurb", 25, false}, {"tenant_id", 2950, true}});
  StreamTables tables_;
  FakeTarget target_;
  int types_asked_ = 0;
  std::optional<Applier> applier_;
};

TEST_F(ApplierTest, ATransactionIsAppliedAsOne) {
  EXPECT_THAT(
      done_by({relation_, insert_bytes(7, {"1", "a", std::nullopt}),
               update_bytes(7, {"1", "b", std::nullopt}), delete_bytes(7, {"1", {}, {}})}),
      ElementsAre("BEGIN", "INSERT into public.film 1,a,NULL", "UPDATE of public.film b,NULL,1",
                  "DELETE from public.film 1", "COMMIT 140"));
  EXPECT_EQ(applier_->counts().applied(), 3u);
}

TEST_F(ApplierTest, AnUnchangedValueIsLeftOut) {
  EXPECT_THAT(done_by({relation_, update_bytes(7, {"1", "b", kUnchangedValue})}),
              ElementsAre("BEGIN", "UPDATE of public.film b,1", "COMMIT 140"));
  EXPECT_THAT(target_.statements.back().sql, testing::Not(HasSubstr("blurb")));
}

TEST_F(ApplierTest, AKeyThatChangesIsSetWhereTheOldOneIs) {
  EXPECT_THAT(
      done_by({relation_, update_bytes(7, {"2", "b", kUnchangedValue}, 'K', {"1", {}, {}})}),
      ElementsAre("BEGIN", "UPDATE of public.film 2,b,1", "COMMIT 140"));
}

TEST_F(ApplierTest, AnUpdateThatChangesNothingIsNoStatement) {
  EXPECT_THAT(done_by({relation_, update_bytes(7, {"1", kUnchangedValue, kUnchangedValue})}),
              ElementsAre("pass 140"));
}

TEST_F(ApplierTest, TruncateDeletesTheTenantsRows) {
  EXPECT_THAT(done_by({relation_, truncate_bytes({7})}),
              ElementsAre("BEGIN", "TRUNCATE of public.film", "COMMIT 140"));
  EXPECT_THAT(target_.statements.back().sql, HasSubstr(kMe));
}

TEST_F(ApplierTest, WhatTheWayBackAppliedIsPassedOver) {
  EXPECT_THAT(done_by({origin_bytes("the_way_back"), relation_, insert_bytes(7, {"1", "a", {}}),
                       truncate_bytes({7})}),
              ElementsAre("pass 140"));
  // The relation counts all the same: the stream describes it once.
  EXPECT_THAT(done_by({insert_bytes(7, {"1", "a", {}})}), testing::SizeIs(3));
  EXPECT_THAT(done_by({origin_bytes("somebody"), insert_bytes(7, {"1", "a", {}})}),
              testing::SizeIs(3));
}

// Commits are at 100. A snapshot shows what committed before its place, and nothing of what
// committed at it.
TEST_F(ApplierTest, WhatATableWasCopiedWithIsPassedOver) {
  const std::vector<std::string> changes{relation_, insert_bytes(7, {"1", "a", {}}),
                                         update_bytes(7, {"1", "b", {}}),
                                         delete_bytes(7, {"1", {}, {}}), truncate_bytes({7})};
  const TenantColumns columns{.tenant = kTenant, .source = std::nullopt, .target = "tenant_id"};
  for (const uint64_t place : {101U, 4'000'000'000U}) {
    start(columns, 100, {{{"public", "film"}, Lsn{place}}});
    EXPECT_THAT(done_by(changes), ElementsAre("pass 140")) << place;
    EXPECT_EQ(applier_->counts().applied(), 0U);
  }
  for (const uint64_t place : {0U, 99U, 100U}) {
    start(columns, 100, {{{"public", "film"}, Lsn{place}}});
    EXPECT_THAT(done_by(changes), testing::SizeIs(6)) << place;
  }
  // Of another table.
  start(columns, 100, {{{"public", "actor"}, Lsn{101}}, {{"other", "film"}, Lsn{101}}});
  EXPECT_THAT(done_by(changes), testing::SizeIs(6));
}

TEST_F(ApplierTest, FencesAreOfTheTransactionThatHasThem) {
  EXPECT_THAT(done_by({message_bytes("other", "x"), message_bytes("partywall", "fence"),
                       message_bytes("partywall", "now", false)}),
              ElementsAre("pass 140"));
  EXPECT_THAT(target_.fences, ElementsAre("fence"));
  done_by({});
  EXPECT_THAT(target_.fences, IsEmpty());
}

// Everybody who may connect to the source can write such messages.
TEST_F(ApplierTest, FencesAreFewAndShort) {
  std::vector<std::string> messages{message_bytes("partywall", std::string(201, 'x')),
                                    message_bytes("partywall", std::string(200, 'y'))};
  for (int i = 0; i < 100; ++i) messages.push_back(message_bytes("partywall", "z"));
  EXPECT_THAT(done_by(messages), ElementsAre("pass 140"));
  EXPECT_EQ(target_.fences.size(), kMostFences);
  EXPECT_EQ(target_.fences.front(), std::string(200, 'y'));
}

TEST_F(ApplierTest, ATableThatIsDescribedAgainAsItWasIsNotPreparedAgain) {
  done_by({relation_, insert_bytes(7, {"1", "a", {}})});
  const int asked = types_asked_;
  done_by({relation_, insert_bytes(7, {"2", "a", {}})});
  EXPECT_EQ(types_asked_, asked);
  EXPECT_EQ(target_.statements[0].number, target_.statements[1].number);
}

TEST_F(ApplierTest, ATableThatIsDescribedOtherwiseIsPreparedAgain) {
  done_by({relation_, insert_bytes(7, {"1", "a", {}})});
  done_by({relation_bytes(7, "film", {{"id", 23, true}, {"blurb", 25, false}}),
           insert_bytes(7, {"2", "b"})});
  EXPECT_NE(target_.statements[0].sql, target_.statements[1].sql);
  EXPECT_NE(target_.statements[0].number, target_.statements[1].number);
}

TEST_F(ApplierTest, OfASharedSourceOnlyTheTenantsRowsAreTaken) {
  start_shared();
  EXPECT_THAT(
      done_by({insert_bytes(7, {"1", "a", {}, kOther}), insert_bytes(7, {"1", "b", {}, kMe}),
               update_bytes(7, {"1", "c", {}, kOther}), update_bytes(7, {"1", "d", {}, kMe}),
               delete_bytes(7, {"1", {}, {}, kOther}), delete_bytes(7, {"1", {}, {}, kMe})}),
      ElementsAre("BEGIN", "INSERT into public.film 1,b,NULL", "UPDATE of public.film d,NULL,1",
                  "DELETE from public.film 1", "COMMIT 140"));
  EXPECT_EQ(applier_->counts().foreign, 3u);
}

TEST_F(ApplierTest, ARowThatChangesItsTenantComesOrGoes) {
  start_shared();
  EXPECT_THAT(done_by({update_bytes(7, {"1", "a", {}, kOther}, 'K', {"1", {}, {}, kMe})}),
              ElementsAre("BEGIN", "DELETE from public.film 1", "COMMIT 140"));
  EXPECT_THAT(done_by({update_bytes(7, {"1", "a", {}, kMe}, 'K', {"1", {}, {}, kOther})}),
              ElementsAre("BEGIN", "INSERT into public.film 1,a,NULL", "COMMIT 140"));
  EXPECT_THAT(done_by({update_bytes(7, {"2", "a", {}, kOther}, 'K', {"1", {}, {}, kOther})}),
              ElementsAre("pass 140"));
}

TEST_F(ApplierTest, ARowThatComesWithoutAllItsValuesStopsTheStream) {
  start_shared();
  feed({begin_bytes(100)});
  const auto taken =
      take(update_bytes(7, {"1", "a", kUnchangedValue, kMe}, 'K', {"1", {}, {}, kOther}));
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("REPLICA IDENTITY FULL"));
}

TEST_F(ApplierTest, AFullOldRowHasTheValuesThatDidNotChange) {
  start_shared();
  EXPECT_THAT(
      done_by({update_bytes(7, {"1", "a", kUnchangedValue, kMe}, 'O', {"1", "a", "long", kOther})}),
      ElementsAre("BEGIN", "INSERT into public.film 1,a,long", "COMMIT 140"));
}

TEST_F(ApplierTest, ARowOfNobodyStopsTheStream) {
  start_shared();
  feed({begin_bytes(100)});
  EXPECT_FALSE(take(insert_bytes(7, {"1", "a", {}, std::nullopt})));
}

TEST_F(ApplierTest, ATableThatChangedStopsTheStreamAtItsFirstRow) {
  feed({begin_bytes(100),
        relation_bytes(7, "film", {{"id", 20, true}, {"title", 25, false}, {"blurb", 25, false}})});
  const auto taken = take(insert_bytes(7, {"1", "a", {}}));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, ErrorKind::kConflict);
  EXPECT_THAT(taken.error().message, HasSubstr("id is 20 in the source, 23 in the target"));
  EXPECT_THAT(target_.done, IsEmpty());
}

TEST_F(ApplierTest, AStreamOutOfOrderIsRefused) {
  EXPECT_FALSE(take(commit_bytes(100, 140)));
  EXPECT_FALSE(take(insert_bytes(7, {"1", "a", {}})));
  EXPECT_FALSE(take(origin_bytes("x")));
  EXPECT_FALSE(take(message_bytes("partywall", "x")));
  feed({begin_bytes(100)});
  EXPECT_FALSE(take(begin_bytes(200)));
  EXPECT_FALSE(take(insert_bytes(8, {"1"})));
  EXPECT_FALSE(take(truncate_bytes({8})));
  EXPECT_FALSE(take(commit_bytes(101, 140)));
  feed({relation_});
  EXPECT_FALSE(take(insert_bytes(7, {"1"})));
  EXPECT_FALSE(take(update_bytes(7, {"1", "a", {}}, 'K', {"1"})));
  feed({insert_bytes(7, {"1", "a", {}})});
  EXPECT_FALSE(take(origin_bytes("late")));
}

TEST_F(ApplierTest, StatementsArePreparedOnceForEachShape) {
  done_by({relation_, update_bytes(7, {"1", "b", "c"}), update_bytes(7, {"2", "b", "c"}),
           update_bytes(7, {"2", "b", kUnchangedValue})});
  const auto& statements = target_.statements;
  EXPECT_EQ(statements[0].number, statements[1].number);
  EXPECT_NE(statements[1].number, statements[2].number);
}

TEST_F(ApplierTest, BeyondTheLimitStatementsAreNotKept) {
  start({.tenant = kTenant, .source = std::nullopt, .target = "tenant_id"}, 4);
  done_by({relation_, update_bytes(7, {"1", "b", "c"}),
           update_bytes(7, {"1", "b", kUnchangedValue}),
           update_bytes(7, {"1", kUnchangedValue, "c"}), update_bytes(7, {"1", "b", "c"})});
  const auto& statements = target_.statements;
  EXPECT_EQ(statements[0].number, 4u);
  EXPECT_EQ(statements[1].number, kNotPrepared);
  EXPECT_EQ(statements[2].number, kNotPrepared);
  EXPECT_NE(statements[1].sql, statements[2].sql);
  EXPECT_EQ(statements[3].number, 4u);
}

}  // namespace
}  // namespace partywall::migrate
