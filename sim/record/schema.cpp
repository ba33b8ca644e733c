#include "sim/record/schema.hpp"

namespace sim::record {

const char* const schema_sql = R"sql(
CREATE TABLE schema_version (
    version INTEGER NOT NULL
);
CREATE TABLE hosts (
    host TEXT PRIMARY KEY NOT NULL,
    time_ns INTEGER,
    address TEXT
);
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL REFERENCES hosts(host),
    time_ns INTEGER NOT NULL,
    ended_ns INTEGER,
    side TEXT NOT NULL CHECK (side IN ('server', 'client')),
    connection INTEGER,
    program TEXT NOT NULL,
    pid INTEGER NOT NULL,
    peer_name TEXT,
    peer_address TEXT,
    helo TEXT,
    protocol TEXT,
    tls_protocol TEXT,
    tls_cipher TEXT,
    tls_bits INTEGER,
    tls_trust TEXT,
    ended TEXT,
    commands INTEGER,
    commands_accepted INTEGER
);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL REFERENCES hosts(host),
    time_ns INTEGER NOT NULL,
    queue_id TEXT NOT NULL,
    message_id TEXT,
    origin TEXT NOT NULL CHECK (origin IN ('smtp', 'submitted', 'internal')),
    sender TEXT,
    size INTEGER,
    recipient_count INTEGER,
    session INTEGER REFERENCES sessions(id),
    client_name TEXT,
    client_address TEXT,
    sasl_username TEXT,
    uid INTEGER,
    ended_ns INTEGER,
    ended TEXT CHECK (ended IN ('removed', 'abandoned'))
);
CREATE TABLE hops (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL REFERENCES hosts(host),
    time_ns INTEGER NOT NULL,
    message INTEGER NOT NULL REFERENCES messages(id),
    kind TEXT NOT NULL CHECK (kind IN ('smtp', 'filter', 'forward', 'requeue', 'notice')),
    next_host TEXT REFERENCES hosts(host),
    next_message INTEGER REFERENCES messages(id),
    next_address TEXT,
    link TEXT,
    notice TEXT,
    session INTEGER REFERENCES sessions(id),
    tls_protocol TEXT,
    tls_cipher TEXT
);
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL REFERENCES hosts(host),
    time_ns INTEGER NOT NULL,
    message INTEGER NOT NULL REFERENCES messages(id),
    session INTEGER REFERENCES sessions(id),
    hop INTEGER REFERENCES hops(id),
    agent TEXT NOT NULL,
    recipient TEXT NOT NULL,
    original_recipient TEXT,
    relay TEXT NOT NULL,
    relay_name TEXT,
    relay_address TEXT,
    relay_port INTEGER,
    delay_ns INTEGER NOT NULL,
    before_queue_manager_ns INTEGER NOT NULL,
    in_active_queue_ns INTEGER NOT NULL,
    connecting_ns INTEGER NOT NULL,
    transmitting_ns INTEGER NOT NULL,
    dsn TEXT NOT NULL,
    status TEXT NOT NULL,
    reply TEXT NOT NULL,
    next_queue_id TEXT
);
CREATE TABLE commands (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL REFERENCES hosts(host),
    time_ns INTEGER NOT NULL,
    session INTEGER REFERENCES sessions(id),
    side TEXT NOT NULL CHECK (side IN ('server', 'client')),
    queue_id TEXT,
    line TEXT NOT NULL,
    reply TEXT NOT NULL
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL REFERENCES hosts(host),
    time_ns INTEGER NOT NULL,
    name TEXT NOT NULL,
    program TEXT NOT NULL,
    pid INTEGER NOT NULL,
    queue_id TEXT,
    message INTEGER REFERENCES messages(id),
    connection INTEGER,
    fields TEXT NOT NULL
);
CREATE TABLE log (
    id INTEGER PRIMARY KEY REFERENCES events(id),
    host TEXT NOT NULL REFERENCES hosts(host),
    time_ns INTEGER NOT NULL,
    line TEXT NOT NULL
);
CREATE INDEX messages_by_queue_id ON messages(queue_id);
CREATE INDEX messages_by_message_id ON messages(message_id);
CREATE INDEX hops_by_message ON hops(message);
CREATE INDEX hops_by_next_message ON hops(next_message);
CREATE INDEX deliveries_by_message ON deliveries(message);
CREATE VIEW route AS
    SELECT hops.id AS hop, hops.time_ns AS time_ns, hops.kind AS kind, here.message_id AS message_id,
           here.host AS host, here.queue_id AS queue_id, hops.next_host AS next_host, there.queue_id AS next_queue_id,
           hops.next_address AS next_address, hops.tls_protocol AS tls_protocol, hops.tls_cipher AS tls_cipher,
           there.time_ns - here.time_ns AS took_ns
    FROM hops JOIN messages AS here ON here.id = hops.message
         LEFT JOIN messages AS there ON there.id = hops.next_message
    ORDER BY hops.id;
CREATE VIEW outcomes AS
    SELECT messages.id AS message, messages.host AS host, messages.queue_id AS queue_id,
           messages.message_id AS message_id, messages.sender AS sender, last.recipient AS recipient,
           last.status AS status, last.dsn AS dsn,
           last.reply AS reply, last.attempts AS attempts, last.time_ns AS time_ns
    FROM messages JOIN (SELECT message, recipient, status, dsn, reply, time_ns, max(id) AS newest, count(*) AS attempts
                        FROM deliveries GROUP BY message, recipient) AS last ON last.message = messages.id
    ORDER BY messages.id, last.newest;
CREATE VIEW queued AS
    SELECT id AS message, host, time_ns, queue_id, message_id, sender, size
    FROM messages WHERE ended IS NULL ORDER BY id;
CREATE VIEW refusals AS
    SELECT id AS event, host, time_ns, queue_id, json_extract(fields, '$.stage') AS stage,
           json_extract(fields, '$.client') AS client, json_extract(fields, '$.address') AS address,
           json_extract(fields, '$.text') AS text, json_extract(fields, '$.context') AS context
    FROM events WHERE name = 'verdict' AND json_extract(fields, '$.action') = 'reject' ORDER BY id;
CREATE VIEW maillog AS SELECT host, line FROM log ORDER BY id;
)sql";

}  // namespace sim::record
