#include <gtest/gtest.h>

#include "sql/console/console_fsm.h"
#include "sql/messages.h"
#include "sql/wire/sql_error.h"

namespace partywall::sql {
namespace {

using namespace testing;

std::string sqlstate_of(const Message& message) {
  return std::string(read_server_error(message.body)->sqlstate);
}

// What the console answers to these bytes, as the types of its messages; SHOW gets `rows`.
struct Operator {
  explicit Operator(ConsoleRights rights = ConsoleRights::kOperate) : fsm(rights) {}

  std::vector<Message> send(std::string_view bytes, size_t split = SIZE_MAX) {
    while (true) {
      unread.append(bytes.substr(0, split));
      bytes.remove_prefix(std::min(split, bytes.size()));
      std::string_view input = unread;
      do {
        fsm.receive(input, out);
        if (!fsm.wanted()) break;
        commands.push_back(*fsm.wanted());
        fsm.answer(answer, out);
      } while (true);
      unread.erase(0, unread.size() - input.size());
      if (bytes.empty() || fsm.is_finished()) return take_messages(out);
    }
  }
  std::string types(std::string_view bytes, size_t split = SIZE_MAX) {
    std::string said;
    for (const Message& message : send(bytes, split)) said.push_back(message.type);
    return said;
  }

  ConsoleFsm fsm;
  ConsoleAnswer answer{.error = {}, .rows = {{"partywall 0"}}};
  std::vector<ConsoleCommand> commands;
  std::string unread;
  std::string out;
};

TEST(ConsoleCommand, IsUnderstoodInAnyCaseAndWithOrWithoutSemicolon) {
  for (const char* text : {"SHOW CLIENTS", "show clients;", " Show /* all */ \"clients\" ; "}) {
    const auto command = parse_console_command(text);
    ASSERT_TRUE(command) << text;
    EXPECT_EQ(command->action, ConsoleAction::kShow);
    EXPECT_EQ(command->view, ConsoleView::kClients);
  }
  EXPECT_EQ(parse_console_command(" ; ")->action, ConsoleAction::kEmpty);
  EXPECT_EQ(parse_console_command("PAUSE")->subject, "");
  EXPECT_EQ(parse_console_command("pause main-2")->subject, "main-2");
  EXPECT_EQ(parse_console_command("KILL TENANT acme-7")->subject, "acme-7");
  EXPECT_EQ(parse_console_command("KILL TENANT \"acme-7\"")->subject, "acme-7");
  EXPECT_EQ(parse_console_command("KILL CLIENT 16777217")->client, 16'777'217U);
}

TEST(ConsoleCommand, RefusesEverythingElseAndSaysWhatWasMeant) {
  for (const char* text :
       {"SELECT 1", "SHOW", "SHOW secrets", "KILL", "KILL acme", "KILL CLIENT acme",
        "KILL CLIENT -1", "KILL CLIENT 4294967296", "KILL TENANT", "SHOW CLIENTS; KILL TENANT acme",
        "PAUSE a b c;d", "RELOAD now", "'", "$$", "/* open"}) {
    const auto command = parse_console_command(text);
    ASSERT_FALSE(command) << text;
    EXPECT_EQ(command.error().sqlstate, sqlstate::kSyntaxError) << text;
  }
  EXPECT_NE(parse_console_command("SHWO POOLS").error().message.find("did you mean 'show'"),
            std::string::npos);
  EXPECT_NE(parse_console_command("SHOW POOL").error().message.find("did you mean 'pools'"),
            std::string::npos);
}

TEST(ConsoleCommand, ThoseWhoMayLookMayNotOperate) {
  for (const char* text :
       {"PAUSE", "RESUME", "RECONNECT", "KILL TENANT acme", "KILL CLIENT 1", "RELOAD"}) {
    const auto command = parse_console_command(text);
    ASSERT_TRUE(command);
    EXPECT_TRUE(check_rights(*command, ConsoleRights::kLook)) << text;
    EXPECT_FALSE(check_rights(*command, ConsoleRights::kOperate)) << text;
  }
  EXPECT_FALSE(check_rights(*parse_console_command("SHOW STATS"), ConsoleRights::kLook));
}

TEST(ConsoleView, IsDescribedInTheOrderOfItsEnumeration) {
  for (const ConsoleViewInfo& info : console_views()) EXPECT_EQ(&info_of(info.view), &info);
}

TEST(ConsoleFsm, AnswersQueriesHoweverTheyArrive) {
  const std::string bytes = query("SHOW VERSION") + query("") + query("BEGIN") + query("nonsense") +
                            query("RELOAD") + message('X');
  for (const size_t split : {size_t{1}, size_t{7}, bytes.size()}) {
    Operator one;
    EXPECT_EQ(one.types(bytes, split),
              "TDCZ"
              "IZ"
              "CZ"
              "EZ"
              "CZ");
    ASSERT_EQ(one.commands.size(), 2U);
    EXPECT_EQ(one.commands[1].action, ConsoleAction::kReload);
    EXPECT_TRUE(one.fsm.is_finished());
  }
}

TEST(ConsoleFsm, SpeaksTheExtendedProtocol) {
  Operator one;
  EXPECT_EQ(one.types(parse("", "SHOW VERSION") + bind("", "") + target('D', 'P', "") + execute() +
                      sync()),
            "12TDCZ");
  EXPECT_EQ(one.types(parse("s", "RELOAD") + target('D', 'S', "s") + sync()), "1tnZ");
  EXPECT_EQ(one.types(bind("p", "s") + execute("p") + target('C', 'S', "s") + sync()), "2C3Z");
  EXPECT_EQ(one.types(bind("p", "s") + sync()), "EZ") << "it was closed";
}

TEST(ConsoleFsm, AfterAnErrorItSkipsToSync) {
  Operator one;
  const auto said = one.send(parse("", "nonsense") + bind("", "") + execute() + query("RELOAD") +
                             sync() + query("SHOW VERSION"));
  ASSERT_EQ(said.size(), 6U);
  EXPECT_EQ(sqlstate_of(said[0]), sqlstate::kSyntaxError);
  EXPECT_EQ(said[1].type, 'Z');
  ASSERT_EQ(one.commands.size(), 1U);
  EXPECT_TRUE(one.commands[0].shows());
}

TEST(ConsoleFsm, TakesNoParametersAndAnswersAsTextOnly) {
  Operator one;
  EXPECT_EQ(one.types(parse("", "SHOW VERSION") + bind("", "", {"x"}) + sync()), "1EZ");
  std::string binary;
  MessageWriter(binary, 'B').c_string("").c_string("").u16(0).u16(0).u16(1).u16(1);
  EXPECT_EQ(one.types(binary + sync()), "EZ");
}

TEST(ConsoleFsm, KeepsABoundedNumberOfStatements) {
  Operator one;
  for (size_t i = 0; i < ConsoleFsm::kMaxStatements; ++i)
    EXPECT_EQ(one.types(parse(std::to_string(i), "SHOW VERSION") + sync()), "1Z");
  EXPECT_EQ(one.types(parse("more", "SHOW VERSION") + sync()), "EZ");
  EXPECT_EQ(one.types(parse("0", "SHOW VERSION") + sync()), "EZ") << "it is there already";
}

TEST(ConsoleFsm, OperatingNeedsTheRight) {
  Operator one(ConsoleRights::kLook);
  const auto said = one.send(query("KILL TENANT acme"));
  ASSERT_EQ(said.size(), 2U);
  EXPECT_EQ(sqlstate_of(said[0]), sqlstate::kInsufficientPrivilege);
  EXPECT_EQ(one.types(parse("", "PAUSE") + bind("", "") + execute() + sync()), "12EZ");
  EXPECT_TRUE(one.commands.empty());
}

TEST(ConsoleFsm, WhatIsNoProtocolEndsIt) {
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\n"), message('Q', "SHOW VERSION"), message('B', "x"),
        message('d', "copy"), message('F', "call"), query(std::string(20'000, ' '))}) {
    Operator one;
    const auto said = one.send(bytes);
    ASSERT_EQ(said.size(), 1U) << bytes.substr(0, 20);
    EXPECT_EQ(sqlstate_of(said[0]), sqlstate::kProtocolViolation);
    EXPECT_TRUE(one.fsm.is_finished());
  }
}

TEST(ConsoleFsm, AnErrorOfACommandIsPassedOn) {
  Operator one;
  one.answer.error = SqlError{.sqlstate = sqlstate::kUndefinedObject, .message = "no", .hint = {}};
  EXPECT_EQ(one.types(query("KILL CLIENT 1")), "EZ");
}

TEST(ConsoleView, NullsAndTypesAreWrittenAsPostgresqlDoes) {
  std::string out;
  append_row_description(out, info_of(ConsoleView::kVersion).columns);
  append_data_row(out, {std::nullopt, "t"});
  const auto messages = take_messages(out);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[1].body, std::string("\0\2\xff\xff\xff\xff\0\0\0\1t", 11));
}

}  // namespace
}  // namespace partywall::sql
