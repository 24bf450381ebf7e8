#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace partywall::sql {

// What was asked of a server. Those up to kReset are the door's own, each answered up to and
// including a ReadyForQuery.
enum class Request : uint8_t {
  kEnter,
  kSettings,
  kTrySettings,  // a client's first ones, which may be refused
  kBegin,
  kRollback,
  kReset,
  kQuery,         // up to ReadyForQuery
  kFunctionCall,  // up to ReadyForQuery
  kParse,
  kBind,
  kDescribeStatement,
  kDescribePortal,
  kExecute,
  kClose,
  kSync,  // ReadyForQuery
};

enum class Disposition : uint8_t {
  kForward,    // the answer is the client's
  kSwallow,    // the door asked for itself: only errors are the client's
  kFabricate,  // nothing was asked: the door gives the answer when its turn comes
  kRefuse,     // something that must fail was asked: the door's own error takes the place of the
               // answer
};

struct Expectation {
  Request request = Request::kSync;
  Disposition disposition = Disposition::kForward;
  uint64_t statement = 0;  // kParse: which statement of ServerStatements, if one
};

[[nodiscard]] constexpr bool is_own(Request request) { return request <= Request::kReset; }
[[nodiscard]] constexpr bool is_simple_query(Request request) {
  return request != Request::kEnter && request <= Request::kQuery;
}
[[nodiscard]] constexpr bool ends_with_ready(Request request) {
  return request <= Request::kFunctionCall || request == Request::kSync;
}

// The answers that a server still owes, in order. Keeps its memory: no allocation once warm.
class Expectations {
 public:
  void push(Expectation expectation) { items_.push_back(expectation); }
  void pop() {
    if (++first_ == items_.size()) clear();
  }
  void clear() {
    items_.clear();
    first_ = 0;
  }
  [[nodiscard]] bool empty() const { return first_ == items_.size(); }
  [[nodiscard]] size_t size() const { return items_.size() - first_; }
  [[nodiscard]] const Expectation& front() const { return items_[first_]; }
  // Takes out the second one, where there is one of that kind (CopyInResponse makes the server
  // ignore the Sync behind the Execute).
  bool drop_second(Request request) {
    if (size() < 2 || items_[first_ + 1].request != request) return false;
    items_.erase(items_.begin() + static_cast<ptrdiff_t>(first_) + 1);
    return true;
  }

 private:
  std::vector<Expectation> items_;
  size_t first_ = 0;
};

}  // namespace partywall::sql
