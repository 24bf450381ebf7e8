// JDBC. No pool comes with the driver: threads with a connection each instead.
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.time.OffsetDateTime;
import java.util.*;
import java.util.concurrent.*;
import org.postgresql.PGConnection;

public class Matrix {
    interface Work<T> { T on(Connection connection) throws Exception; }

    static final String TEXT = "žluť 'x' \"y\" \\ 😀";
    static final String LARGE = "SELECT n, md5(n::text) AS hash FROM generate_series(1, 100000) n";
    static final String STORED = "SELECT concat_ws('|', id, i, t, n, extract(epoch FROM at), encode(raw, 'hex'), u, doc, tags, numbers, yes) AS line "
        + "FROM samples ORDER BY id";
    static final String OTHER_TENANT = "bbbbbbbb-0000-4000-8000-000000000002";
    static final Map<String, String> CONTEXTS = Map.of("acme", System.getenv("ACME"), "globex", System.getenv("GLOBEX"));
    static boolean application;

    static Connection connect(String tenant) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", application ? "app" : tenant);
        properties.setProperty("password", System.getenv("PGPASSWORD"));
        properties.setProperty("prepareThreshold", "3");
        if (System.getenv("ASSUME_VERSION") != null) properties.setProperty("assumeMinServerVersion", System.getenv("ASSUME_VERSION"));
        Connection connection = DriverManager.getConnection("jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT")
            + "/" + System.getenv("PGDATABASE"), properties);
        connection.setAutoCommit(false);
        return connection;
    }

    static void enter(Connection connection, String tenant) throws SQLException {
        if (application) run(connection, "SET LOCAL app.current_tenant = '" + CONTEXTS.get(tenant) + "'");
    }

    static <T> T transaction(Connection connection, String tenant, Work<T> work) throws Exception {
        try {
            enter(connection, tenant);
            T result = work.on(connection);
            connection.commit();
            return result;
        } catch (Exception error) {
            connection.rollback();
            throw error;
        }
    }

    static void run(Connection connection, String statement) throws SQLException {
        try (Statement sql = connection.createStatement()) { sql.execute(statement); }
    }

    static List<Object> column(Connection connection, String statement) throws SQLException {
        try (Statement sql = connection.createStatement(); ResultSet rows = sql.executeQuery(statement)) { return column(rows); }
    }

    static List<Object> column(ResultSet rows) throws SQLException {
        List<Object> values = new ArrayList<>();
        while (rows.next()) values.add(rows.getObject(1));
        return values;
    }

    static String sqlstate(Callable<?> attempt) throws Exception {
        try {
            attempt.call();
        } catch (SQLException error) {
            return error.getSQLState();
        }
        return "no error";
    }

    static String json(Object value) {
        if (value == null || value instanceof Number || value instanceof Boolean) return String.valueOf(value);
        if (value instanceof Object[] array) return json(Arrays.asList(array));
        if (value instanceof Collection<?> list) return "[" + String.join(",", list.stream().map(Matrix::json).toList()) + "]";
        if (value instanceof Map<?, ?> map)
            return "{" + String.join(",", map.entrySet().stream().map(e -> json(e.getKey()) + ":" + json(e.getValue())).toList()) + "}";
        return "\"" + value.toString().replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    static void say(String step, Object saw) { System.out.println("{\"step\":" + json(step) + ",\"saw\":" + json(saw) + "}"); }

    static Map<String, Object> sums(Connection connection, int fetchSize) throws SQLException {
        try (Statement sql = connection.createStatement()) {
            sql.setFetchSize(fetchSize);  // 0: all at once
            long count = 0, sum = 0;
            try (ResultSet rows = sql.executeQuery(LARGE)) {
                for (; rows.next(); count++) sum += rows.getInt(1);
            }
            return new TreeMap<>(Map.of("rows", count, "sum", sum));
        }
    }

    static List<List<Object>> prepared(Connection a, Connection second, Connection b, Set<Integer> pids) throws Exception {
        List<List<Object>> seen = new ArrayList<>();
        try (PreparedStatement again = a.prepareStatement("SELECT ? + 1, body, pg_backend_pid() FROM notes")) {
            for (int n = 0; n < 20; n++) {
                if (n % 4 == 0) { enter(second, "acme"); run(second, "SELECT 1"); }
                if (n % 4 == 3) second.commit();
                transaction(b, "globex", c -> column(c, "SELECT 1"));
                again.setInt(1, n);
                transaction(a, "acme", c -> {
                    try (ResultSet row = again.executeQuery()) {
                        row.next();
                        pids.add(row.getInt(3));
                        return seen.add(List.of(row.getInt(1), row.getString(2)));
                    }
                });
            }
        }
        return seen;
    }

    static void types(Connection a) throws Exception {
        try (PreparedStatement insert = a.prepareStatement(
                "INSERT INTO samples (id, i, t, n, at, raw, u, doc, tags, numbers, yes) VALUES (?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?)")) {
            Object[] values = {1, Integer.MIN_VALUE, TEXT, new BigDecimal("12345678901234567890.0123456789"),
                OffsetDateTime.parse("2026-02-28T23:59:59.123Z"), new byte[] {0, 1, 39, 92, -1},
                UUID.fromString("0f0e0d0c-0b0a-4908-8706-050403020100"), "{\"a\": [1, null, \"\\\"\"]}",
                a.createArrayOf("text", new String[] {"a", "b,c", "\"", "ä", null}), a.createArrayOf("int4", new Integer[] {1, -2, 3}), true};
            for (int n = 0; n < values.length; n++) insert.setObject(n + 1, values[n]);
            transaction(a, "acme", c -> insert.executeUpdate());
            int[] kinds = {Types.INTEGER, Types.VARCHAR, Types.NUMERIC, Types.TIMESTAMP_WITH_TIMEZONE, Types.BINARY, Types.OTHER, Types.VARCHAR,
                Types.ARRAY, Types.ARRAY, Types.BOOLEAN};
            insert.setInt(1, 2);
            for (int n = 0; n < kinds.length; n++) insert.setNull(n + 2, kinds[n]);
            transaction(a, "acme", c -> insert.executeUpdate());
        }
        say("stored", transaction(a, "acme", c -> column(c, STORED)));
        List<Object> read = new ArrayList<>();
        // More often than prepareThreshold: from then on values come in binary.
        try (PreparedStatement select = a.prepareStatement("SELECT i, t, n, at, raw, u, doc, tags, numbers, yes FROM samples ORDER BY id")) {
            for (int round = 0; round < 5; round++)
                transaction(a, "acme", c -> {
                    try (ResultSet row = select.executeQuery()) {
                        while (row.next()) {
                            List<Object> values = new ArrayList<>();
                            for (int n = 1; n <= 10; n++) {
                                Object value = row.getObject(n);
                                if (value instanceof byte[] bytes) value = Arrays.toString(bytes);
                                values.add(value instanceof Array array ? array.getArray() : value);
                            }
                            read.add(values);
                        }
                    }
                    return null;
                });
        }
        say("types", read);
    }

    static void failures(Connection a) throws Exception {
        enter(a, "acme");
        try (PreparedStatement delete = a.prepareStatement("DELETE FROM samples WHERE id = ?")) {
            delete.setInt(1, 1);
            delete.executeUpdate();
        }
        List<Object> counts = column(a, "SELECT count(*) FROM samples");
        a.rollback();
        counts.addAll(transaction(a, "acme", c -> column(c, "SELECT count(*) FROM samples")));
        say("rollback", counts);

        enter(a, "acme");
        List<Object> errors = new ArrayList<>();
        errors.add(sqlstate(() -> { run(a, "INSERT INTO samples (id) VALUES (1)"); return null; }));
        errors.add(sqlstate(() -> column(a, "SELECT 1")));
        a.rollback();
        errors.add(transaction(a, "acme", c -> column(c, "SELECT body FROM notes")));
        say("error", errors);
        say("savepoint", transaction(a, "acme", c -> {
            Savepoint savepoint = c.setSavepoint();
            List<Object> result = new ArrayList<>();
            result.add(sqlstate(() -> column(c, "SELECT 1/0")));
            c.rollback(savepoint);
            result.addAll(column(c, "SELECT body FROM notes"));
            return result;
        }));
    }

    static Object interrupted(Connection a, Work<Object> work) throws Exception {
        return Arrays.asList(sqlstate(() -> transaction(a, "acme", work)), transaction(a, "acme", c -> column(c, "SELECT body FROM notes")));
    }

    static void cancellation(Connection a, ScheduledExecutorService later) throws Exception {
        say("cancelled", interrupted(a, c -> {
            try (Statement sleep = c.createStatement()) {
                later.schedule(() -> { sleep.cancel(); return null; }, 200, TimeUnit.MILLISECONDS);
                return sleep.execute("SELECT pg_sleep(30)");
            }
        }));
        say("timed out", interrupted(a, c -> {
            try (Statement sleep = c.createStatement()) {
                sleep.setQueryTimeout(1);
                return sleep.execute("SELECT pg_sleep(30)");
            }
        }));
    }

    static void copy(Connection a) throws Exception {
        Map<String, Object> copied = transaction(a, "acme", c -> {
            var copy = c.unwrap(PGConnection.class).getCopyAPI();
            StringBuilder lines = new StringBuilder();
            for (int n = 1; n <= 1000; n++) lines.append(n).append("\tä\\tb\n");
            copy.copyIn("COPY imports (id, body) FROM STDIN", new StringReader(lines.toString()));
            StringWriter out = new StringWriter();
            copy.copyOut("COPY (SELECT id, body FROM imports) TO STDOUT", out);
            List<String> back = out.toString().lines().toList();
            return new TreeMap<>(Map.of("in", column(c, "SELECT count(*) FROM imports WHERE body = E'ä\\tb'").get(0), "out", back.size(),
                "sum", back.stream().mapToInt(line -> Integer.parseInt(line.split("\t")[0])).sum()));
        });
        say("copied", copied);
        say("copy refused", sqlstate(() -> transaction(a, "acme", c ->
            c.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY imports (id, body) FROM STDIN", new StringReader("1000\ttwice\n")))));
    }

    // A batch goes out as one pipeline.
    static void batch(Connection a) throws Exception {
        say("pipelined", transaction(a, "acme", c -> {
            Savepoint savepoint = c.setSavepoint();
            List<Object> result = new ArrayList<>();
            try (PreparedStatement insert = c.prepareStatement("INSERT INTO samples (id) VALUES (?) RETURNING id - 1000", Statement.RETURN_GENERATED_KEYS)) {
                for (int n = 0; n < 50; n++) { insert.setInt(1, 1000 + n); insert.addBatch(); }
                insert.executeBatch();
                try (ResultSet keys = insert.getGeneratedKeys()) { result.add(column(keys)); }
            }
            c.rollback(savepoint);
            try (PreparedStatement divide = c.prepareStatement("UPDATE samples SET i = 1 / ? WHERE id = 1")) {
                for (int n : new int[] {1, 0, 2}) { divide.setInt(1, n); divide.addBatch(); }
                result.add(sqlstate(divide::executeBatch));
            }
            c.rollback(savepoint);
            result.add(column(c, "SELECT body FROM notes"));
            return result;
        }));
    }

    static void neighbour(Connection a) throws Exception {
        List<Object> result = new ArrayList<>();
        result.add(transaction(a, "acme", c -> column(c, "SELECT body FROM notes WHERE body LIKE '%globex%'")));
        result.add(transaction(a, "acme", c -> {
            try (Statement sql = c.createStatement()) { return sql.executeUpdate("UPDATE notes SET body = 'taken' WHERE body LIKE '%globex%'"); }
        }));
        result.add(sqlstate(() -> transaction(a, "acme", c -> {
            run(c, "INSERT INTO notes (tenant_id, body) VALUES ('" + OTHER_TENANT + "', 'planted')");
            return null;
        })));
        say("neighbour", result);
    }

    static void application(Connection a) throws Exception {
        List<Object> switched = new ArrayList<>();
        try (PreparedStatement read = a.prepareStatement("SELECT body FROM notes WHERE id > ?")) {
            read.setInt(1, 0);
            for (int n = 0; n < 6; n++)
                switched.addAll(transaction(a, n % 2 == 0 ? "acme" : "globex", c -> column(read.executeQuery())));
            say("switched", switched);
            say("nobody", sqlstate(() -> { a.setAutoCommit(true); return read.executeQuery(); }));
        }
    }

    static Set<Object> work(String tenant) throws Exception {
        Set<Object> found = new TreeSet<>();
        try (Connection connection = connect(tenant); PreparedStatement read = connection.prepareStatement("SELECT body FROM notes WHERE id > ?")) {
            read.setInt(1, 0);
            for (int n = 0; n < 13; n++) found.addAll(transaction(connection, tenant, c -> column(read.executeQuery())));
        }
        return found;
    }

    static void concurrently() throws Exception {
        Map<String, Set<Object>> found = new TreeMap<>();
        ExecutorService threads = Executors.newFixedThreadPool(8);
        Map<Future<Set<Object>>, String> running = new LinkedHashMap<>();
        for (int n = 0; n < 8; n++) {
            String tenant = n % 2 == 0 ? "acme" : "globex";
            running.put(threads.submit(() -> work(tenant)), tenant);
        }
        for (var one : running.entrySet()) found.computeIfAbsent(one.getValue(), key -> new TreeSet<>()).addAll(one.getKey().get());
        threads.shutdown();
        say("pool", found);
    }

    public static void main(String[] arguments) throws Exception {
        application = arguments[0].equals("application");
        System.setOut(new java.io.PrintStream(System.out, true, StandardCharsets.UTF_8));
        ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();
        try (Connection a = connect("acme"); Connection second = connect("acme"); Connection b = connect("globex")) {
            say("simple", transaction(a, "acme", c -> {
                try (Statement sql = c.createStatement()) {
                    sql.execute("SELECT 1, 'ä'; SELECT body FROM notes");
                    ResultSet row = sql.getResultSet();
                    row.next();
                    List<Object> result = new ArrayList<>(List.of(row.getInt(1), row.getString(2)));
                    sql.getMoreResults();
                    result.add(column(sql.getResultSet()));
                    return result;
                }
            }));
            say("parameters", transaction(a, "acme", c -> {
                try (PreparedStatement sql = c.prepareStatement("SELECT ?, ?")) {
                    sql.setInt(1, 41);
                    sql.setString(2, TEXT);
                    ResultSet row = sql.executeQuery();
                    row.next();
                    return List.of(row.getInt(1), row.getString(2));
                }
            }));
            Set<Integer> pids = new HashSet<>();
            say("prepared", prepared(a, second, b, pids));
            say("backends", pids.size());
            types(a);
            failures(a);
            say("large", transaction(a, "acme", c -> sums(c, 0)));
            say("stream", transaction(a, "acme", c -> sums(c, 1000)));
            cancellation(a, later);
            copy(a);
            batch(a);
            neighbour(a);
            if (application) application(a);
        }
        later.shutdown();
        concurrently();
    }
}
