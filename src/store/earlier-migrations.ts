/** The schema as it was before the router: each entry takes it to the next version. They are never changed. */
export const earlierMigrations: readonly string[] = [
  `
  CREATE TABLE people (
    id TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE chats (
    id TEXT PRIMARY KEY,
    platform TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES people (id),
    conversation INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE tasks (
    rowid INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    chat_id TEXT NOT NULL REFERENCES chats (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    conversation INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'waiting', 'done', 'failed', 'cancelled')),
    agent TEXT NOT NULL,
    chosen_by TEXT NOT NULL,
    tier TEXT,
    input TEXT NOT NULL,
    output TEXT,
    failure TEXT CHECK (failure IS NULL OR json_valid(failure)),
    created_at INTEGER NOT NULL,
    finished_at INTEGER
  ) STRICT;
  CREATE INDEX tasks_open ON tasks (rowid) WHERE state IN ('queued', 'running');
  CREATE INDEX tasks_created ON tasks (created_at, state);
  CREATE INDEX tasks_person ON tasks (person_id, rowid);
  CREATE INDEX tasks_short_id ON tasks (substr(id, -6));

  CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    chat_id TEXT NOT NULL REFERENCES chats (id),
    conversation INTEGER NOT NULL,
    task_id TEXT NOT NULL REFERENCES tasks (id),
    role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX messages_conversation ON messages (chat_id, conversation, id);

  CREATE TABLE steps (
    task_id TEXT NOT NULL REFERENCES tasks (id),
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('model', 'tool')),
    body TEXT NOT NULL CHECK (json_valid(body)),
    started_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    PRIMARY KEY (task_id, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE usage (
    id INTEGER PRIMARY KEY,
    task_id TEXT NOT NULL REFERENCES tasks (id),
    seq INTEGER NOT NULL,
    deployment TEXT NOT NULL,
    tier TEXT NOT NULL,
    reason TEXT NOT NULL,
    outcome TEXT NOT NULL,
    prompt_tokens INTEGER,
    answer_tokens INTEGER,
    cached_tokens INTEGER,
    started_at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    first_token_ms INTEGER
  ) STRICT;
  CREATE INDEX usage_task ON usage (task_id);
  CREATE INDEX usage_started ON usage (started_at);

  CREATE TABLE receipts (
    id TEXT PRIMARY KEY,
    task_id TEXT,
    purpose TEXT NOT NULL,
    host TEXT NOT NULL,
    trust TEXT NOT NULL CHECK (trust IN ('local', 'lan', 'platform', 'cloud')),
    at INTEGER NOT NULL,
    head_bytes_out INTEGER NOT NULL,
    body_bytes_out INTEGER NOT NULL,
    bytes_in INTEGER NOT NULL,
    status INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX receipts_task ON receipts (task_id);

  CREATE VIRTUAL TABLE tasks_text USING fts5 (input, output, content='tasks', content_rowid='rowid');
  CREATE TRIGGER tasks_text_insert AFTER INSERT ON tasks BEGIN
    INSERT INTO tasks_text (rowid, input, output) VALUES (new.rowid, new.input, new.output);
  END;
  CREATE TRIGGER tasks_text_update AFTER UPDATE OF input, output ON tasks
  WHEN old.input IS NOT new.input OR old.output IS NOT new.output BEGIN
    INSERT INTO tasks_text (tasks_text, rowid, input, output)
    VALUES ('delete', old.rowid, old.input, old.output);
    INSERT INTO tasks_text (rowid, input, output) VALUES (new.rowid, new.input, new.output);
  END;
  CREATE TRIGGER tasks_text_delete AFTER DELETE ON tasks BEGIN
    INSERT INTO tasks_text (tasks_text, rowid, input, output)
    VALUES ('delete', old.rowid, old.input, old.output);
  END;
  `,
  `
  ALTER TABLE people ADD COLUMN time_zone TEXT;
  ALTER TABLE people ADD COLUMN language TEXT;
  ALTER TABLE usage ADD COLUMN cost_usd REAL;

  CREATE TABLE summaries (
    id INTEGER PRIMARY KEY,
    chat_id TEXT NOT NULL REFERENCES chats (id),
    conversation INTEGER NOT NULL,
    from_message INTEGER NOT NULL,
    to_message INTEGER NOT NULL,
    text TEXT NOT NULL,
    label TEXT NOT NULL CHECK (label IN ('public', 'personal', 'secret')),
    tainted INTEGER NOT NULL CHECK (tainted IN (0, 1)),
    deployment TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX summaries_conversation ON summaries (chat_id, conversation, to_message);
  `,
  `
  ALTER TABLE chats ADD COLUMN address TEXT;
  ALTER TABLE chats ADD COLUMN kind TEXT NOT NULL DEFAULT 'direct' CHECK (kind IN ('direct', 'group'));
  ALTER TABLE chats ADD COLUMN agent TEXT;
  ALTER TABLE chats ADD COLUMN tier TEXT;
  UPDATE chats SET address = substr(id, instr(id, ':') + 1);
  CREATE UNIQUE INDEX chats_address ON chats (platform, address);

  ALTER TABLE tasks ADD COLUMN reply_to TEXT;
  CREATE INDEX tasks_chat_open ON tasks (chat_id, rowid) WHERE state IN ('queued', 'running', 'waiting');

  CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY,
    platform TEXT NOT NULL,
    account TEXT NOT NULL,
    update_id TEXT NOT NULL,
    address TEXT,
    message_id TEXT,
    body TEXT CHECK (body IS NULL OR json_valid(body)),
    received_at INTEGER NOT NULL,
    done_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX inbox_update ON inbox (platform, account, update_id);
  CREATE UNIQUE INDEX inbox_message ON inbox (platform, account, address, message_id) WHERE message_id IS NOT NULL;
  CREATE INDEX inbox_open ON inbox (platform, seq) WHERE done_at IS NULL;
  CREATE INDEX inbox_done ON inbox (done_at) WHERE done_at IS NOT NULL;

  CREATE TABLE task_messages (
    chat_id TEXT NOT NULL REFERENCES chats (id),
    message_id TEXT NOT NULL,
    task_id TEXT NOT NULL REFERENCES tasks (id),
    seq INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (chat_id, message_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX task_messages_task ON task_messages (task_id, seq);

  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    chat_id TEXT NOT NULL REFERENCES chats (id),
    task_id TEXT REFERENCES tasks (id),
    part INTEGER NOT NULL,
    place REAL NOT NULL DEFAULT 0,
    reply_to TEXT,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'sent', 'dead')),
    message_id TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    problem TEXT,
    created_at INTEGER NOT NULL,
    sent_at INTEGER
  ) STRICT;
  CREATE INDEX outbox_open ON outbox (chat_id, place, id) WHERE state = 'open';
  CREATE UNIQUE INDEX outbox_task ON outbox (task_id, part) WHERE task_id IS NOT NULL;
  CREATE INDEX outbox_message ON outbox (chat_id, message_id) WHERE message_id IS NOT NULL;
  `,
  `
  ALTER TABLE people ADD COLUMN role TEXT NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'member'));
  ALTER TABLE people ADD COLUMN name TEXT;
  UPDATE people SET role = 'owner' WHERE id = 'owner';

  CREATE TABLE accounts (
    platform TEXT NOT NULL,
    account_id TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES people (id),
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (platform, account_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX accounts_person ON accounts (person_id);

  CREATE TABLE codes (
    id INTEGER PRIMARY KEY,
    purpose TEXT NOT NULL CHECK (purpose IN ('pair', 'claim', 'link', 'invite')),
    hash TEXT NOT NULL,
    salt TEXT NOT NULL,
    person_id TEXT REFERENCES people (id),
    platform TEXT,
    account_id TEXT,
    name TEXT,
    tries_left INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE steps_new (
    task_id TEXT NOT NULL REFERENCES tasks (id),
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('model', 'tool', 'person')),
    body TEXT NOT NULL CHECK (json_valid(body)),
    started_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    PRIMARY KEY (task_id, seq)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO steps_new SELECT * FROM steps;
  DROP TABLE steps;
  ALTER TABLE steps_new RENAME TO steps;

  ALTER TABLE task_messages ADD COLUMN steers INTEGER NOT NULL DEFAULT 0 CHECK (steers IN (0, 1));
  ALTER TABLE task_messages ADD COLUMN step INTEGER;
  CREATE INDEX task_messages_steers ON task_messages (task_id, seq) WHERE steers = 1 AND step IS NULL;

  CREATE TABLE questions (
    id TEXT PRIMARY KEY,
    task_id TEXT NOT NULL REFERENCES tasks (id),
    call_id TEXT NOT NULL,
    chat_id TEXT NOT NULL REFERENCES chats (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    text TEXT NOT NULL,
    choices TEXT NOT NULL CHECK (json_valid(choices)),
    state TEXT NOT NULL CHECK (state IN ('open', 'answered', 'closed')),
    outbox_id INTEGER REFERENCES outbox (id),
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX questions_open ON questions (chat_id) WHERE state = 'open';
  CREATE INDEX questions_task ON questions (task_id);

  CREATE TABLE buttons (
    hash TEXT PRIMARY KEY,
    chat_id TEXT NOT NULL REFERENCES chats (id),
    person_id TEXT,
    action TEXT NOT NULL CHECK (json_valid(action)),
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE feedback (
    id INTEGER PRIMARY KEY,
    task_id TEXT NOT NULL REFERENCES tasks (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    kind TEXT NOT NULL CHECK (kind IN ('reaction', 'wrong', 'again')),
    value TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX feedback_task ON feedback (task_id);

  CREATE TABLE attachments (
    id TEXT PRIMARY KEY,
    chat_id TEXT NOT NULL REFERENCES chats (id),
    message_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER,
    reference TEXT NOT NULL,
    sha256 TEXT,
    problem TEXT,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX attachments_message ON attachments (chat_id, message_id, at);

  CREATE INDEX receipts_at ON receipts (at);

  ALTER TABLE tasks ADD COLUMN avoid TEXT;
  ALTER TABLE outbox ADD COLUMN is_change INTEGER NOT NULL DEFAULT 0 CHECK (is_change IN (0, 1));

  CREATE TABLE polls (
    platform TEXT NOT NULL,
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (platform, account)
  ) STRICT, WITHOUT ROWID;
  `,
];
