#pragma once

#include <algorithm>

#include "migrate/schema/catalog.h"

// Small catalogs for tests, in the text that PostgreSQL would write.
namespace partywall::migrate {

inline Column column(std::string name, std::string type = "integer") {
  return {.name = std::move(name), .type = std::move(type)};
}

inline Constraint primary_key(std::string name, const std::string& columns) {
  return {.name = std::move(name),
          .kind = ConstraintKind::kPrimary,
          .definition = "PRIMARY KEY (" + columns + ")",
          .method = "btree"};
}

inline Constraint foreign_key(std::string name, Reference reference) {
  Constraint constraint{.name = std::move(name), .kind = ConstraintKind::kForeign};
  constraint.definition = definition_of(reference);
  constraint.reference = std::move(reference);
  return constraint;
}

// A customer with an id from a sequence, and orders that refer to it.
inline Catalog shop() {
  Catalog catalog;
  catalog.database = "shop";
  catalog.encoding = "UTF8";
  catalog.schemas = {"public"};
  catalog.roles = {"postgres", "clerk"};
  catalog.sequences = {{"public.customer_id_seq", "AS integer INCREMENT BY 1"}};
  Table customer;
  customer.name = "public.customer";
  Column id = column("id");
  id.not_null = true;
  id.default_value = "nextval('public.customer_id_seq'::regclass)";
  id.sequences = {"public.customer_id_seq"};
  customer.columns = {id, column("email", "text")};
  customer.constraints = {primary_key("customer_pkey", "id"),
                          {.name = "customer_email_key",
                           .kind = ConstraintKind::kUnique,
                           .definition = "UNIQUE NULLS NOT DISTINCT (email)",
                           .method = "btree"}};
  customer.indexes = {{"customer_lower", true, "btree", "lower(email)) WHERE (id > 0)"}};
  Table orders;
  orders.name = "public.orders";
  orders.columns = {column("id"), column("customer_id")};
  orders.columns[0].not_null = true;
  orders.constraints = {primary_key("orders_pkey", "id"),
                        foreign_key("orders_customer_fkey", {.columns = {"customer_id"},
                                                             .table = "public.customer",
                                                             .referenced_columns = {"id"},
                                                             .on_update = "CASCADE",
                                                             .on_delete = "SET NULL"})};
  catalog.tables = {customer, orders};
  catalog.order = {"table public.customer", "table public.orders"};
  return catalog;
}

inline Table& table_of(Catalog& catalog, const std::string& name) {
  return *std::ranges::find(catalog.tables, name, &Table::name);
}

inline Constraint& constraint_of(Table& table, const std::string& name) {
  return *std::ranges::find(table.constraints, name, &Constraint::name);
}

}  // namespace partywall::migrate
