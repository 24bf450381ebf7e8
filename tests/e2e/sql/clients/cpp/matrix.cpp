// libpqxx, with a connection for each thread instead of a pool; and libpq's rows one by one, COPY TO and pipeline.
#include <libpq-fe.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <pqxx/pqxx>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

const std::string kText = "žluť 'x' \"y\" \\ 😀";
const std::string kLarge = "SELECT n, md5(n::text) AS hash FROM generate_series(1, 100000) n";
const std::string kStored =
    "SELECT concat_ws('|', id, i, t, n, extract(epoch FROM at), encode(raw, 'hex'), u, doc, tags, numbers, yes) FROM samples ORDER BY id";
const std::string kOtherTenant = "bbbbbbbb-0000-4000-8000-000000000002";
bool is_application = false;

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// A list of values that are JSON already.
std::string list(const std::vector<std::string>& values) {
  std::string out;
  for (const auto& value : values) out += (out.empty() ? "" : ",") + value;
  return "[" + out + "]";
}

std::string column(const pqxx::result& rows) {
  std::vector<std::string> values;
  for (const auto& row : rows) values.push_back(row[0].is_null() ? "null" : quoted(row[0].c_str()));
  return list(values);
}

void say(const std::string& step, const std::string& saw) {
  std::cout << "{\"step\":" << quoted(step) << ",\"saw\":" << saw << "}" << std::endl;
}

std::string options(const std::string& tenant) { return "user=" + (is_application ? "app" : tenant); }

std::string enter(const std::string& tenant) {
  if (!is_application) return "";
  return std::string("SET LOCAL app.current_tenant = '") + std::getenv(tenant == "acme" ? "ACME" : "GLOBEX") + "'";
}

struct Transaction : pqxx::work {
  Transaction(pqxx::connection& connection, const std::string& tenant) : pqxx::internal::namedclass("transaction"), pqxx::work(connection) {
    if (is_application) exec0(enter(tenant));
  }
};

// libpq's own connection, in a transaction of acme.
PGconn* begun() {
  PGconn* raw = PQconnectdb(options("acme").c_str());
  PQclear(PQexec(raw, "BEGIN"));
  if (is_application) PQclear(PQexec(raw, enter("acme").c_str()));
  return raw;
}

template <typename Work>
auto transaction(pqxx::connection& connection, const std::string& tenant, Work work) {
  Transaction sql(connection, tenant);
  auto result = work(sql);
  sql.commit();
  return result;
}

std::string sqlstate(const std::function<void()>& attempt) {
  try {
    attempt();
  } catch (const pqxx::insufficient_privilege&) {  // version 6 leaves its SQLSTATE out
    return quoted("42501");
  } catch (const pqxx::sql_error& error) {
    return quoted(error.sqlstate());
  }
  return quoted("no error");
}

std::string notes(pqxx::transaction_base& sql) { return column(sql.exec("SELECT body FROM notes")); }
std::string notes(pqxx::connection& a) { return transaction(a, "acme", [](auto& sql) { return notes(sql); }); }

void prepared(pqxx::connection& a, pqxx::connection& second, pqxx::connection& b) {
  std::vector<std::string> seen;
  std::set<int> pids;
  std::unique_ptr<Transaction> held;
  a.prepare("again", "SELECT $1::int + 1, body, pg_backend_pid() FROM notes");
  for (int n = 0; n < 20; ++n) {
    if (n % 4 == 0) {
      held = std::make_unique<Transaction>(second, "acme");
      held->exec("SELECT 1");
    }
    if (n % 4 == 3) {
      held->commit();
      held.reset();
    }
    transaction(b, "globex", [](auto& sql) { return sql.exec("SELECT 1"); });
    const auto row = transaction(a, "acme", [n](auto& sql) { return sql.exec_prepared1("again", n); });
    seen.push_back(list({row[0].c_str(), quoted(row[1].c_str())}));
    pids.insert(row[2].as<int>());
  }
  say("prepared", list(seen));
  say("backends", std::to_string(pids.size()));
}

void types(pqxx::connection& a) {
  a.prepare("insert", "INSERT INTO samples (id, i, t, n, at, raw, u, doc, tags, numbers, yes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
  transaction(a, "acme", [](auto& sql) {
    return sql.exec_prepared("insert", 1, -2147483647 - 1, kText, "12345678901234567890.0123456789", "2026-02-28 23:59:59.123Z",
                             pqxx::binarystring(std::string("\0\1'\\\xff", 5)), "0f0e0d0c-0b0a-4908-8706-050403020100", R"({"a": [1, null, "\""]})",
                             R"({a,"b,c","\"",ä,NULL})", "{1,-2,3}", true);
  });
  const char* none = nullptr;
  transaction(a, "acme", [none](auto& sql) { return sql.exec_prepared("insert", 2, none, none, none, none, none, none, none, none, none, none); });
  say("stored", transaction(a, "acme", [](auto& sql) { return column(sql.exec(kStored)); }));
  const auto rows = transaction(a, "acme", [](auto& sql) {
    return sql.exec("SELECT i, t, n, at, raw, u, doc, tags, numbers, yes FROM samples ORDER BY id");
  });
  std::vector<std::string> read;
  for (const auto& row : rows) {
    for (const auto& field : row) read.push_back(field.is_null() ? "null" : quoted(field.c_str()));
  }
  say("types", list(read));
}

void failures(pqxx::connection& a) {
  const std::string count = "SELECT count(*) FROM samples";
  std::string inside;
  {
    Transaction sql(a, "acme");
    sql.exec_params("DELETE FROM samples WHERE id = $1", 1);
    inside = sql.exec1(count)[0].c_str();
    sql.abort();
  }
  say("rollback", list({inside, transaction(a, "acme", [&](auto& sql) { return std::string(sql.exec1(count)[0].c_str()); })}));
  std::vector<std::string> errors;
  {
    // libpqxx itself refuses what comes behind an error, so libpq says it.
    Transaction sql(a, "acme");
    errors.push_back(sqlstate([&] { sql.exec("INSERT INTO samples (id) VALUES (1)"); }));
  }
  PGconn* raw = begun();
  PQclear(PQexec(raw, "SELECT 1/0"));
  PGresult* refused = PQexec(raw, "SELECT 1");
  errors.push_back(quoted(PQresultErrorField(refused, PG_DIAG_SQLSTATE)));
  PQclear(refused);
  PQfinish(raw);
  errors.push_back(notes(a));
  say("error", list(errors));
  say("savepoint", transaction(a, "acme", [](auto& sql) {
        const std::string state = sqlstate([&] {
          pqxx::subtransaction inner(sql, "inner");
          inner.exec("SELECT 1/0");
        });
        const auto rows = sql.exec("SELECT body FROM notes");
        return list({state, quoted(rows[0][0].c_str())});
      }));
}

std::string sums(size_t count, long long sum) { return "{\"rows\":" + std::to_string(count) + ",\"sum\":" + std::to_string(sum) + "}"; }

void large(pqxx::connection& a) {
  say("large", transaction(a, "acme", [](auto& sql) {
        const auto rows = sql.exec(kLarge);
        long long sum = 0;
        for (const auto& row : rows) sum += row[0].template as<int>();
        return sums(rows.size(), sum);
      }));
  PGconn* raw = begun();
  PQsendQuery(raw, kLarge.c_str());
  PQsetSingleRowMode(raw);
  size_t count = 0;
  long long sum = 0;
  while (PGresult* row = PQgetResult(raw)) {
    if (PQresultStatus(row) == PGRES_SINGLE_TUPLE) {
      ++count;
      sum += std::atoi(PQgetvalue(row, 0, 0));
    }
    PQclear(row);
  }
  PQfinish(raw);
  say("stream", sums(count, sum));
}

void cancelled(pqxx::connection& a) {
  std::thread later;
  const std::string state = sqlstate([&] {
    Transaction sql(a, "acme");
    sql.exec("SELECT 1");
    later = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      a.cancel_query();
    });
    sql.exec("SELECT pg_sleep(30)");
  });
  later.join();
  say("cancelled", list({state, notes(a)}));
}

void copy(pqxx::connection& a) {
  const std::string stored = transaction(a, "acme", [](auto& sql) {
    pqxx::stream_to in(sql, "imports", std::vector<std::string>{"id", "body"});
    for (int n = 1; n <= 1000; ++n) in << std::make_tuple(n, std::string("ä\tb"));
    in.complete();
    return std::string(sql.exec1("SELECT count(*) FROM imports WHERE body = E'ä\\tb'")[0].c_str());
  });
  PGconn* raw = begun();
  PQclear(PQexec(raw, "COPY (SELECT id, body FROM imports) TO STDOUT"));
  int count = 0, sum = 0;
  for (char* line = nullptr; PQgetCopyData(raw, &line, 0) > 0; PQfreemem(line)) {
    ++count;
    sum += std::atoi(line);
  }
  PQfinish(raw);
  say("copied", "{\"in\":" + stored + ",\"out\":" + std::to_string(count) + ",\"sum\":" + std::to_string(sum) + "}");
  say("copy refused", sqlstate([&] {
        Transaction sql(a, "acme");
        pqxx::stream_to in(sql, "imports", std::vector<std::string>{"id", "body"});
        in << std::make_tuple(1000, std::string("twice"));
        in.complete();
      }));
}

// pqxx::pipeline puts statements together; libpq's pipeline mode does not wait for answers.
void pipelined(pqxx::connection& a) {
  std::vector<std::string> numbers;
  {
    Transaction sql(a, "acme");
    pqxx::pipeline pipe(sql);
    std::vector<pqxx::pipeline::query_id> ids;
    for (int n = 0; n < 50; ++n) ids.push_back(pipe.insert("SELECT " + std::to_string(n)));
    for (const auto id : ids) numbers.push_back(pipe.retrieve(id)[0][0].c_str());
    pipe.complete();
    sql.commit();
  }
  PGconn* raw = PQconnectdb(options("acme").c_str());
  PQenterPipelineMode(raw);
  const char* divisor = "0";
  for (const std::string& statement : {std::string("BEGIN"), enter("acme"), std::string("SELECT 1")}) {
    if (!statement.empty()) PQsendQueryParams(raw, statement.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0);
  }
  PQsendQueryParams(raw, "SELECT 1/$1::int", 1, nullptr, &divisor, nullptr, nullptr, 0);
  PQsendQueryParams(raw, "SELECT 2", 0, nullptr, nullptr, nullptr, nullptr, 0);
  PQpipelineSync(raw);
  std::string state = "no error";
  for (bool is_over = false; !is_over;) {
    PGresult* result = PQgetResult(raw);
    if (!result) continue;
    if (PQresultStatus(result) == PGRES_FATAL_ERROR) state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    is_over = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
    PQclear(result);
  }
  PQfinish(raw);
  say("pipelined", list({list(numbers), quoted(state), notes(a)}));
}

void neighbour(pqxx::connection& a) {
  say("neighbour",
      list({transaction(a, "acme", [](auto& sql) { return column(sql.exec("SELECT body FROM notes WHERE body LIKE '%globex%'")); }),
            transaction(a, "acme", [](auto& sql) {
              return std::to_string(sql.exec("UPDATE notes SET body = 'taken' WHERE body LIKE '%globex%'").affected_rows());
            }),
            sqlstate([&] { Transaction(a, "acme").exec_params("INSERT INTO notes (tenant_id, body) VALUES ($1, 'planted')", kOtherTenant); })}));
}

void application(pqxx::connection& a) {
  std::vector<std::string> switched;
  a.prepare("read", "SELECT body FROM notes WHERE id > $1");
  for (int n = 0; n < 6; ++n) {
    const auto rows = transaction(a, n % 2 == 0 ? "acme" : "globex", [](auto& sql) { return sql.exec_prepared("read", 0); });
    for (const auto& row : rows) switched.push_back(quoted(row[0].c_str()));
  }
  say("switched", list(switched));
  say("nobody", sqlstate([&] { pqxx::nontransaction(a).exec_prepared("read", 0); }));
}

void concurrently() {
  std::map<std::string, std::set<std::string>> found;
  std::vector<std::set<std::string>> each(8);
  std::vector<std::thread> threads;
  for (int n = 0; n < 8; ++n) {
    threads.emplace_back([n, &each] {
      const std::string tenant = n % 2 == 0 ? "acme" : "globex";
      pqxx::connection connection(options(tenant));
      for (int round = 0; round < 13; ++round) {
        const auto rows = transaction(connection, tenant, [](auto& sql) { return sql.exec_params("SELECT body FROM notes WHERE id > $1", 0); });
        for (const auto& row : rows) each[n].insert(quoted(row[0].c_str()));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (int n = 0; n < 8; ++n) found[n % 2 == 0 ? "acme" : "globex"].insert(each[n].begin(), each[n].end());
  const auto values = [&](const char* tenant) { return list({found[tenant].begin(), found[tenant].end()}); };
  say("pool", "{\"acme\":" + values("acme") + ",\"globex\":" + values("globex") + "}");
}

}  // namespace

int main(int, char** arguments) {
  is_application = arguments[1] == std::string("application");
  {
    pqxx::connection a(options("acme")), second(options("acme")), b(options("globex"));
    say("simple", transaction(a, "acme", [](auto& sql) {
          const auto row = sql.exec1("SELECT 1, 'ä'");
          return list({row[0].c_str(), quoted(row[1].c_str()), notes(sql)});
        }));
    const auto row = transaction(a, "acme", [](auto& sql) { return sql.exec_params1("SELECT $1::int, $2::text", 41, kText); });
    say("parameters", list({row[0].c_str(), quoted(row[1].c_str())}));
    prepared(a, second, b);
    types(a);
    failures(a);
    large(a);
    cancelled(a);
    copy(a);
    pipelined(a);
    neighbour(a);
    if (is_application) application(a);
  }
  concurrently();
}
