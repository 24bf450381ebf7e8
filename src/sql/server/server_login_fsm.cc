#include "sql/server/server_login_fsm.h"

#include <charconv>

#include "sql/register_token.h"
#include "sql/wire/field_reader.h"
#include "sql/wire/message.h"
#include "sql/wire/sql_error.h"

namespace partywall::sql {
namespace {

constexpr uint32_t kMaxLoginMessage = 64 * 1024;

// AuthenticationOk and friends (documentation, "Message Formats").
constexpr uint32_t kOk = 0;
constexpr uint32_t kCleartextPassword = 3;
constexpr uint32_t kMd5Password = 5;
constexpr uint32_t kSasl = 10;
constexpr uint32_t kSaslContinue = 11;
constexpr uint32_t kSaslFinal = 12;

// A verifier of a slot role that asks for more was not made by `schema protect`, and deriving keys
// for it would hold up the worker: a million iterations take half a second.
constexpr uint32_t kMaxSlotIterations = 16 * kDefaultScramIterations;

// The function's OID, what statement_names_are_private asks, and the statements that take away
// settings that the role has of its own, in whatever database; the limit on temporary files is
// `schema protect`'s, and no role can set or reset it for itself. Nothing in it depends on
// search_path.
std::string lookup_statement() {
  return fmt::format(
      "SELECT pg_catalog.to_regprocedure('{}')::pg_catalog.oid, "
      "pg_catalog.has_function_privilege('pg_catalog.pg_prepared_statement()', 'EXECUTE'), "
      "(SELECT pg_catalog.string_agg('ALTER ROLE SESSION_USER' OPERATOR(pg_catalog.||) "
      "COALESCE(' IN DATABASE ' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(d.datname), '') "
      "OPERATOR(pg_catalog.||) "
      "' RESET ALL', '; ') "
      "FROM pg_catalog.pg_db_role_setting AS s JOIN pg_catalog.pg_roles AS r "
      "ON r.oid OPERATOR(pg_catalog.=) s.setrole LEFT JOIN pg_catalog.pg_database AS d "
      "ON d.oid OPERATOR(pg_catalog.=) s.setdatabase "
      "WHERE r.rolname OPERATOR(pg_catalog.=) SESSION_USER AND EXISTS "
      "(SELECT FROM pg_catalog.unnest(s.setconfig) AS c "
      "WHERE NOT pg_catalog.starts_with(c, 'temp_file_limit=')))",
      kEnterFunction);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> slot_startup_parameters() {
  return {
      {"client_encoding", "UTF8"},
      {"application_name", "partywall"},
      {"options",
       "-c standard_conforming_strings=on -c row_security=on -c default_transaction_read_only=off "
       "-c statement_timeout=0 -c lock_timeout=0 -c idle_session_timeout=0 "
       "-c idle_in_transaction_session_timeout=0 -c client_connection_check_interval=1000 "
       "-c local_preload_libraries="}};
}

ServerLoginFsm::ServerLoginFsm(ServerLogin login, std::optional<ScramClientKeys> cached_keys,
                               Random& random)
    : login_(std::move(login)),
      scram_(login_.password, std::move(cached_keys), {}, make_scram_nonce(random),
             login_.purpose == ServerLogin::Purpose::kSlot ? kMaxSlotIterations
                                                           : kMaxScramIterations) {}

void ServerLoginFsm::start(std::string& out) {
  std::vector<std::pair<std::string, std::string>> parameters = {{"user", login_.role},
                                                                 {"database", login_.database}};
  parameters.insert(parameters.end(), login_.parameters.begin(), login_.parameters.end());
  append_startup_request(out, parameters);
}

Result<bool> ServerLoginFsm::receive(std::string_view& input, std::string& out) {
  while (state_ != State::kDone) {
    const auto head = read_server_head(input);
    if (!head && head.error() == HeadProblem::kIncomplete) return false;
    if (!head || head->body_length > kMaxLoginMessage)
      return fail(ErrorKind::kInvalid, "the server does not speak PostgreSQL's protocol");
    if (input.size() < head->total_length()) return false;
    const std::string_view body = input.substr(kHeadLength, head->body_length);
    input.remove_prefix(head->total_length());
    if (auto taken = take(head->type, body, out); !taken) return std::unexpected(taken.error());
  }
  return true;
}

std::optional<ScramClientKeys> ServerLoginFsm::keys() const {
  return used_scram_ ? std::optional(scram_.keys()) : std::nullopt;
}

Result<> ServerLoginFsm::take(char type, std::string_view body, std::string& out) {
  FieldReader reader(body);
  switch (type) {
    case 'E':
      return on_error(body);
    case 'N':
      return {};
    case 'S': {
      const std::string_view name = reader.c_string();
      info_.reported.set(name, reader.c_string());
      return {};
    }
    case 'R':
      if (state_ == State::kAuthenticating) return on_authentication(body, out);
      break;
    case 'K':
      if (state_ != State::kStarting || body.size() != 8) break;
      info_.key.pid = reader.u32();
      info_.key.secret = reader.u32();
      return {};
    case 'Z':
      if (state_ != State::kAuthenticating) return on_ready(out);
      break;
    case 'D':
      if (state_ == State::kLookingUp) return on_row(body);
      break;
    case 'T':
    case 'C':
      if (state_ == State::kLookingUp || state_ == State::kHealing) return {};
      break;
    default:
      break;
  }
  return fail(ErrorKind::kInvalid, "the server sent an unexpected message ({}) during the login",
              type);
}

Result<> ServerLoginFsm::on_authentication(std::string_view body, std::string& out) {
  FieldReader reader(body);
  const uint32_t kind = reader.u32();
  switch (kind) {
    case kOk:
      if (used_scram_ && !verified_server_)
        return fail(ErrorKind::kInvalid, "the server did not prove that it knows the password");
      state_ = State::kStarting;
      return {};
    case kSasl:
      return on_mechanisms(reader.rest(), out);
    case kSaslContinue: {
      auto final_message = scram_.respond_to_first(reader.rest());
      // Salt and iterations are those of the role's verifier, which a tenant may have changed.
      if (!final_message)
        return fail(ErrorKind::kDenied, "role {}: {}", login_.role, final_message.error().message);
      MessageWriter(out, 'p').bytes(*final_message);
      return {};
    }
    case kSaslFinal: {
      auto checked = scram_.check_final(reader.rest());
      verified_server_ = checked.has_value();
      return checked;
    }
    case kCleartextPassword:
    case kMd5Password:
      return fail(ErrorKind::kDenied,
                  "role {}: the server asks for the password in an unsafe way; set "
                  "password_encryption to scram-sha-256, set the role's "
                  "password again, and use scram-sha-256 in pg_hba.conf",
                  login_.role);
    default:
      return fail(ErrorKind::kDenied,
                  "role {}: the server asks for authentication method {}; use scram-sha-256",
                  login_.role, kind);
  }
}

Result<> ServerLoginFsm::on_mechanisms(std::string_view list, std::string& out) {
  std::vector<std::string> offered;
  FieldReader reader(list);
  for (std::string_view name = reader.c_string(); reader.ok() && !name.empty();
       name = reader.c_string())
    offered.emplace_back(name);
  auto mechanism = scram_.choose_mechanism(offered);
  if (!mechanism) return std::unexpected(mechanism.error());
  auto first = scram_.first_message();
  if (!first) return std::unexpected(first.error());
  used_scram_ = true;
  MessageWriter(out, 'p')
      .c_string(*mechanism)
      .u32(static_cast<uint32_t>(first->size()))
      .bytes(*first);
  return {};
}

Result<> ServerLoginFsm::on_ready(std::string& out) {
  switch (state_) {
    case State::kStarting:
      if (login_.purpose == ServerLogin::Purpose::kOwner) {
        state_ = State::kDone;
      } else {
        append_query(out, lookup_statement());
        state_ = State::kLookingUp;
      }
      return {};
    case State::kLookingUp:
      if (!has_row_)
        return fail(ErrorKind::kUnavailable, "the server did not answer what was looked up");
      if (!healing_.empty()) {
        append_query(out, healing_);
        state_ = State::kHealing;
        return {};
      }
      if (info_.enter_oid == 0) {
        return fail(ErrorKind::kUnavailable,
                    "database {} has no tenant register: run partywall schema protect",
                    login_.database);
      }
      state_ = State::kDone;
      return {};
    case State::kHealing:
      return fail(ErrorKind::kLimit,
                  "role {} had settings of its own (somebody used ALTER ROLE): they were removed",
                  login_.role);
    default:
      return fail(ErrorKind::kInvalid, "an unexpected ReadyForQuery during the login");
  }
}

Result<> ServerLoginFsm::on_row(std::string_view body) {
  FieldReader reader(body);
  std::array<std::string_view, 3> columns;
  if (reader.u16() != columns.size())
    return fail(ErrorKind::kInvalid, "an unexpected row during the login");
  for (std::string_view& column : columns) {
    const uint32_t length = reader.u32();
    if (length != 0xffffffff) column = reader.bytes(length);
  }
  if (!reader.ok_and_at_end()) return fail(ErrorKind::kInvalid, "a malformed row during the login");
  std::from_chars(columns[0].data(), columns[0].data() + columns[0].size(), info_.enter_oid);
  info_.statement_names_are_private = columns[1] == "f";
  healing_ = columns[2];
  has_row_ = true;
  return {};
}

Result<> ServerLoginFsm::on_error(std::string_view body) {
  const auto error = read_server_error(body);
  if (!error)
    return fail(ErrorKind::kInvalid, "the server sent a malformed error during the login");
  ErrorKind kind = ErrorKind::kUnavailable;
  if (error->sqlstate == sqlstate::kInvalidPassword ||
      error->sqlstate == sqlstate::kInvalidAuthorization)
    kind = ErrorKind::kDenied;
  if (error->sqlstate == sqlstate::kTooManyConnections) kind = ErrorKind::kLimit;
  return fail(kind, "role {}: {} ({})", login_.role, error->message, error->sqlstate);
}

}  // namespace partywall::sql
