#include <fmt/format.h>

#include "migrate/schema/read_parts.h"
#include "sql/schema/read_parts.h"

namespace partywall::migrate {

using postgres::Connection;
using postgres::PostgresResult;
using postgres::Rows;
using sql::list;
using sql::text;

namespace {

TypeKind type_kind(std::string_view typtype) {
  if (typtype == "e") return TypeKind::kEnum;
  if (typtype == "d") return TypeKind::kDomain;
  return typtype == "r" ? TypeKind::kRange : TypeKind::kComposite;
}

constexpr std::string_view kTypeDefinition = R"(CASE t.typtype
WHEN 'e' THEN format('CREATE TYPE %I.%I AS ENUM (%s)', n.nspname, t.typname,
  (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
WHEN 'd' THEN format('CREATE DOMAIN %I.%I AS %s%s%s%s%s', n.nspname, t.typname, format_type(t.typbasetype, t.typtypmod),
  CASE WHEN t.typcollation <> b.typcollation THEN ' COLLATE ' || t.typcollation::regcollation ELSE '' END,
  ' DEFAULT ' || pg_get_expr(t.typdefaultbin, 0), CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END,
  (SELECT string_agg(format(' CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)), '' ORDER BY k.conname)
   FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'))
WHEN 'r' THEN (SELECT format('CREATE TYPE %I.%I AS RANGE (SUBTYPE = %s, SUBTYPE_OPCLASS = %I.%I%s%s%s)', n.nspname, t.typname,
    format_type(r.rngsubtype, NULL), onn.nspname, o.opcname,
    CASE WHEN r.rngcollation <> 0 THEN ', COLLATION = ' || r.rngcollation::regcollation ELSE '' END,
    CASE WHEN r.rngsubdiff <> 0 THEN ', SUBTYPE_DIFF = ' || r.rngsubdiff ELSE '' END,
    ', MULTIRANGE_TYPE_NAME = ' || format_type((to_jsonb(r) ->> 'rngmultitypid')::oid, NULL))
  FROM pg_range r JOIN pg_opclass o ON o.oid = r.rngsubopc JOIN pg_namespace onn ON onn.oid = o.opcnamespace
  WHERE r.rngtypid = t.oid)
ELSE format('CREATE TYPE %I.%I AS (%s)', n.nspname, t.typname,
  (SELECT string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod),
      CASE WHEN a.attcollation <> at.typcollation THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END), ', '
      ORDER BY a.attnum)
   FROM pg_attribute a JOIN pg_type at ON at.oid = a.atttypid
   WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)) END)";

constexpr std::string_view kAggregateDefinition =
    R"((SELECT format('CREATE OR REPLACE AGGREGATE %I.%I(%s) (SFUNC = %s, STYPE = %s%s%s%s%s%s%s%s%s%s)', n.nspname,
    p.proname, coalesce(nullif(pg_get_function_identity_arguments(p.oid), ''), '*'), g.aggtransfn,
    format_type(g.aggtranstype, NULL), CASE WHEN g.aggtransspace > 0 THEN ', SSPACE = ' || g.aggtransspace END,
    CASE WHEN g.aggfinalfn <> 0 THEN ', FINALFUNC = ' || g.aggfinalfn END,
    CASE WHEN g.aggfinalextra THEN ', FINALFUNC_EXTRA' END,
    CASE g.aggfinalmodify WHEN 's' THEN ', FINALFUNC_MODIFY = SHAREABLE' WHEN 'w' THEN ', FINALFUNC_MODIFY = READ_WRITE' END,
    CASE WHEN g.aggcombinefn <> 0 THEN ', COMBINEFUNC = ' || g.aggcombinefn END,
    CASE WHEN g.aggserialfn <> 0 THEN ', SERIALFUNC = ' || g.aggserialfn END,
    CASE WHEN g.aggdeserialfn <> 0 THEN ', DESERIALFUNC = ' || g.aggdeserialfn END,
    ', INITCOND = ' || quote_literal(g.agginitval),
    CASE p.proparallel WHEN 's' THEN ', PARALLEL = SAFE' WHEN 'r' THEN ', PARALLEL = RESTRICTED' END)
  FROM pg_aggregate g WHERE g.aggfnoid = p.oid))";

}  // namespace

PostgresResult<> read_types(Connection& connection, Catalog& catalog) {
  return for_each_row(connection,
                      fmt::format(R"(
SELECT format('%I.%I', n.nspname, t.typname), t.typtype, {},
  ARRAY(SELECT quote_literal(enumlabel) FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
  LEFT JOIN pg_type b ON b.oid = t.typbasetype
WHERE (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c') AND {} AND {} ORDER BY t.oid)",
                                  kTypeDefinition, kApplicationSchema, own("pg_type", "t.oid")),
                      [&](const Rows& rows, size_t i) {
                        catalog.types.push_back({.name = text(rows, i, 0),
                                                 .kind = type_kind(rows.text(i, 1)),
                                                 .definition = text(rows, i, 2),
                                                 .labels = list(rows, i, 3)});
                      });
}

PostgresResult<> read_routines(Connection& connection, Catalog& catalog) {
  return for_each_row(
      connection,
      fmt::format(R"(
SELECT p.oid::regprocedure, CASE p.prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
  CASE WHEN p.prokind = 'a' THEN {} ELSE pg_get_functiondef(p.oid) END, p.prosecdef,
  EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0), l.lanname, p.prosrc,
  ARRAY(SELECT DISTINCT c.oid::regclass::text FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind IN ('r', 'p')
        WHERE t.oid = p.prorettype OR t.oid = ANY (p.proargtypes) OR t.oid = ANY (p.proallargtypes) ORDER BY 1)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE {} AND {} AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
  AND d.deptype = 'i') ORDER BY p.oid)",
                  kAggregateDefinition, kApplicationSchema, own("pg_proc", "p.oid")),
      [&](const Rows& rows, size_t i) {
        catalog.routines.push_back({.signature = text(rows, i, 0),
                                    .kind = text(rows, i, 1),
                                    .definition = text(rows, i, 2),
                                    .is_definer = rows.is_true(i, 3),
                                    .public_may_execute = rows.is_true(i, 4),
                                    .language = text(rows, i, 5),
                                    .source = text(rows, i, 6),
                                    .row_types = list(rows, i, 7)});
      });
}

PostgresResult<> read_sequences(Connection& connection, Catalog& catalog) {
  return for_each_row(
      connection,
      fmt::format(R"(
SELECT format('%I.%I', n.nspname, c.relname), format('AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s',
  format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache,
  CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid
WHERE c.relpersistence <> 't' AND {} AND {} ORDER BY c.oid)",
                  kApplicationSchema, own("pg_class", "c.oid")),
      [&](const Rows& rows, size_t i) {
        catalog.sequences.push_back({.name = text(rows, i, 0), .options = text(rows, i, 1)});
      });
}

PostgresResult<> read_comments(Connection& connection, Catalog& catalog) {
  return for_each_row(connection,
                      fmt::format(R"(
SELECT CASE WHEN d.objsubid > 0 THEN format('COLUMN %I.%I.%I', n.nspname, c.relname, a.attname)
    ELSE format('%s %I.%I', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
      WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'INDEX' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END, n.nspname, c.relname) END, d.description
  FROM pg_description d JOIN pg_class c ON d.classoid = 'pg_class'::regclass AND c.oid = d.objoid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid
  WHERE {0} AND {1} AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'i', 'I', 'c')
UNION ALL
SELECT format('%s %s', CASE p.prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
    CASE WHEN p.prokind = 'a' AND p.pronargs = 0 THEN format('%I.%I(*)', n.nspname, p.proname)
      ELSE p.oid::regprocedure::text END), d.description
  FROM pg_description d JOIN pg_proc p ON d.classoid = 'pg_proc'::regclass AND p.oid = d.objoid
    JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {0} AND {2}
UNION ALL
SELECT format('%s %I.%I', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, n.nspname, t.typname), d.description
  FROM pg_description d JOIN pg_type t ON d.classoid = 'pg_type'::regclass AND t.oid = d.objoid
    JOIN pg_namespace n ON n.oid = t.typnamespace WHERE {0} AND {3}
UNION ALL
SELECT format('CONSTRAINT %I ON %I.%I', k.conname, n.nspname, c.relname), d.description
  FROM pg_description d JOIN pg_constraint k ON d.classoid = 'pg_constraint'::regclass AND k.oid = d.objoid
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {0} AND {1}
UNION ALL
SELECT format('TRIGGER %I ON %I.%I', g.tgname, n.nspname, c.relname), d.description
  FROM pg_description d JOIN pg_trigger g ON d.classoid = 'pg_trigger'::regclass AND g.oid = d.objoid
    JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {0} AND {1}
UNION ALL
SELECT format('SCHEMA %I', n.nspname), d.description
  FROM pg_description d JOIN pg_namespace n ON d.classoid = 'pg_namespace'::regclass AND n.oid = d.objoid
  WHERE {0} AND n.nspname <> 'public')",
                                  kApplicationSchema, own("pg_class", "c.oid"),
                                  own("pg_proc", "p.oid"), own("pg_type", "t.oid")),
                      [&](const Rows& rows, size_t i) {
                        catalog.comments.emplace(text(rows, i, 0), text(rows, i, 1));
                      });
}

PostgresResult<> read_grants(Connection& connection, Catalog& catalog) {
  return for_each_row(
      connection,
      fmt::format(R"(
SELECT g.object, CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END, g.privilege FROM (
  SELECT format('%s %I.%I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, n.nspname, c.relname) AS object,
      x.grantee, x.privilege_type AS privilege, c.relowner AS owner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) AS x
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND {0} AND {1}
  UNION ALL
  SELECT format('TABLE %I.%I', n.nspname, c.relname), x.grantee, format('%s (%I)', x.privilege_type, a.attname), c.relowner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped, aclexplode(a.attacl) AS x
    WHERE {0} AND {1}
  UNION ALL
  SELECT format('ROUTINE %s', p.oid::regprocedure), x.grantee, x.privilege_type, p.proowner
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace, aclexplode(p.proacl) AS x WHERE {0} AND {2}
  UNION ALL
  SELECT format('SCHEMA %I', n.nspname), x.grantee, x.privilege_type, n.nspowner
    FROM pg_namespace n, aclexplode(n.nspacl) AS x WHERE {0}
) AS g LEFT JOIN pg_roles r ON r.oid = g.grantee
WHERE g.grantee = 0 OR (g.grantee <> g.owner AND r.rolname !~ '^pg_'))",
                  kApplicationSchema, own("pg_class", "c.oid"), own("pg_proc", "p.oid")),
      [&](const Rows& rows, size_t i) {
        catalog.grants.insert({text(rows, i, 0), text(rows, i, 1), text(rows, i, 2)});
      });
}

PostgresResult<> read_others(Connection& connection, Catalog& catalog) {
  return for_each_row(
      connection,
      fmt::format(R"(
SELECT format('rule %I on %s', w.rulename, c.oid::regclass), 'a rewrite rule runs with its owner''s rights, past row-level security'
  FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE w.rulename <> '_RETURN' AND {0} AND {1}
UNION ALL
SELECT format('table %s', c.oid::regclass), format('it inherits from %s, and keys do not span inheritance', i.inhparent::regclass)
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'f') AND NOT c.relispartition
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {0} AND {1}
UNION ALL
SELECT format('foreign table %s', c.oid::regclass), 'PostgreSQL cannot protect its rows'
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'f' AND {0} AND {1}
UNION ALL
SELECT format('invalid index %s', i.indexrelid::regclass), 'it was never finished: REINDEX or drop it'
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE NOT i.indisvalid AND {0} AND {1}
UNION ALL
SELECT format('policy %I on %s', y.polname, c.oid::regclass), 'whether it makes sense among tenants is for you to decide'
  FROM pg_policy y JOIN pg_class c ON c.oid = y.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE y.polname NOT IN ('partywall_tenant', 'partywall_rows') AND {0} AND {1}
UNION ALL
SELECT format('statistics %I.%I', n.nspname, s.stxname), 'extended statistics are not carried over'
  FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE {0}
UNION ALL
SELECT format('operator %s', o.oid::regoperator), 'operators of your own are not carried over'
  FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE {0} AND {2}
UNION ALL
SELECT format('operator class %I.%I', n.nspname, o.opcname), 'operator classes of your own are not carried over'
  FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace WHERE {0} AND {3}
UNION ALL
SELECT format('collation %I.%I', n.nspname, o.collname), 'collations of your own are not carried over'
  FROM pg_collation o JOIN pg_namespace n ON n.oid = o.collnamespace WHERE {0} AND {4}
UNION ALL
SELECT format('text search configuration %I.%I', n.nspname, o.cfgname), 'text search objects are not carried over'
  FROM pg_ts_config o JOIN pg_namespace n ON n.oid = o.cfgnamespace WHERE {0} AND {5}
UNION ALL
SELECT format('text search dictionary %I.%I', n.nspname, o.dictname), 'text search objects are not carried over'
  FROM pg_ts_dict o JOIN pg_namespace n ON n.oid = o.dictnamespace WHERE {0} AND {6}
UNION ALL
SELECT format('cast from %s to %s', format_type(o.castsource, NULL), format_type(o.casttarget, NULL)),
    'casts of your own are not carried over'
  FROM pg_cast o WHERE o.oid >= 16384 AND {7}
    AND NOT EXISTS (SELECT FROM pg_depend i WHERE i.classid = 'pg_cast'::regclass AND i.objid = o.oid AND i.deptype = 'i')
UNION ALL
SELECT format('event trigger %I', o.evtname), 'event triggers are not carried over'
  FROM pg_event_trigger o WHERE {8}
UNION ALL
SELECT format('type %I.%I', n.nspname, t.typname), CASE t.typtype WHEN 'b' THEN 'base types are not carried over'
    ELSE 'range types with a canonical function are not carried over' END
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_range r ON r.rngtypid = t.oid
  WHERE ((t.typtype = 'b' AND t.typelem = 0) OR r.rngcanonical <> 0) AND {0} AND {9}
UNION ALL
SELECT format('aggregate %s', g.aggfnoid::regprocedure), 'ordered-set, moving and sorted aggregates are not carried over'
  FROM pg_aggregate g JOIN pg_proc p ON p.oid = g.aggfnoid JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE (g.aggkind <> 'n' OR g.aggmtransfn <> 0 OR g.aggsortop <> 0) AND {0} AND {10}
ORDER BY 1)",
                  kApplicationSchema, own("pg_class", "c.oid"), own("pg_operator", "o.oid"),
                  own("pg_opclass", "o.oid"), own("pg_collation", "o.oid"),
                  own("pg_ts_config", "o.oid"), own("pg_ts_dict", "o.oid"), own("pg_cast", "o.oid"),
                  own("pg_event_trigger", "o.oid"), own("pg_type", "t.oid"),
                  own("pg_proc", "p.oid")),
      [&](const Rows& rows, size_t i) {
        catalog.others.push_back({text(rows, i, 0), text(rows, i, 1)});
      });
}

}  // namespace partywall::migrate
