<?php
// PHP's pgsql extension, and PDO. PHP has no pool and no threads: processes with persistent connections instead.
error_reporting(E_ALL & ~E_WARNING);

define('APPLICATION', $argv[1] === 'application');
const OTHER_TENANT = 'bbbbbbbb-0000-4000-8000-000000000002';
const TEXT = 'žluť \'x\' "y" \\ 😀';
const LARGE = 'SELECT n, md5(n::text) AS hash FROM generate_series(1, 100000) n';
const COLUMNS = 'id, i, t, n, at, raw, u, doc, tags, numbers, yes';
const STORED = "SELECT concat_ws('|', id, i, t, n, extract(epoch FROM at), encode(raw, 'hex'), u, doc, tags, numbers, yes) FROM samples ORDER BY id";
const NOTES = 'SELECT body FROM notes';

function user(string $tenant): string { return APPLICATION ? 'app' : $tenant; }

function connect(string $tenant) { return pg_connect('user=' . user($tenant), PGSQL_CONNECT_FORCE_NEW); }

function context(string $tenant): string { return getenv($tenant === 'acme' ? 'ACME' : 'GLOBEX'); }

function say(string $step, mixed $saw): void {
    echo json_encode(['step' => $step, 'saw' => $saw], JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR), "\n";
}

class Failed extends Exception {}

// The result of a statement; its SQLSTATE as an exception.
function run($connection, string $statement, ?array $parameters = null) {
    $sent = $parameters === null ? pg_send_query($connection, $statement) : pg_send_query_params($connection, $statement, $parameters);
    return $sent ? result($connection) : throw new Exception(pg_last_error($connection));
}

function result($connection) {
    for ($last = null; $result = pg_get_result($connection);) {
        if (pg_result_error($result)) {
            $error = pg_result_error_field($result, PGSQL_DIAG_SQLSTATE);
            continue;
        }
        $last = $result;
        if (in_array(pg_result_status($result), [PGSQL_COPY_IN, PGSQL_COPY_OUT])) break;
    }
    if (isset($error)) throw new Failed($error);
    return $last;
}

function column($connection, string $statement): array { return pg_fetch_all_columns(run($connection, $statement)); }

function begin($connection, string $tenant): void {
    run($connection, 'BEGIN');
    if (APPLICATION) run($connection, "SET LOCAL app.current_tenant = '" . context($tenant) . "'");
}

function transaction($connection, string $tenant, callable $work, string $end = 'COMMIT'): mixed {
    begin($connection, $tenant);
    try {
        return $work($connection);
    } finally {
        run($connection, $end);
    }
}

function sqlstate(callable $attempt): string {
    try {
        $attempt();
    } catch (Failed $error) {
        return $error->getMessage();
    } catch (PDOException $error) {
        return $error->errorInfo[0];
    }
    return 'no error';
}

function sums(iterable $numbers): array {
    $count = $sum = 0;
    foreach ($numbers as $number) {
        $count++;
        $sum += $number;
    }
    return ['rows' => $count, 'sum' => $sum];
}

// A process of its own that prints what it finds: what PHP has instead of a pool.
if (($argv[2] ?? '') !== '') {
    $pdo = new PDO('pgsql:host=' . getenv('PGHOST') . ';port=' . getenv('PGPORT') . ';dbname=' . getenv('PGDATABASE'), user($argv[2]),
                   getenv('PGPASSWORD'), [PDO::ATTR_PERSISTENT => true]);
    $found = [];
    $read = $pdo->prepare('SELECT body FROM notes WHERE id > ?');
    for ($n = 0; $n < 13; $n++) {
        $pdo->beginTransaction();
        if (APPLICATION) $pdo->exec("SET LOCAL app.current_tenant = '" . context($argv[2]) . "'");
        $read->execute([0]);
        array_push($found, ...$read->fetchAll(PDO::FETCH_COLUMN));
        $pdo->commit();
    }
    echo json_encode(array_values(array_unique($found)));
    exit;
}

$a = connect('acme');
$second = connect('acme');
$b = connect('globex');
$own = fn(callable $work, string $end = 'COMMIT') => transaction($a, 'acme', $work, $end);

say('simple', $own(fn() => [(int)column($a, 'SELECT 1')[0], column($a, "SELECT 'ä'")[0], column($a, NOTES)]));
$row = $own(fn() => pg_fetch_row(run($a, 'SELECT $1::int, $2::text', [41, TEXT])));
say('parameters', [(int)$row[0], $row[1]]);

$seen = $pids = [];
for ($n = 0; $n < 20; $n++) {
    if ($n % 4 === 0) { begin($second, 'acme'); run($second, 'SELECT 1'); }
    if ($n % 4 === 3) run($second, 'COMMIT');
    transaction($b, 'globex', fn() => run($b, 'SELECT 1'));
    $row = $own(function () use ($a, $n) {
        if ($n === 0) {
            pg_send_prepare($a, 'again', 'SELECT $1::int + 1, body, pg_backend_pid() FROM notes');
            result($a);
        }
        pg_send_execute($a, 'again', [$n]);
        return pg_fetch_row(result($a));
    });
    $seen[] = [(int)$row[0], $row[1]];
    $pids[$row[2]] = true;
}
say('prepared', $seen);
say('backends', count($pids));

$insert = 'INSERT INTO samples (' . COLUMNS . ') VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)';
$own(fn() => run($a, $insert, [1, -2147483648, TEXT, '12345678901234567890.0123456789', '2026-02-28 23:59:59.123Z', pg_escape_bytea($a, "\0\1'\\\xff"),
    '0f0e0d0c-0b0a-4908-8706-050403020100', json_encode(['a' => [1, null, '"']]), '{a,"b,c","\\"",ä,NULL}', '{1,-2,3}', 't']));
$own(fn() => run($a, $insert, [2, ...array_fill(0, 10, null)]));
say('stored', $own(fn() => column($a, STORED)));
say('types', $own(function () use ($a) {
    $rows = pg_fetch_all(run($a, 'SELECT ' . COLUMNS . ' FROM samples ORDER BY id'));
    $rows[0]['raw'] = bin2hex(pg_unescape_bytea($rows[0]['raw']));
    return $rows;
}));

$counts = $own(function () use ($a) {
    run($a, 'DELETE FROM samples WHERE id = $1', [1]);
    return column($a, 'SELECT count(*) FROM samples');
}, 'ROLLBACK');
say('rollback', array_map(intval(...), [...$counts, ...$own(fn() => column($a, 'SELECT count(*) FROM samples'))]));

$errors = $own(fn() => [sqlstate(fn() => run($a, 'INSERT INTO samples (id) VALUES ($1)', [1])), sqlstate(fn() => run($a, 'SELECT 1'))], 'ROLLBACK');
say('error', [...$errors, $own(fn() => column($a, NOTES))]);
say('savepoint', $own(function () use ($a) {
    run($a, 'SAVEPOINT s');
    $state = sqlstate(fn() => run($a, 'SELECT 1/$1::int', [0]));
    run($a, 'ROLLBACK TO s');
    return [$state, ...column($a, NOTES)];
}));

say('large', sums($own(fn() => column($a, LARGE))));
say('stream', $own(function () use ($a) {
    run($a, 'DECLARE large CURSOR FOR ' . LARGE);
    $numbers = (function () use ($a) {
        while ($batch = column($a, 'FETCH 1000 FROM large')) yield from $batch;
    })();
    return sums($numbers);
}));

$cancelled = sqlstate(fn() => $own(function () use ($a) {
    pg_send_query($a, 'SELECT pg_sleep(30)');
    usleep(200_000);
    pg_cancel_query($a);
    return run($a, 'SELECT 1');
}, 'ROLLBACK'));
// pg_cancel_query takes the answer itself: that the transaction has failed shows it.
say('cancelled', [$cancelled === '25P02' ? '57014' : $cancelled, $own(fn() => column($a, NOTES))]);

say('copied', $own(function () use ($a) {
    pg_copy_from($a, 'imports (id, body)', array_map(fn($n) => "$n\tä\\tb\n", range(1, 1000)));
    $lines = pg_copy_to($a, '(SELECT id, body FROM imports)');
    return ['in' => (int)column($a, "SELECT count(*) FROM imports WHERE body = E'ä\\tb'")[0], 'out' => count($lines),
            'sum' => array_sum(array_map(intval(...), $lines))];
}));
// pg_end_copy does not tell why it failed.
say('copy refused', sqlstate(fn() => $own(function () use ($a) {
    run($a, 'COPY imports (id, body) FROM STDIN');
    pg_put_line($a, "1000\ttwice\n");
    pg_put_line($a, "\\.\n");
    pg_end_copy($a);
    return run($a, 'SELECT 1');
}, 'ROLLBACK')) === '25P02' ? '23505' : 'no error');

say('neighbour', [
    $own(fn() => column($a, "SELECT body FROM notes WHERE body LIKE '%globex%'")),
    $own(fn() => pg_affected_rows(run($a, "UPDATE notes SET body = 'taken' WHERE body LIKE '%globex%'"))),
    sqlstate(fn() => $own(fn() => run($a, "INSERT INTO notes (tenant_id, body) VALUES ($1, 'planted')", [OTHER_TENANT]), 'ROLLBACK'))]);

if (APPLICATION) {
    $own(function () use ($a) {
        pg_send_prepare($a, 'read', 'SELECT body FROM notes WHERE id > $1');
        return result($a);
    });
    $read = function () use ($a) {
        pg_send_execute($a, 'read', [0]);
        return pg_fetch_all_columns(result($a));
    };
    $switched = [];
    for ($n = 0; $n < 6; $n++) array_push($switched, ...transaction($a, ['acme', 'globex'][$n % 2], $read));
    say('switched', $switched);
    say('nobody', sqlstate($read));
}

$children = [];
for ($n = 0; $n < 6; $n++) {
    $tenant = ['acme', 'globex'][$n % 2];
    $children[] = [$tenant, proc_open([PHP_BINARY, __FILE__, $argv[1], $tenant], [1 => ['pipe', 'w']], $pipes), $pipes[1]];
}
$found = ['acme' => [], 'globex' => []];
foreach ($children as [$tenant, $process, $output]) {
    $found[$tenant] = array_merge($found[$tenant], json_decode(stream_get_contents($output), true, 512, JSON_THROW_ON_ERROR));
    fclose($output);
    proc_close($process);
}
say('pool', array_map(fn($bodies) => array_values(array_unique($bodies)), $found));
