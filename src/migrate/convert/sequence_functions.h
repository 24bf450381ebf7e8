#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engines/postgres.h"
#include "sql/schema/plan.h"

// Numbers for the columns that drew from a sequence, from a sequence of each tenant's own. The
// application's sequence is kept as the template: nobody draws from it, a tenant's first number
// copies its options. So ids go on where they were, no column overflows because there are many
// tenants, and nobody learns from the gaps in his numbers how much others write.
//
// A tenant's sequences are in a schema of their own and owned by a role that nobody is a member of;
// the two functions are the only way to them. Names are hashes, because everybody can list them.
namespace partywall::migrate {

inline constexpr std::string_view kSequenceSchema = "partywall_sequences";

// What is there of them.
struct SequenceFunctions {
  bool has_owner = false;
  bool user_may_act_as_owner = false;
  bool has_schema = false;
  bool are_sound = false;  // both functions are exactly ours, with owner and rights
};

postgres::PostgresResult<SequenceFunctions> read_sequence_functions(
    postgres::Connection& connection);

// What makes them so; empty if they are sound.
[[nodiscard]] std::vector<sql::SchemaStep> sequence_function_steps(const SequenceFunctions& state);

// As pg_get_functiondef shows them.
[[nodiscard]] std::string_view sequence_of_function();
[[nodiscard]] std::string_view next_value_function();

// "partywall_sequences.next_value('public.film_film_id_seq'::regclass)", as pg_get_expr shows it.
[[nodiscard]] std::string next_value_call(std::string_view sequence);

}  // namespace partywall::migrate
