#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cache/cache_route.h"
#include "cache/question_connection.h"
#include "cache/route_watch.h"
#include "cache/upstream_network.h"

namespace partywall::cache {

// Goes through all keys of a cache instance in prefix mode, over and over and a few at a time, and
// writes down in the tenants' indexes those that are missing there: made by a script under a name
// that it built, imported, or made by a door that ended before it had written them down. So such
// keys count soon, and no tenant's ever costs more than another's.
class IndexSurvey final : public QuestionSink {
 public:
  // Both must outlive it.
  IndexSurvey(const CacheRoute& route, UpstreamNetwork& network)
      : route_(route), network_(network) {}
  ~IndexSurvey() override;
  IndexSurvey(const IndexSurvey&) = delete;
  IndexSurvey& operator=(const IndexSurvey&) = delete;

  // To be called every kRouteTick. `nodes`: so many do the same.
  void tick(MonotonicTime now, uint32_t nodes);

 private:
  [[nodiscard]] std::vector<Endpoint> servers() const;
  void open();
  void leave(Duration pause);
  [[nodiscard]] std::string step() const;
  void answered(const ReplyTree& reply) override;
  void question_lost() override;

  const CacheRoute& route_;
  UpstreamNetwork& network_;
  std::shared_ptr<QuestionConnection> connection_;
  size_t next_server_ = 0;
  std::string cursor_ = "0";
  bool is_last_server_ = false;
  bool logged_in_ = false;
  bool waiting_ = false;
  MonotonicTime now_{};
  MonotonicTime asked_at_{};
  MonotonicTime next_at_{};
};

}  // namespace partywall::cache
