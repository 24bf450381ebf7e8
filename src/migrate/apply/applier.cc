#include "migrate/apply/applier.h"

#include <iterator>

#include <fmt/format.h>

namespace partywall::migrate {

using pgoutput::OldTupleKind;
using pgoutput::RelationId;
using pgoutput::Tuple;
using pgoutput::Value;
using pgoutput::ValueKind;

namespace {

std::unexpected<Error> out_of_order(std::string_view what) {
  return fail(ErrorKind::kInvalid,
              "the source's change stream is not in order: {}. The stream must begin anew where "
              "the target has got to",
              what);
}

// Two descriptions with the same text are the same.
std::string shape_of(const pgoutput::Relation& relation) {
  std::string shape = fmt::format("{}:{}{}:{}{}", relation.schema.size(), relation.schema,
                                  relation.name.size(), relation.name, relation.replica_identity);
  for (const pgoutput::RelationColumn& column : relation.columns) {
    fmt::format_to(std::back_inserter(shape), "{}:{}{} {} {},", column.name.size(), column.name,
                   column.is_key ? '+' : '-', column.type, column.type_modifier);
  }
  return shape;
}

// With REPLICA IDENTITY FULL a value that did not change is in the old row.
Tuple completed(const pgoutput::Update& update) {
  Tuple row = update.row;
  if (update.old_kind != OldTupleKind::kFull) return row;
  for (size_t i = 0; i < row.size(); ++i) {
    if (row[i].kind == ValueKind::kUnchanged) row[i] = update.old_row[i];
  }
  return row;
}

}  // namespace

Applier::Applier(ApplierSettings settings, const StreamTables& target, TypeText type_text,
                 ApplySink& sink)
    : settings_(std::move(settings)),
      target_(target),
      type_text_(std::move(type_text)),
      sink_(sink) {}

Result<> Applier::take(const pgoutput::Message& message) {
  return std::visit([this](const auto& kind) { return take(kind); }, message);
}

Result<> Applier::take(const pgoutput::Begin& begin) {
  if (in_transaction()) return out_of_order("a transaction begins within another");
  state_ = State::kBegun;
  commit_ = begin.commit;
  fences_.clear();
  return {};
}

Result<> Applier::take(const pgoutput::Commit& commit) {
  if (!in_transaction()) return out_of_order("a commit without its transaction");
  if (commit.commit != commit_ || commit.end <= commit.commit)
    return out_of_order("a commit of another transaction than the one that began");
  const bool is_open = state_ == State::kOpen;
  state_ = State::kIdle;
  TransactionEnd end{.commit = commit.commit,
                     .end = commit.end,
                     .committed_at = commit.committed_at,
                     .fences = std::move(fences_)};
  return is_open ? sink_.commit(std::move(end)) : sink_.pass(std::move(end));
}

Result<> Applier::take(const pgoutput::Origin& origin) {
  if (state_ != State::kBegun) return out_of_order("an origin that is not at the beginning");
  if (!settings_.skipped_origin.empty() && origin.name == settings_.skipped_origin)
    state_ = State::kSkipping;
  return {};
}

Result<> Applier::take(const pgoutput::Relation& relation) {
  // A table is described again after every ANALYZE of it, mostly as it was.
  std::string shape = shape_of(relation);
  const auto known = relations_.find(relation.id);
  if (known != relations_.end() && known->second.route && known->second.shape == shape) return {};
  if (relations_.size() >= settings_.max_relations && known == relations_.end()) {
    return fail(ErrorKind::kConflict, "the change stream has more than {} tables",
                settings_.max_relations);
  }
  const auto begins =
      settings_.begins.find(std::pair(std::string(relation.schema), std::string(relation.name)));
  relations_.insert_or_assign(
      relation.id,
      KnownRelation{.shape = std::move(shape),
                    .route = prepare(relation),
                    .begins = begins == settings_.begins.end() ? Lsn{} : begins->second});
  return {};
}

Result<Applier::PreparedRoute> Applier::prepare(const pgoutput::Relation& relation) {
  std::vector<std::string> types;
  for (const pgoutput::RelationColumn& column : relation.columns) {
    auto text = type_text_(column.type, column.type_modifier);
    if (!text) return std::unexpected(text.error());
    types.push_back(*std::move(text));
  }
  const auto table =
      target_.find(std::pair(std::string(relation.schema), std::string(relation.name)));
  auto route = make_route(relation, types, table == target_.end() ? nullptr : &table->second,
                          settings_.tenant);
  if (!route) return std::unexpected(route.error());
  return PreparedRoute{.route = *route,
                       .insert = numbered(insert_statement(*route)),
                       .remove = numbered(delete_statement(*route)),
                       .remove_all = numbered(delete_all_statement(*route)),
                       .updates = {}};
}

ChangeStatement Applier::numbered(ChangeStatement statement) {
  statement.number = statements_ < settings_.max_statements ? ++statements_ : kNotPrepared;
  return statement;
}

bool Applier::is_passed_over(RelationId id) const {
  if (state_ == State::kSkipping) return true;
  const auto known = relations_.find(id);
  return in_transaction() && known != relations_.end() && commit_ < known->second.begins;
}

Result<Applier::PreparedRoute*> Applier::find(RelationId id) {
  if (!in_transaction()) return out_of_order("a change outside of a transaction");
  const auto known = relations_.find(id);
  if (known == relations_.end()) return out_of_order("a change of a table that was not described");
  if (!known->second.route) return std::unexpected(known->second.route.error());
  return &*known->second.route;
}

Result<Applier::PreparedRoute*> Applier::find(RelationId id, const Tuple& row) {
  auto known = find(id);
  if (known && row.size() != (*known)->route.columns.size())
    return out_of_order("a row with another number of columns than its table");
  return known;
}

Result<Applier::Ownership> Applier::owner_of(const Route& route, const Tuple& row) const {
  if (!route.tenant_at) return Ownership::kOurs;
  const Value& tenant = row[*route.tenant_at];
  if (tenant.kind != ValueKind::kText) {
    return fail(ErrorKind::kInvalid, "a row of {} does not say which tenant's it is", route.source);
  }
  return tenant.text == route.tenant_text ? Ownership::kOurs : Ownership::kForeign;
}

Result<> Applier::take(const pgoutput::Insert& insert) {
  auto known = find(insert.relation, insert.row);
  if (!known) return std::unexpected(known.error());
  if (is_passed_over(insert.relation)) return {};
  const auto owner = owner_of((*known)->route, insert.row);
  if (!owner) return std::unexpected(owner.error());
  if (*owner == Ownership::kOurs) return insert_row(**known, insert.row);
  ++counts_.foreign;
  return {};
}

// A row that changes its tenant leaves the one and comes to the other.
Result<> Applier::take(const pgoutput::Update& update) {
  auto known = find(update.relation, update.row);
  if (!known) return std::unexpected(known.error());
  if (is_passed_over(update.relation)) return {};
  PreparedRoute& route = **known;
  const bool has_old = update.old_kind != OldTupleKind::kNone;
  if (has_old && update.old_row.size() != update.row.size())
    return out_of_order("an update whose rows differ in their columns");
  const auto owner = owner_of(route.route, update.row);
  if (!owner) return std::unexpected(owner.error());
  const auto old_owner = has_old ? owner_of(route.route, update.old_row) : owner;
  if (!old_owner) return std::unexpected(old_owner.error());
  if (*old_owner == Ownership::kOurs) {
    return *owner == Ownership::kOurs ? update_row(route, update)
                                      : delete_row(route, update.old_row);
  }
  if (*owner == Ownership::kOurs) return insert_row(route, completed(update));
  ++counts_.foreign;
  return {};
}

Result<> Applier::take(const pgoutput::Delete& deletion) {
  auto known = find(deletion.relation, deletion.old_row);
  if (!known) return std::unexpected(known.error());
  if (is_passed_over(deletion.relation)) return {};
  const auto owner = owner_of((*known)->route, deletion.old_row);
  if (!owner) return std::unexpected(owner.error());
  if (*owner == Ownership::kOurs) return delete_row(**known, deletion.old_row);
  ++counts_.foreign;
  return {};
}

Result<> Applier::take(const pgoutput::Truncate& truncate) {
  for (const RelationId id : truncate.relations) {
    auto known = find(id);
    if (!known) return std::unexpected(known.error());
    if (is_passed_over(id)) continue;
    if (auto sent = send((*known)->route, (*known)->remove_all, nullptr, nullptr); !sent)
      return sent;
    ++counts_.truncates;
  }
  return {};
}

Result<> Applier::take(const pgoutput::LogicalMessage& message) {
  if (!message.is_transactional) return {};
  if (!in_transaction()) return out_of_order("a transactional message outside of a transaction");
  if (message.prefix == settings_.fence_prefix && message.content.size() <= kLongestFence &&
      fences_.size() < kMostFences) {
    fences_.emplace_back(message.content);
  }
  return {};
}

Result<> Applier::insert_row(PreparedRoute& known, const Tuple& row) {
  ++counts_.inserts;
  return send(known.route, known.insert, nullptr, &row);
}

Result<> Applier::delete_row(PreparedRoute& known, const Tuple& old_row) {
  ++counts_.deletes;
  return send(known.route, known.remove, &old_row, nullptr);
}

Result<> Applier::update_row(PreparedRoute& known, const pgoutput::Update& update) {
  const bool has_old = update.old_kind != OldTupleKind::kNone;
  if (known.route.match == RowMatch::kWholeRow && !has_old)
    return out_of_order("an update that does not say which row it is of");
  bool sets_something = false;
  const ChangeStatement& statement = update_statement_for(known, update, sets_something);
  if (!sets_something) return {};
  ++counts_.updates;
  return send(known.route, statement, has_old ? &update.old_row : nullptr, &update.row);
}

ChangeStatement& Applier::update_statement_for(PreparedRoute& known, const pgoutput::Update& update,
                                               bool& sets_something) {
  const bool has_old = update.old_kind != OldTupleKind::kNone;
  const auto is_set = [&](size_t i) {
    const RoutedColumn& column = known.route.columns[i];
    if (column.is_tenant || update.row[i].kind == ValueKind::kUnchanged) return false;
    // Without its old value the key is what it was.
    if (column.is_key && !has_old) return false;
    if (!column.is_always_identity) return true;
    return column.is_key && has_old && update.old_row[i].text != update.row[i].text;
  };
  shape_.assign(1, has_old ? 'o' : 'n');
  sets_something = false;
  for (size_t i = 0; i < known.route.columns.size(); ++i) {
    const bool set = is_set(i);
    shape_ += set ? '1' : '0';
    sets_something = sets_something || set;
  }
  const auto found = known.updates.find(shape_);
  if (found != known.updates.end()) return found->second;
  // Beyond the limit the one that is not kept takes the place of the last such.
  const bool is_kept = statements_ < settings_.max_statements;
  std::vector<bool> columns(known.route.columns.size());
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = shape_[i + 1] == '1';
  ChangeStatement statement =
      sets_something ? numbered(update_statement(known.route, columns,
                                                 has_old ? FromRow::kOld : FromRow::kNew))
                     : ChangeStatement{};
  return known.updates.insert_or_assign(is_kept ? shape_ : std::string(), std::move(statement))
      .first->second;
}

Result<> Applier::open() {
  if (state_ == State::kOpen) return {};
  state_ = State::kOpen;
  return sink_.begin();
}

Result<> Applier::send(const Route& route, const ChangeStatement& statement, const Tuple* old_row,
                       const Tuple* row) {
  values_.clear();
  for (const ChangeParameter& parameter : statement.parameters) {
    const Tuple* const from = parameter.row == FromRow::kOld ? old_row : row;
    const Value& value = (*from)[parameter.column];
    if (value.kind == ValueKind::kUnchanged) {
      return fail(
          ErrorKind::kInvalid,
          "{}: the value of column {} is not in the stream, because it is stored out of line "
          "and did not change. Set REPLICA IDENTITY FULL for the table in the source",
          statement.doing, route.columns[parameter.column].name);
    }
    values_.push_back(value);
  }
  if (auto opened = open(); !opened) return opened;
  return sink_.change(statement, values_);
}

}  // namespace partywall::migrate
