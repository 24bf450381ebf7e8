#include "sql/fake_postgres.h"

#include "base/ascii.h"
#include "base/crypto.h"
#include "base/hex.h"
#include "sql/settings.h"
#include "sql/wire/extended_messages.h"
#include "sql/wire/field_reader.h"
#include "sql/wire/sql_error.h"

namespace partywall::sql::testing {

std::string make_fake_token(std::string_view tenant) {
  const Sha256Digest mac = hmac_sha256("key of the fake register", tenant);
  return std::string(tenant) + "|" + to_hex(as_bytes(mac));
}

std::optional<std::string> check_fake_token(const std::string& token) {
  const std::string tenant = token.substr(0, token.find('|'));
  return token == make_fake_token(tenant) ? std::optional(tenant) : std::nullopt;
}

std::string FakePostgres::cancel() {
  if (!std::exchange(is_asleep_, false)) return "";
  fail("57014");
  ready();
  return receive("");
}

std::string FakePostgres::wake_up() {
  if (!std::exchange(is_asleep_, false)) return "";
  append_command_complete(out_, "SELECT 1");
  ready();
  return receive("");
}

std::string FakePostgres::receive(std::string_view bytes) {
  in_.append(bytes);
  for (Message& one : take_messages(in_)) pending_.push_back(std::move(one));
  while (!is_asleep_ && !pending_.empty()) {
    received_.push_back(pending_.front());
    pending_.pop_front();
    take(Message(received_.back()));
    ++received_count_;
  }
  return std::exchange(out_, {});
}

void FakePostgres::start_again() {
  in_.clear();
  pending_.clear();
  out_.clear();
  register_.clear();
  status_ = 'I';
  skipping_ = in_copy_ = is_asleep_ = false;
  statements_.clear();
  portals_.clear();
}

void FakePostgres::take(const Message& one) {
  if (in_copy_) {
    if (one.type == 'd' || one.type == 'S' || one.type == 'H') return;
    in_copy_ = false;
    if (one.type == 'c') {
      append_command_complete(out_, "COPY 1");
    } else {
      fail("57014");
    }
    if (copy_by_query_) ready();
    return;
  }
  if (one.type == 'd' || one.type == 'c' || one.type == 'f') return;
  if (skipping_ && one.type != 'S') return;
  if (fail_at_ == received_count_ && one.type != 'S') {
    fail("XX000");
    if (one.type == 'Q' || one.type == 'F') ready();
    return;
  }
  switch (one.type) {
    case 'Q':
      on_query(one.text());
      break;
    case 'F':
      if (enter_fails) {
        fail("28000");
      } else if (!register_.empty()) {
        fail("55006");
      } else {
        const std::string token =
            one.body.size() < 16 ? "" : one.body.substr(14, one.body.size() - 16);
        if (const auto tenant = check_token(token)) {
          register_ = *tenant;
          MessageWriter(out_, 'V').u32(0);
        } else {
          fail("28000");
        }
      }
      ready();
      break;
    case 'P': {
      const auto parsed = read_parse(one.body);
      const std::string name(parsed->statement);
      if (!name.empty() && statements_.contains(name)) return fail("42P05");
      if (parsed->query == "syntax error") return fail("42601");
      const bool ends =
          parsed->query.starts_with("rollback") || parsed->query.starts_with("commit");
      if (status_ == 'E' && !ends) return fail("25P02");
      statements_[name] = parsed->query;
      append_empty_message(out_, '1');
      break;
    }
    case 'B': {
      const auto bound = read_bind_target(one.body);
      const auto found = statements_.find(std::string(bound->statement));
      if (found == statements_.end()) return fail("26000");
      portals_[std::string(bound->portal)] = found->second;
      bound_values_.clear();
      if (const auto whole = read_bind(one.body)) {
        for (const auto& value : whole->values)
          bound_values_ += value ? "[" + std::string(*value) + "]" : "NULL";
      }
      append_empty_message(out_, '2');
      break;
    }
    case 'D': {
      const auto described = read_target(one.body);
      const auto& names = described->what == 'S' ? statements_ : portals_;
      if (!names.contains(std::string(described->name)))
        return fail(described->what == 'S' ? "26000" : "34000");
      if (described->what == 'S') MessageWriter(out_, 't').u16(0);
      append_empty_message(out_, 'n');
      break;
    }
    case 'E': {
      const auto found = portals_.find(one.text());
      if (found == portals_.end()) return fail("34000");
      copy_by_query_ = false;
      run(found->second);
      break;
    }
    case 'C': {
      const auto closed = read_target(one.body);
      (closed->what == 'S' ? statements_ : portals_).erase(std::string(closed->name));
      append_empty_message(out_, '3');
      break;
    }
    case 'S':
      skipping_ = false;
      ready();
      break;
    default:
      break;
  }
}

void FakePostgres::on_query(const std::string& text) {
  statements_.erase("");
  copy_by_query_ = true;
  run(text);
  skipping_ = false;
  if (!in_copy_ && !is_asleep_) ready();
}

bool FakePostgres::run(const std::string& text) {
  const auto starts = [&](std::string_view word) {
    return equal_ignoring_case(std::string_view(text).substr(0, word.size()), word);
  };
  const auto done = [&](std::string_view tag) {
    append_command_complete(out_, tag);
    return true;
  };
  if (starts("commit") || starts("rollback")) {
    const bool commits = starts("commit") && status_ != 'E';
    status_ = 'I';
    portals_.clear();
    return done(commits ? "COMMIT" : "ROLLBACK");
  }
  if (status_ == 'E') return fail("25P02"), false;
  if (starts("begin")) {
    status_ = 'T';
    return done("BEGIN");
  }
  if (text == "DISCARD ALL" || starts("discard all")) {
    if (status_ != 'I') return fail("25001"), false;
    register_.clear();
    statements_.clear();
    return done("DISCARD ALL");
  }
  if (starts("discard sequences")) {
    register_.clear();
    return done("DISCARD SEQUENCES");
  }
  if (starts("SELECT pg_catalog.to_regprocedure")) {
    MessageWriter(out_, 'D').u16(3).u32(1).bytes("1").u32(1).bytes("f").u32(0xffffffff);
    return done("SELECT 1");
  }
  if (text.contains("No/Such")) return fail("22023"), false;
  if (starts("RESET ") || starts("SELECT pg_catalog.set_config")) return done("SET");
  if (starts("deallocate")) {
    statements_.clear();
    return done("DEALLOCATE ALL");
  }
  if (starts("prepare") || starts("listen")) return done("PREPARE");
  if (starts("set ")) {
    if (starts("set TimeZone") || starts("set DateStyle"))
      append_parameter_status(out_, text.substr(4), "changed");
    return done("SET");
  }
  if (starts("sleep")) return is_asleep_ = true;
  if (starts("SELECT a.attname")) {
    for (const std::string& name : protected_columns)
      MessageWriter(out_, 'D').u16(1).u32(static_cast<uint32_t>(name.size())).bytes(name);
    return done("SELECT 0");
  }
  if (starts("insert into")) {
    if (!insert_error_context.empty()) return fail("22012", insert_error_context), false;
    insert(text);
    return true;
  }
  if (starts("copy in") || starts("copy notes")) {
    in_copy_ = true;
    MessageWriter(out_, 'G').u8(0).u16(0);
    return true;
  }
  if (starts("copy out")) {
    MessageWriter(out_, 'H').u8(0).u16(0);
    MessageWriter(out_, 'd').bytes("line\n");
    append_empty_message(out_, 'c');
    return done("COPY 1");
  }
  if (starts("fail") || starts("refused by")) return fail("22012"), false;
  if (register_.empty() && !starts("global")) return fail("55000"), false;
  for (int row = 0; row < (starts("many") ? 3 : 1); ++row) {
    MessageWriter(out_, 'D').u16(1).u32(static_cast<uint32_t>(register_.size())).bytes(register_);
  }
  return done(starts("many") ? "SELECT 3" : "SELECT 1");
}

void FakePostgres::insert(const std::string& text) {
  inserted += text + " <- " + bound_values_;
  size_t rows = 0;
  for (size_t at = text.find("($"); at != text.npos; at = text.find("($", at + 1)) ++rows;
  append_command_complete(out_, "INSERT 0 " + std::to_string(rows));
}

void FakePostgres::fail(std::string_view sqlstate, std::string_view context) {
  append_error(out_, {.sqlstate = sqlstate,
                      .message = "from the server",
                      .hint = {},
                      .context = std::string(context)});
  if (status_ == 'T') status_ = 'E';
  skipping_ = true;
}

void FakePostgres::ready() {
  skipping_ = false;
  if (status_ == 'I') portals_.clear();
  append_ready_for_query(out_, static_cast<TransactionStatus>(status_));
}

}  // namespace partywall::sql::testing
