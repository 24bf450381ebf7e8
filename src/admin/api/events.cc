#include "store/control/events.h"

#include "admin/api/endpoint.h"
#include "admin/api/resource_json.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "store/control/tenants.h"

// What happened: as a list, or as Server-Sent Events (https://html.spec.whatwg.org, section 9.2)
// for whoever accepts text/event-stream.
namespace partywall::admin {
namespace {

constexpr uint32_t kMostAtOnce = 200;
constexpr Duration kPause = milliseconds(500);
constexpr Duration kHeartbeat = seconds(15);
// Then the watcher comes back, with a token that is looked at again: a revoked one hears no more.
constexpr Duration kLongestStream = minutes(5);

ApiResult<store::EventFilter> read_filter(const Call& call, store::Session& session) {
  store::EventFilter filter{.tenant = std::nullopt, .type = call.query.text("type")};
  if (call.principal.role == Role::kTenantAdmin) {
    filter.tenant = call.principal.tenant;
  } else if (call.query.has("tenant")) {
    const auto tenant = store::find_tenant(session, call.query.text("tenant"));
    if (!tenant) return refuse(tenant.error());
    filter.tenant = tenant->id;
  }
  return filter;
}

std::string to_sse(const store::Event& event) {
  return fmt::format("id: {}\nevent: {}\ndata: {}\n\n", event.id, event.type,
                     to_json_text(to_json(event)));
}

class EventStream final : public BodyStream {
 public:
  EventStream(StorePool& stores, const TimeSource& time, store::EventFilter filter, int64_t after)
      : stores_(stores),
        time_(time),
        filter_(std::move(filter)),
        after_(after),
        last_sent_(time.monotonic()),
        ends_at_(last_sent_ + kLongestStream) {}

  // While the store is down nothing comes; the watcher stays and misses nothing.
  std::optional<std::string> next() override {
    if (time_.monotonic() >= ends_at_) return std::nullopt;
    std::string text;
    const auto store = stores_.take();
    if (auto session = store->session()) {
      if (const auto events = store::events_after(*session, after_, filter_, kMostAtOnce)) {
        for (const store::Event& event : *events) {
          text += to_sse(event);
          after_ = event.id;
        }
      }
    }
    if (text.empty() && time_.monotonic() - last_sent_ >= kHeartbeat) text = ": still here\n\n";
    if (!text.empty()) last_sent_ = time_.monotonic();
    return text;
  }
  [[nodiscard]] Duration pause() const override { return kPause; }

 private:
  StorePool& stores_;
  const TimeSource& time_;
  const store::EventFilter filter_;
  int64_t after_;
  MonotonicTime last_sent_;
  const MonotonicTime ends_at_;
};

bool wants_stream(const Request& request) {
  return request.header("Accept").value_or("").contains("text/event-stream");
}

// Where to begin: after the event that the caller has, else with what comes from now on.
ApiResult<int64_t> start_of_stream(const Call& call, store::Session& session) {
  std::string given(call.request.header("Last-Event-ID").value_or(""));
  if (call.query.has("after")) given = call.query.text("after");
  if (!given.empty()) {
    const auto id = parse_integer<int64_t>(given, 0);
    if (!id) return refuse(invalid_body("after: " + id.error().message));
    return *id;
  }
  const auto last = store::last_event(session);
  if (!last) return refuse(last.error());
  return *last;
}

ApiResult<Response> list(const Call& call) {
  auto session = call.store.session();
  if (!session) return refuse(session.error());
  const auto filter = read_filter(call, *session);
  if (!filter) return refuse(filter.error());
  if (wants_stream(call.request)) {
    const auto after = start_of_stream(call, *session);
    if (!after) return refuse(after.error());
    return Response{
        .content_type = "text/event-stream",
        .stream = std::make_unique<EventStream>(call.stores, call.time, *filter, *after)};
  }
  const auto most = call.query.number("limit", kUsualPage, 1, kLargestPage);
  if (!most) return refuse(most.error());
  const auto after = call.query.number("after", 0, 0, std::numeric_limits<int64_t>::max());
  if (!after) return refuse(after.error());
  const auto events = store::events_after(*session, *after, *filter, static_cast<uint32_t>(*most));
  if (!events) return refuse(events.error());
  JsonArray items;
  for (const store::Event& event : *events) items.push_back(to_json(event));
  // The next page begins after the last event, whenever there will be more.
  const int64_t next = events->empty() ? *after : events->back().id;
  return to_response(Answer{.body = page_json(std::move(items), std::to_string(next))});
}

}  // namespace

void add_event_endpoints(ApiEndpoints& endpoints) {
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/events",
                       .summary =
                           "What happened, after an event; as Server-Sent Events with Accept: "
                           "text/event-stream",
                       .access = {Role::kViewer, TenantAdmins::kFiltered},
                       .handler = list,
                       .query = {"after", "type", "tenant", "limit"},
                       .response_schema = "EventPage"});
}

}  // namespace partywall::admin
