#include "http/door/request_record.h"

#include <algorithm>

namespace partywall::http {
namespace {

std::string_view protocol_name(Version version) {
  return version == Version::kHttp11 ? "HTTP/1.1" : "HTTP/1.0";
}

std::string_view user_agent(const RequestHead& head) {
  const auto found = std::ranges::find(head.fields, FieldKind::kUserAgent, &Field::kind);
  return found == head.fields.end() ? std::string_view() : found->value;
}

}  // namespace

RequestRecord::RequestRecord(WorkerState& state, ClientConnection& client)
    : snapshot(state.snapshot),
      state_(state),
      client_(client),
      text_(state.texts.take()),
      began_(state.loop.now()),
      began_wall_(state.loop.time().wall()),
      received_before_(client.input.consumed()),
      sent_before_(client.output.accepted()) {}

RequestRecord::~RequestRecord() {
  if (text_) state_.texts.give_back(std::move(text_));
}

void RequestRecord::set_request_id(const Uuid& id) {
  text_->id = id.to_string();
  text_->extras = "X-Request-Id: ";
  text_->extras += text_->id;
  text_->extras += "\r\n";
}

// The request's time is counted from when it came, not from when it was taken up.
void RequestRecord::waited_since(MonotonicTime since) {
  const MonotonicTime now = state_.loop.now();
  queued_ += now - since;
  began_ = std::min(began_, since);
}

void RequestRecord::begin_log(const RequestHead* head, std::string_view path) {
  RequestLogStart start{
      .time = began_wall_, .request_id = text_->id, .client = client_.origin.address};
  if (head) {
    start.method = head->method;
    start.path = path;
    start.protocol = protocol_name(head->version);
    start.user_agent = user_agent(*head);
  }
  begin_log_line(text_->log, start);
}

bool RequestRecord::answer(const Answer& answer) {
  problem_ = answer.problem;
  detail_ = answer.detail;
  std::string& out = state_.scratch_out;
  out.clear();
  append_problem(out,
                 {.problem = answer.problem,
                  .detail = answer.detail,
                  .request_id = text_->id,
                  .extra_fields = text_->extras,
                  .date = state_.date.at(state_.loop.time().wall()),
                  .retry_after = answer.retry_after},
                 answer.persistence, answer.body);
  return client_.output.write(*client_.stream, out);
}

Histogram& RequestRecord::durations() {
  if (!tenant) return *snapshot->untenanted_durations;
  const auto& tiers = snapshot->directory().tiers();
  const auto found = std::ranges::find(tiers, tenant->tier, &Tier::name);
  return *snapshot->tier_durations[static_cast<size_t>(found - tiers.begin())];
}

void RequestRecord::count(uint16_t status, Duration duration) {
  if (problem_) state_.metrics.count(*problem_);
  durations().observe(std::chrono::duration<double>(duration).count());
  if (!tenant) return;
  auto& row = state_.metrics.tenants.row(tenant->number);
  const auto add = [&row](HttpMeter meter, uint64_t amount = 1) {
    row[std::to_underlying(meter)].add(amount);
  };
  add(HttpMeter::kRequests);
  add(HttpMeter::kReceivedBytes, client_.input.consumed() - received_before_);
  add(HttpMeter::kSentBytes, client_.output.accepted() - sent_before_);
  if (queued_ > Duration(0)) {
    add(HttpMeter::kQueued);
    add(HttpMeter::kQueueMilliseconds,
        static_cast<uint64_t>(std::chrono::round<milliseconds>(queued_).count()));
  }
  if (status >= 500) add(HttpMeter::kServerErrors);
  if (problem_ && status == 429) add(HttpMeter::kThrottled);
  if (problem_ && status < 500 && status != 429) add(HttpMeter::kRefused);
  if (duration > tenant->alarms.slow_request) add(HttpMeter::kSlow);
}

void RequestRecord::finish(uint16_t status) {
  const Duration duration = state_.loop.now() - began_;
  count(status, duration);
  RequestLogEnd end{.status = status,
                    .detail = detail_,
                    .instance = instance,
                    .attempts = attempts,
                    .received_bytes = client_.input.consumed() - received_before_,
                    .sent_bytes = client_.output.accepted() - sent_before_,
                    .queued = queued_,
                    .duration = duration};
  if (problem_) end.problem = describe(*problem_).name;
  if (tenant) end.tenant = tenant->slug;
  if (cell) end.cell = cell->name;
  if (route) {
    end.route = route->path_prefix;
    end.pool = route->pool;
  }
  end_log_line(text_->log, end);
  state_.log.write(text_->log);
}

}  // namespace partywall::http
