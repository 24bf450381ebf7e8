#include "cache/fake_redis.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/crypto.h"
#include "base/hex.h"
#include "cache/glob.h"
#include "cache/resp/resp_writer.h"
#include "cache/scripts/script_prelude.h"
#include "cache/tenant_user.h"

namespace partywall::cache {
namespace {

std::string bulk(std::string_view text) {
  std::string out;
  append_bulk(out, text);
  return out;
}

std::string integer(int64_t value) {
  std::string out;
  append_integer(out, value);
  return out;
}

std::string value_or_empty(const std::map<std::string, std::string>& data, const std::string& key) {
  const auto found = data.find(key);
  return found == data.end() ? "" : found->second;
}

constexpr const char* kOk = "+OK\r\n";
constexpr const char* kNil = "$-1\r\n";

}  // namespace

void FakeRedis::open(std::shared_ptr<UpstreamIo> upstream, const Endpoint&,
                     const std::optional<TlsClientSettings>&) {
  connections.push_back(std::make_unique<Connection>(*this, upstream));
  upstream->set_waker(connections.back().get());
  if (refuse_connections) connections.back()->break_connection();
}

bool FakeRedis::run() {
  bool moved = false;
  for (size_t i = 0; i < connections.size(); ++i) {
    Connection& connection = *connections[i];
    if (!connection.broken()) connection.upstream().turn();
    connection.close_if_wanted();
    if (connection.broken()) continue;
    moved |= !connection.upstream().output().empty();
    connection.take_requests(SIZE_MAX);
    connection.deliver(SIZE_MAX);
    connection.close_if_wanted();
  }
  return moved;
}

void FakeRedis::Connection::take_requests(size_t bytes) {
  if (broken()) return;
  const std::string_view sent = upstream_->output().substr(0, bytes);
  input_ += sent;
  upstream_->sent(sent.size());
  while (!blocked_) {
    const auto status = parser_.parse(input_, {});
    if (status != RequestParser::Status::kRequest) {
      if (status == RequestParser::Status::kInvalid) output_ += "-ERR Protocol error\r\n";
      break;
    }
    Words words;
    ArgumentCursor cursor(parser_.request());
    while (const auto word = cursor.next()) words.emplace_back(*word);
    words[0] = to_lower(words[0]);
    input_.erase(0, parser_.consumed());
    output_ += execute(words);
  }
}

void FakeRedis::Connection::deliver(size_t bytes) {
  if (broken() || !upstream_->wants_input()) return;
  const std::string part = output_.substr(0, bytes);
  output_.erase(0, part.size());
  if (!part.empty()) upstream_->receive(part);
}

void FakeRedis::Connection::unblock(const std::string& value) {
  if (!blocked_) return;
  output_ += "*2\r\n" + bulk(*std::exchange(blocked_, std::nullopt)) + bulk(value);
  take_requests(0);
}

void FakeRedis::Connection::break_connection() {
  if (broken()) return;
  const auto upstream = std::move(upstream_);
  upstream->set_waker(nullptr);
  upstream->lost();
}

void FakeRedis::Connection::close_if_wanted() {
  if (!broken() && upstream_->must_close()) break_connection();
}

std::string FakeRedis::Connection::execute(const Words& words) {
  const std::string& name = words[0];
  if (name == "auth" || name == "hello") {
    const size_t place = name == "hello" ? 3 : 1;
    const std::string& user = words[place];
    if (redis_.passwords[user] != words[place + 1]) return "-WRONGPASS\r\n";
    user_ = user;
    if (name == "hello") resp3_ = words[1] == "3";
    return name == "auth" ? kOk : "%1\r\n+proto\r\n:3\r\n";
  }
  if (redis_.busy && name != "multi") {
    return "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN "
           "NOSAVE.\r\n";
  }
  if (user_ == "door") {
    if (name == "info")
      return bulk("# x\r\nredis_version:7.0.15\r\nmaxmemory_policy:allkeys-lru\r\n");
    if (name == "client") return execute_for_door(words);
    if (name != "select") return "-NOPERM\r\n";
    if (!redis_.refuse_select.empty()) return redis_.refuse_select;
    database_ = std::stoi(words[1]);
    return kOk;
  }
  if (user_ == "nobody") return "-NOAUTH\r\n";
  redis_.log.push_back(words);
  if (name.ends_with("subscribe")) return execute_subscription(words);
  if (name == "multi") {
    queued_.emplace();
    return kOk;
  }
  if (name == "exec") return execute_transaction();
  if (name == "discard") {
    queued_.reset();
    watched_.clear();
    return kOk;
  }
  if (queued_) {
    queued_->push_back(words);
    return "+QUEUED\r\n";
  }
  return execute_data(words);
}

// CLIENT ID, CLIENT UNBLOCK.
std::string FakeRedis::Connection::execute_for_door(const Words& words) {
  if (to_lower(words[1]) == "id") return integer(id_);
  for (const auto& other : redis_.connections) {
    if (std::to_string(other->id_) != words[2] || !other->blocked_) continue;
    other->blocked_.reset();
    other->output_ += words[3] == "ERROR" ? "-UNBLOCKED client unblocked\r\n" : "*-1\r\n";
    return integer(1);
  }
  return integer(0);
}

// SCRIPT LOAD, SCRIPT EXISTS, EVAL, EVALSHA; "bad" is no script.
std::string FakeRedis::Connection::execute_script(const Words& words) {
  const auto name_of = [](std::string_view text) {
    const Sha1Digest digest = sha1(text);
    return to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
  };
  if (words[0] == "eval" && redis_.answer_eval) return redis_.answer_eval();
  // The door looks an index through, and finds all keys there.
  if (user_ == kIndexUser)
    return "*2\r\n:0\r\n" + integer(static_cast<int64_t>(redis_.sets[words[3]].size()));
  const bool load = words[0] == "script" && to_lower(words[1]) == "load";
  if (load || words[0] == "eval" || words[0] == "eval_ro") {
    const std::string& text = words[load ? 2 : 1];
    if (text == with_prelude("bad")) return "-ERR Error compiling script\r\n";
    redis_.scripts.insert(name_of(text));
    return bulk(load ? name_of(text) : "ran");
  }
  if (words[0] == "evalsha")
    return redis_.scripts.contains(words[1]) ? bulk("ran") : "-NOSCRIPT No matching script.\r\n";
  std::string out;
  append_array_header(out, words.size() - 2);
  for (size_t i = 2; i < words.size(); ++i) out += integer(redis_.scripts.contains(words[i]));
  return out;
}

std::string FakeRedis::Connection::execute_subscription(const Words& words) {
  std::string out;
  Words names(words.begin() + 1, words.end());
  if (names.empty()) names.assign(channels_.begin(), channels_.end());
  for (const std::string& name : names) {
    if (words[0].find("unsub") == std::string::npos) {
      channels_.insert(name);
    } else {
      channels_.erase(name);
    }
    out += (resp3_ ? ">3\r\n" : "*3\r\n") + bulk(words[0]) + bulk(name) +
           integer(static_cast<int64_t>(channels_.size()));
  }
  return out;
}

void FakeRedis::Connection::push_message(const std::string& channel, const std::string& text) {
  output_ += (resp3_ ? ">3\r\n" : "*3\r\n") + bulk("message") + bulk(channel) + bulk(text);
}

void FakeRedis::Connection::push_pattern_message(const std::string& pattern,
                                                 const std::string& channel,
                                                 const std::string& text) {
  output_ += (resp3_ ? ">4\r\n" : "*4\r\n") + bulk("pmessage") + bulk(pattern) + bulk(channel) +
             bulk(text);
}

std::string FakeRedis::Connection::execute_transaction() {
  if (!queued_) return "-ERR EXEC without MULTI\r\n";
  const std::vector<Words> commands = *std::exchange(queued_, std::nullopt);
  auto& data = redis_.databases[database_];
  const bool changed = std::ranges::any_of(watched_, [&](const auto& entry) {
    return value_or_empty(data, entry.first) != entry.second;
  });
  watched_.clear();
  if (changed) return "*-1\r\n";
  std::string out;
  append_array_header(out, commands.size());
  for (const Words& words : commands) out += execute_data(words);
  return out;
}

// SCAN cursor MATCH pattern COUNT n: two keys in each step.
std::string FakeRedis::Connection::scan(const Words& words) {
  const auto& data = redis_.databases[database_];
  const size_t begin = std::min<size_t>(std::stoul(words[1]), data.size());
  const size_t end = std::min(begin + 2, data.size());
  std::string found;
  size_t count = 0;
  size_t place = 0;
  for (const auto& [key, value] : data) {
    const bool here = place >= begin && place < end;
    ++place;
    if (!here || !glob_matches(words[3], key)) continue;
    found += bulk(key);
    ++count;
  }
  std::string out = "*2\r\n" + bulk(end == data.size() ? "0" : std::to_string(end));
  append_array_header(out, count);
  return out + found;
}

std::string FakeRedis::Connection::execute_data(const Words& words) {
  const std::string& name = words[0];
  auto& data = redis_.databases[database_];
  if (name == "ping") return "+PONG\r\n";
  if (name == "echo") return bulk(words[1]);
  if (name == "get") return data.contains(words[1]) ? bulk(data[words[1]]) : kNil;
  if (name == "set") {
    data[words[1]] = words[2];
    return kOk;
  }
  if (name == "del" || name == "unlink") {
    int64_t gone = 0;
    for (size_t i = 1; i < words.size(); ++i) gone += static_cast<int64_t>(data.erase(words[i]));
    return integer(gone);
  }
  if (name == "scan") return scan(words);
  if (name == "copy" || name == "renamenx") {
    if (!data.contains(words[1])) return name == "copy" ? integer(0) : "-ERR no such key\r\n";
    if (data.contains(words[2]) && words.back() != "REPLACE") return integer(0);
    data[words[2]] = data[words[1]];
    if (name == "renamenx") data.erase(words[1]);
    return integer(1);
  }
  if (name == "sadd" || name == "scard") {
    std::set<std::string>& members = redis_.sets[words[1]];
    const size_t before = members.size();
    members.insert(words.begin() + 2, words.end());
    return integer(static_cast<int64_t>(members.size() - (name == "sadd" ? before : 0)));
  }
  if (name == "exists") {
    int64_t there = 0;
    for (size_t i = 1; i < words.size(); ++i) there += static_cast<int64_t>(data.count(words[i]));
    return integer(there);
  }
  if (name == "sort") return bulk(words[1]);
  if (name == "dbsize") return integer(static_cast<int64_t>(data.size()));
  if (name == "flushdb") {
    data.clear();
    return kOk;
  }
  if (name == "lrange") {  // so many copies of the value
    std::string out;
    append_array_header(out, std::stoul(words[3]));
    for (size_t i = 0; i < std::stoul(words[3]); ++i) out += bulk(data[words[1]]);
    return out;
  }
  if (name == "watch") {
    watched_[words[1]] = value_or_empty(data, words[1]);
    return kOk;
  }
  if (name == "unwatch") {
    watched_.clear();
    return kOk;
  }
  if (name == "blpop") {
    blocked_ = words[1];
    return {};
  }
  if (name == "publish") return integer(0);
  if (name == "script" || name.starts_with("eval")) return execute_script(words);
  if (name == "pubsub")
    return "*2\r\n" + bulk(words[2].substr(0, words[2].size() - 1) + "news") + bulk("foreign");
  return "-ERR unknown command\r\n";
}

}  // namespace partywall::cache
