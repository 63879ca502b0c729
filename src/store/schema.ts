import type { Generated } from "kysely";

import type { Purpose } from "#core/http.ts";
import type { Attempt, TierName } from "#core/router.ts";
import type { TaskState } from "#core/task.ts";
import type { Label, Trust } from "#core/trust.ts";

/** Columns as SQLite holds them: times in milliseconds since 1970, JSON as text. */
export interface Schema {
  people: { id: string; created_at: number; time_zone: string | null; language: string | null };
  chats: {
    id: string;
    platform: string;
    person_id: string;
    conversation: number;
    created_at: number;
    address: string;
    kind: Generated<"direct" | "group">;
    agent: string | null;
    tier: string | null;
  };
  messages: {
    id: Generated<number>;
    chat_id: string;
    conversation: number;
    task_id: string;
    role: "user" | "assistant";
    text: string;
    created_at: number;
  };
  tasks: {
    rowid: Generated<number>;
    id: string;
    chat_id: string;
    person_id: string;
    conversation: number;
    state: TaskState;
    agent: string;
    chosen_by: string;
    tier: TierName | null;
    input: string;
    output: string | null;
    failure: string | null;
    created_at: number;
    finished_at: number | null;
    reply_to: string | null;
  };
  steps: {
    task_id: string;
    seq: number;
    kind: string;
    body: string;
    started_at: number;
    finished_at: number;
  };
  usage: {
    id: Generated<number>;
    task_id: string;
    seq: number;
    deployment: string;
    tier: Attempt["tier"];
    reason: string;
    outcome: Attempt["outcome"];
    prompt_tokens: number | null;
    answer_tokens: number | null;
    cached_tokens: number | null;
    started_at: number;
    duration_ms: number;
    first_token_ms: number | null;
    cost_usd: number | null;
  };
  summaries: {
    id: Generated<number>;
    chat_id: string;
    conversation: number;
    from_message: number;
    to_message: number;
    text: string;
    label: Label;
    tainted: 0 | 1;
    deployment: string;
    created_at: number;
  };
  receipts: {
    id: string;
    task_id: string | null;
    purpose: Purpose;
    host: string;
    trust: Trust;
    at: number;
    head_bytes_out: number;
    body_bytes_out: number;
    bytes_in: number;
    status: number | null;
  };
  inbox: {
    seq: Generated<number>;
    platform: string;
    account: string;
    update_id: string;
    address: string | null;
    message_id: string | null;
    /** What is to be done; null when it is done. */
    body: string | null;
    received_at: number;
    done_at: number | null;
  };
  task_messages: {
    chat_id: string;
    message_id: string;
    task_id: string;
    seq: number;
    text: string;
  };
  outbox: {
    id: Generated<number>;
    chat_id: string;
    task_id: string | null;
    part: number;
    /** Orders the parts of a chat: the row's id, or between two of them where one part became several. */
    place: Generated<number>;
    reply_to: string | null;
    /** Empty when it is sent. */
    body: string;
    state: "open" | "sent" | "dead";
    message_id: string | null;
    attempts: Generated<number>;
    problem: string | null;
    created_at: number;
    sent_at: number | null;
  };
}
