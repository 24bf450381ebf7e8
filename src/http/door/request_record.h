#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "http/door/client_connection.h"
#include "http/door/worker_state.h"
#include "http/proxy/persistence.h"
#include "http/proxy/problem.h"

namespace partywall::http {

// nginx's word for "the client closed the connection": only ever in logs.
inline constexpr uint16_t kClientClosedRequest = 499;

// Follows one request from its head to the end of its response, answers it if the door does that
// itself, and writes it down: access log, meters, histogram.
class RequestRecord {
 public:
  // Makes the request's id.
  RequestRecord(WorkerState& state, ClientConnection& client);
  RequestRecord(RequestRecord&&) noexcept = default;
  RequestRecord& operator=(RequestRecord&&) = delete;
  ~RequestRecord();

  // `head` may be nullptr: it could not be read.
  void begin_log(const RequestHead* head, std::string_view path);
  void set_request_id(const Uuid& id);
  // The request has waited for its turn; call it at the end of the wait.
  void waited_since(MonotonicTime since);

  struct Answer {
    Problem problem = Problem::kInternal;
    std::string_view detail;
    std::optional<Duration> retry_after;
    Persistence persistence = Persistence::kClose;
    AnswerBody body = AnswerBody::kSent;
  };
  // Writes the problem to the client. False: the connection is broken.
  bool answer(const Answer& answer);

  // The request has ended: `status` is what the client got.
  void finish(uint16_t status);

  [[nodiscard]] RequestText& text() { return *text_; }
  [[nodiscard]] WallTime began_wall() const { return began_wall_; }
  [[nodiscard]] Duration queued() const { return queued_; }

  std::shared_ptr<const WorkerSnapshot> snapshot;  // keeps what the pointers below point to
  const Tenant* tenant = nullptr;
  const Route* route = nullptr;
  const Cell* cell = nullptr;
  std::string_view instance;
  uint32_t attempts = 0;

 private:
  void count(uint16_t status, Duration duration);
  [[nodiscard]] Histogram& durations();

  WorkerState& state_;
  ClientConnection& client_;
  std::unique_ptr<RequestText> text_;
  MonotonicTime began_;
  WallTime began_wall_;
  Duration queued_{};
  uint64_t received_before_;
  uint64_t sent_before_;
  std::optional<Problem> problem_;
  std::string detail_;
};

}  // namespace partywall::http
