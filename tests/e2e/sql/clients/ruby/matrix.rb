# ruby-pg, with a connection for each thread instead of a pool.
require 'json'
require 'pg'

APPLICATION = ARGV[0] == 'application'
CONTEXTS = { 'acme' => ENV['ACME'], 'globex' => ENV['GLOBEX'] }.freeze
OTHER_TENANT = 'bbbbbbbb-0000-4000-8000-000000000002'.freeze
TEXT = %q(žluť 'x' "y" \ 😀).freeze
LARGE = 'SELECT n, md5(n::text) AS hash FROM generate_series(1, 100000) n'.freeze
INSERT = 'INSERT INTO samples (id, i, t, n, at, raw, u, doc, tags, numbers, yes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)'.freeze
STORED = "SELECT concat_ws('|', id, i, t, n, extract(epoch FROM at), encode(raw, 'hex'), u, doc, tags, numbers, yes) " \
         'FROM samples ORDER BY id'.freeze
NOTES = 'SELECT body FROM notes'.freeze

def connect(tenant)
  connection = PG.connect(user: APPLICATION ? 'app' : tenant, client_encoding: 'UTF8')
  # Without asking the server for its types, as PG::BasicTypeMapForResults does.
  decoders = PG::TypeMapByOid.new
  { 16 => PG::TextDecoder::Boolean, 17 => PG::TextDecoder::Bytea, 20 => PG::TextDecoder::Integer, 23 => PG::TextDecoder::Integer,
    1700 => PG::TextDecoder::Numeric, 1184 => PG::TextDecoder::TimestampWithTimeZone, 3802 => PG::TextDecoder::JSON,
    1009 => PG::TextDecoder::Array }.each { |oid, decoder| decoders.add_coder(decoder.new(oid: oid)) }
  connection.type_map_for_results = decoders
  connection
end

def say(step, saw)
  puts JSON.generate({ step: step, saw: saw })
end

def transaction(connection, tenant)
  connection.transaction do
    connection.exec("SET LOCAL app.current_tenant = '#{CONTEXTS[tenant]}'") if APPLICATION
    yield connection
  end
end

# What the block returns, with nothing of it left.
def undone(connection, tenant)
  result = nil
  transaction(connection, tenant) do
    result = yield
    raise 'undo'
  end
  result
rescue RuntimeError => e
  raise unless e.message == 'undo'
  result
end

def sqlstate
  yield
  'no error'
rescue PG::Error => e
  e.result.error_field(PG::PG_DIAG_SQLSTATE)
end

def sums(rows)
  count = sum = 0
  rows.each do |number|
    count += 1
    sum += number
  end
  { rows: count, sum: sum }
end

a = connect('acme')
second = connect('acme')
b = connect('globex')
own = ->(&work) { transaction(a, 'acme', &work) }
column = ->(statement) { own.call { a.exec(statement).column_values(0) } }

say('simple', own.call { a.exec("SELECT 1, 'ä'").values[0] + [a.exec(NOTES).column_values(0)] })
say('parameters', own.call { a.exec_params('SELECT $1::int, $2::text', [41, TEXT]).values[0] })

seen = []
pids = {}
a.prepare('again', 'SELECT $1::int + 1, body, pg_backend_pid() FROM notes') unless APPLICATION
20.times do |n|
  if n % 4 == 0
    second.exec('BEGIN')
    second.exec("SET LOCAL app.current_tenant = '#{CONTEXTS['acme']}'") if APPLICATION
    second.exec('SELECT 1')
  end
  second.exec('COMMIT') if n % 4 == 3
  transaction(b, 'globex') { b.exec('SELECT 1') }
  number, body, pid = own.call do
    a.prepare('again', 'SELECT $1::int + 1, body, pg_backend_pid() FROM notes') if APPLICATION && n.zero?
    a.exec_prepared('again', [n]).values[0]
  end
  seen << [number, body]
  pids[pid] = true
end
say('prepared', seen)
say('backends', pids.size)

values = [1, -2_147_483_648, TEXT, '12345678901234567890.0123456789', '2026-02-28 23:59:59.123Z',
          { value: "\x00\x01'\\\xff".b, format: 1 }, '0f0e0d0c-0b0a-4908-8706-050403020100', JSON.generate({ a: [1, nil, '"'] }),
          PG::TextEncoder::Array.new.encode(['a', 'b,c', '"', 'ä', nil]), PG::TextEncoder::Array.new.encode([1, -2, 3]), 't']
own.call { a.exec_params(INSERT, values) }
own.call { a.exec_params(INSERT, [2] + [nil] * 10) }
say('stored', column.call(STORED))
say('types', own.call { a.exec('SELECT i, t, n, at, raw, u, doc, tags, numbers, yes FROM samples ORDER BY id').values }
  .map { |row| row.map { |value| value.is_a?(String) && value.encoding == Encoding::BINARY ? value.unpack1('H*') : value } })

counts = undone(a, 'acme') do
  a.exec_params('DELETE FROM samples WHERE id = $1', [1])
  a.exec('SELECT count(*) FROM samples').column_values(0)
end
say('rollback', counts + column.call('SELECT count(*) FROM samples'))

errors = undone(a, 'acme') { [sqlstate { a.exec('INSERT INTO samples (id) VALUES (1)') }, sqlstate { a.exec('SELECT 1') }] }
say('error', errors + [column.call(NOTES)])
say('savepoint', own.call do
  a.exec('SAVEPOINT s')
  state = sqlstate { a.exec_params('SELECT 1/$1::int', [0]) }
  a.exec('ROLLBACK TO s')
  [state] + a.exec(NOTES).column_values(0)
end)

say('large', sums(own.call { a.exec(LARGE).column_values(0) }))
say('stream', own.call do
  a.send_query(LARGE)
  a.set_single_row_mode
  numbers = Enumerator.new { |out| a.get_result.stream_each_row { |row| out << row[0] } }
  sums(numbers)
end)

# Not in the driver's transaction(), which would send a second cancel, to whatever comes next.
a.exec('BEGIN')
a.exec("SET LOCAL app.current_tenant = '#{CONTEXTS['acme']}'") if APPLICATION
canceller = Thread.new do
  sleep 0.2
  a.cancel
end
cancelled = sqlstate { a.exec('SELECT pg_sleep(30)') }
canceller.join
a.exec('ROLLBACK')
say('cancelled', [cancelled, column.call(NOTES)])

copied = own.call do
  a.copy_data('COPY imports (id, body) FROM STDIN') { (1..1000).each { |n| a.put_copy_data("#{n}\tä\\tb\n") } }
  lines = []
  a.copy_data('COPY (SELECT id, body FROM imports) TO STDOUT') { while (line = a.get_copy_data) do lines << line.to_i end }
  stored = a.exec("SELECT count(*) FROM imports WHERE body = E'ä\\tb'").column_values(0)[0]
  { in: stored, out: lines.size, sum: lines.sum }
end
say('copied', copied)
say('copy refused', sqlstate { own.call { a.copy_data('COPY imports (id, body) FROM STDIN') { a.put_copy_data("1000\ttwice\n") } } })

# The pipeline mode of libpq.
def piped(connection, tenant, statements)
  connection.enter_pipeline_mode
  connection.send_query_params('BEGIN', [])
  connection.send_query_params("SET LOCAL app.current_tenant = '#{CONTEXTS[tenant]}'", []) if APPLICATION
  statements.each { |statement, parameters| connection.send_query_params(statement, parameters) }
  connection.send_query_params('COMMIT', [])
  connection.pipeline_sync
  numbers = []
  state = nil
  loop do
    result = connection.get_result or next
    break if result.result_status == PG::PGRES_PIPELINE_SYNC
    state = result.error_field(PG::PG_DIAG_SQLSTATE) if result.result_status == PG::PGRES_FATAL_ERROR
    numbers += result.column_values(0) if result.result_status == PG::PGRES_TUPLES_OK
  end
  connection.exit_pipeline_mode
  connection.exec('ROLLBACK') if connection.transaction_status == PG::PQTRANS_INERROR
  [numbers, state]
end
numbers, = piped(a, 'acme', (0...50).map { |n| ['SELECT $1::int', [n]] })
_, state = piped(a, 'acme', [['SELECT 1', []], ['SELECT 1/$1::int', [0]], ['SELECT 2', []]])
say('pipelined', [numbers, state, column.call(NOTES)])

say('neighbour', [
  column.call("SELECT body FROM notes WHERE body LIKE '%globex%'"),
  own.call { a.exec("UPDATE notes SET body = 'taken' WHERE body LIKE '%globex%'").cmd_tuples },
  sqlstate { own.call { a.exec_params("INSERT INTO notes (tenant_id, body) VALUES ($1, 'planted')", [OTHER_TENANT]) } }])

if APPLICATION
  own.call { a.prepare('read', 'SELECT body FROM notes WHERE id > $1') }
  switched = (0...6).flat_map { |n| transaction(a, %w[acme globex][n % 2]) { a.exec_prepared('read', [0]).column_values(0) } }
  say('switched', switched)
  say('nobody', sqlstate { a.exec_prepared('read', [0]) })
end
[a, second, b].each(&:close)

threads = (0...8).map do |n|
  Thread.new do
    tenant = %w[acme globex][n % 2]
    connection = connect(tenant)
    found = (0...13).flat_map { transaction(connection, tenant) { connection.exec_params('SELECT body FROM notes WHERE id > $1', [0]).column_values(0) } }
    connection.close
    [tenant, found]
  end
end
found = threads.map(&:value)
say('pool', %w[acme globex].to_h { |tenant| [tenant, found.select { |whose, _| whose == tenant }.flat_map(&:last).uniq] })
